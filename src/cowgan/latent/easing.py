"""Easing: how the way from one key frame to the next is spread over its frames."""

import math
from collections.abc import Callable
from typing import Literal

Easing = Literal["linear", "ease-in", "ease-out", "ease-in-out", "step"]

EASINGS: dict[Easing, Callable[[float], float]] = {
    "linear": lambda t: t,
    "ease-in": lambda t: 1 - math.cos(t * math.pi / 2),
    "ease-out": lambda t: math.sin(t * math.pi / 2),
    "ease-in-out": lambda t: (1 - math.cos(t * math.pi)) / 2,
    "step": math.floor,
}
"""Share of the way by share of the time, both from 0 to 1. A step stays and then jumps."""
