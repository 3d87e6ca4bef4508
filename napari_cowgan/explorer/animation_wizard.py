"""Exchange of key frames with the plugin napari-animation, whose wizard draws napari's canvas.

Its key frames hold camera and layer attributes but no volumes. Ours are therefore sent as a camera
path over the 4D layer of a movie, and received as a camera path around one volume.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari.components.camera import Camera as NapariCamera

from cowgan.checkpoint import Checkpoint
from cowgan.latent.movies import Contrast, Keyframe, Movie
from cowgan.synthesis import LatentState
from napari_cowgan.explorer.movie_view import show_view
from napari_cowgan.viewer.camera import camera_of

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_PARTS_OF_A_TURN = 4
"""Rotations are interpolated the short way, so a whole turn needs key frames between."""


def open_wizard(viewer: "napari.Viewer") -> Any | None:
    """Return the animation of napari-animation's wizard in a viewer; None if it is not open."""
    for widget in viewer.window.dock_widgets.values():
        if type(widget).__module__.startswith("napari_animation."):
            return widget.animation
    return None


def send_keyframes(
    animation: Any,
    movie: Movie,
    checkpoint: Checkpoint,
    layer: "Image",
    first_frames: Sequence[int],
) -> None:
    """Replace the key frames of napari-animation by those of a movie.

    Parameters
    ----------
    animation : napari_animation.Animation
        Gets the key frames.
    movie : Movie
        The movie.
    checkpoint : Checkpoint
        Its model.
    layer : napari.layers.Image
        The volumes of the movie, in 4D.
    first_frames : sequence of int
        The frame from which on each volume is shown.
    """
    from napari_animation.easing import Easing

    viewer = animation.viewer
    animation.key_frames.clear()
    before = 0
    for index in _sent_frames(movie):
        show_view(viewer, layer, movie.frame(index, checkpoint))
        viewer.dims.set_current_step(0, bisect_right(first_frames, index) - 1)
        animation.capture_keyframe(
            steps=max(index - before, 1),
            # The volumes follow each other at the speed of the movie already.
            ease=Easing.LINEAR,
            position=len(animation.key_frames) - 1,
        )
        before = index


def received_keyframes(
    animation: Any, viewer: "napari.Viewer", layer: "Image", state: LatentState
) -> list[Keyframe]:
    """Return the key frames of napari-animation as views of one volume.

    Parameters
    ----------
    animation : napari_animation.Animation
        Has the key frames.
    viewer : napari.Viewer
        Its canvas gives zooms their meaning.
    layer : napari.layers.Image
        The volume's layer.
    state : LatentState
        The volume.
    """
    from napari_animation.easing import Easing

    captured = list(animation.key_frames)
    received = []
    for one, following in zip(captured, [*captured[1:], None], strict=True):
        seen = one.viewer_state.layers.get(layer.name, {})
        low, high = seen.get("contrast_limits", layer.contrast_limits)
        even = following is None or following.ease == Easing.LINEAR
        received.append(
            Keyframe(
                state,
                camera_of(NapariCamera(**one.viewer_state.camera), viewer, layer),
                Contrast(float(low), float(high), float(seen.get("gamma", layer.gamma))),
                1 if following is None else max(following.steps, 1),
                "linear" if even else "ease-in-out",
            )
        )
    return received


def _sent_frames(movie: Movie) -> list[int]:
    sent = {movie.n_frames - 1}
    for place, keyframe in enumerate(movie.keyframes):
        parts = max(_PARTS_OF_A_TURN * abs(keyframe.turns), 1)
        start = movie.index_of(place)
        sent |= {start + keyframe.frames * part // parts for part in range(parts)}
    return sorted(sent)
