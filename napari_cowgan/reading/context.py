"""What a reading was done with: programs, computer, screen."""

import platform
from typing import Any

import napari
import numpy as np
import qtpy
from qtpy.QtGui import QOffscreenSurface, QOpenGLContext, QScreen

from cowgan import __version__


def programs_and_computer() -> dict[str, Any]:
    """Return versions, and who draws the picture."""
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
    """Return what a screen says of itself; its physical size is often wrong."""
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
    """Ask a context that is made for the purpose and thrown away."""
    from vispy.gloo import gl

    surface, context = QOffscreenSurface(), QOpenGLContext()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        return None
    try:
        return str(gl.glGetParameter(gl.GL_RENDERER))
    finally:
        context.doneCurrent()
