"""Software, computer and screen of a reading, for the journal."""

import platform
from typing import Any

import napari
import numpy as np
import qtpy
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext, QScreen

from cowgan import __version__


def programs_and_computer() -> dict[str, Any]:
    """Return software versions, the system and the graphics renderer."""
    return {
        "versions": {
            "napari-cowgan": __version__,
            "napari": napari.__version__,
            "numpy": np.__version__,
            "qt": f"{qtpy.API_NAME} {qtpy.QT_VERSION}",
            "python": platform.python_version(),
        },
        "system": platform.platform(),
        "gl_renderer": _gl_renderer(),
    }


def screen(shown_on: QScreen | None) -> dict[str, Any]:
    """Return properties of a screen; the reported physical size is often wrong."""
    if shown_on is None:
        return {}
    size, physical = shown_on.size(), shown_on.physicalSize()
    return {
        "size": [size.width(), size.height()],
        "device_pixel_ratio": shown_on.devicePixelRatio(),
        "dots_per_inch": round(shown_on.logicalDotsPerInch(), 1),
        "physical_mm": [round(physical.width()), round(physical.height())],
        "colour_depth": shown_on.depth(),
    }


def _gl_renderer() -> str | None:
    """Return the name of the OpenGL renderer, from a temporary context."""
    from vispy.gloo import gl

    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return None
    try:
        return str(gl.glGetParameter(gl.GL_RENDERER))
    finally:
        context.doneCurrent()
