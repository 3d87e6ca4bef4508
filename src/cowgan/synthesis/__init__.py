"""Latent states, and the renderer of their volumes."""

from cowgan.synthesis.direction import Direction
from cowgan.synthesis.export import ExportedVolume, export_path, export_volumes
from cowgan.synthesis.interpolation import between_seeds, between_states, slerp
from cowgan.synthesis.noise_map import NoiseMap
from cowgan.synthesis.state import BlockMix, Edit, LatentState, NoiseShare, TruncationCentre
from cowgan.synthesis.styles import latent, style, styles
from cowgan.synthesis.synthesizer import FRAME_BUDGET_S, Synthesizer

__all__ = [
    "FRAME_BUDGET_S",
    "BlockMix",
    "Direction",
    "Edit",
    "ExportedVolume",
    "LatentState",
    "NoiseMap",
    "NoiseShare",
    "Synthesizer",
    "TruncationCentre",
    "between_seeds",
    "between_states",
    "export_path",
    "export_volumes",
    "latent",
    "slerp",
    "style",
    "styles",
]
