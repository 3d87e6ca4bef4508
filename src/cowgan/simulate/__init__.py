"""Simulated TOF MRA, and phantoms of the Circle of Willis whose truth is known."""

from cowgan.simulate.parameters import RANGES, TofParameters
from cowgan.simulate.tof import simulate_tof

__all__ = ["RANGES", "TofParameters", "simulate_tof"]
