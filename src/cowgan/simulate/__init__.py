"""Simulated TOF MRA, and phantoms of the Circle of Willis whose truth is known."""

from cowgan.simulate.parameters import RANGES, TofParameters
from cowgan.simulate.phantom import Anatomy, ArteryTruth, PhantomTruth, make_anatomy, make_phantom
from cowgan.simulate.tof import simulate_tof
from cowgan.simulate.variants import FREQUENCIES

__all__ = [
    "FREQUENCIES",
    "RANGES",
    "Anatomy",
    "ArteryTruth",
    "PhantomTruth",
    "TofParameters",
    "make_anatomy",
    "make_phantom",
    "simulate_tof",
]
