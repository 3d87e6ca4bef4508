"""Isosurfaces that are closed where the edge of the volume cuts a vessel."""

import logging
from typing import TYPE_CHECKING, Any

from vispy.visuals.shaders import Function

from napari_cowgan.viewer.current_viewer import without_proxy

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_log = logging.getLogger(__name__)

# The margin is for rays that start on a face, which rounding may put outside.
_LOOKUP = """
    vec4 texture_lookup_closed(vec3 texcoord) {
        if (any(lessThan(texcoord, vec3(-1e-3))) || any(greaterThan(texcoord, vec3(1.001))))
            return vec4(0.0, 0.0, 0.0, 1.0);
        return texture3D($texture, texcoord);
    }"""


def close_isosurface(viewer: "napari.Viewer", layer: "Image") -> None:
    """Have the isosurface of a layer closed at the faces of its volume.

    napari takes the voxels outside a volume for copies of those at its face. A vessel that the face
    cuts then has no gradient there, and its section is drawn black. Here they are dark instead,
    so the section is a surface that faces outwards. Nothing but the drawing changes.

    napari 0.9 has no public way to do so. Where a later version is built in another way, the
    section stays as napari draws it.
    """
    viewer = without_proxy(viewer)
    try:
        canvas: Any = viewer.window._qt_viewer.canvas
        node = canvas.layer_to_visual[layer]._layer_node._volume_node
        lookup = Function(_LOOKUP)
        # The others, such as cubic, sample several voxels by a function of their own.
        for interpolation in ("linear", "nearest"):
            node._interpolation_fun[interpolation] = lookup
        node._need_interpolation_update = True
    except (AttributeError, KeyError) as error:
        _log.warning("isosurfaces stay open at the faces of a volume: %r", error)
