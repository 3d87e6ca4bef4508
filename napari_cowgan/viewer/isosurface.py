"""Isosurfaces that are closed where the volume boundary cuts a vessel."""

import logging
from typing import TYPE_CHECKING, Any

from vispy.visuals.shaders import Function

from napari_cowgan.viewer.current_viewer import without_proxy

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_log = logging.getLogger(__name__)

# The tolerance is for rays that start on a face, which rounding may place outside.
_LOOKUP = """
    vec4 texture_lookup_closed(vec3 texcoord) {
        if (any(lessThan(texcoord, vec3(-1e-3))) || any(greaterThan(texcoord, vec3(1.001))))
            return vec4(0.0, 0.0, 0.0, 1.0);
        return texture3D($texture, texcoord);
    }"""


def close_isosurface(viewer: "napari.Viewer", layer: "Image") -> None:
    """Close the isosurface of a layer at the faces of its volume.

    napari repeats the voxels of a face outside the volume. A vessel cut by that face then has no
    gradient there, and its cross-section is drawn black. Here the outside is dark instead, so
    that the cross-section is a surface facing outwards. Only the rendering changes.

    napari 0.9 has no public API for this. If a later version differs inside, the cross-section
    stays as napari draws it.
    """
    viewer = without_proxy(viewer)
    try:
        canvas: Any = viewer.window._qt_viewer.canvas
        node = canvas.layer_to_visual[layer]._layer_node._volume_node
        lookup = Function(_LOOKUP)
        # Others, such as cubic, sample several voxels with their own function.
        for interpolation in ("linear", "nearest"):
            node._interpolation_fun[interpolation] = lookup
        node._need_interpolation_update = True
    except (AttributeError, KeyError) as error:
        _log.warning("isosurfaces stay open at the faces of a volume: %r", error)
