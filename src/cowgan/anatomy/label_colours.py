"""Colours of the labels of artery maps, the same in windows, pictures and reports."""

from cowgan.anatomy.label_schemes import LabelScheme

_COLOURS = {
    "BA": "#bcd86e",
    "R-PCA": "#a7b1ff",
    "L-PCA": "#1175d9",
    "R-ICA": "#ff565d",
    "R-MCA": "#88e3ac",
    "L-ICA": "#d41627",
    "L-MCA": "#39ab82",
    "R-PCom": "#d079b2",
    "L-PCom": "#b03f87",
    "ACom": "#59ffff",
    "R-ACA": "#fffb13",
    "L-ACA": "#d3a100",
    "3rd-A2": "#8a5a3c",
    "other vessel": "#8a5a3c",
    "posterior": "#a7b1ff",
    "anterior": "#fffb13",
    "left": "#d41627",
    "right": "#ff9a8c",
}
"""By the name of the label.

The two sides of an artery share a hue, the patient's right being the lighter one. All differ in
lightness as well as in hue, so that they stay distinguishable with any colour blindness, above
all where arteries meet.
"""


def label_colours(scheme: LabelScheme) -> dict[int, str]:
    """Return the colour of each label of a scheme, such as ``"#a7b1ff"``; background has none.

    Where sides are merged, an artery has the colour of its right side.
    """
    return {
        value: _COLOURS.get(name) or _COLOURS[f"R-{name}"] for value, name in scheme.labels.items()
    }
