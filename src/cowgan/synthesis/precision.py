"""Choice of device and number format."""

import time
from functools import cache
from typing import Literal

import torch
from torch.nn import functional

from cowgan.errors import CowganError

Precision = Literal["fast", "exact"]


def choose_device(name: str) -> torch.device:
    """Return the device called `name`; ``"auto"`` takes CUDA, else Apple's GPU, else the CPU.

    Raises
    ------
    CowganError
        This computer has no such device.
    """
    available = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in available.items() if there))
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CowganError(f"There is no device called {name!r}.", str(error)) from error
    if not available.get(device.type, False) or (
        device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()
    ):
        raise CowganError(f"The device {name!r} is not available on this computer.")
    return device


def choose_dtype(device: torch.device, precision: Precision) -> torch.dtype:
    """Return the number format of convolutions: float32 if exact, else the fastest that is safe."""
    if precision == "exact" or device.type == "mps":
        return torch.float32
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported(False) else torch.float16
    return torch.bfloat16 if _cpu_is_faster_in_bfloat16() else torch.float32


@cache
def _cpu_is_faster_in_bfloat16() -> bool:
    """Time convolutions in both formats, as no flag distinguishes emulated bfloat16.

    The first one is so small that even an emulation a hundred times slower ends at once.
    """
    return _slowdown_in_bfloat16(4, 8, 8) < 5 and _slowdown_in_bfloat16(16, 32, 32) < 1


def _slowdown_in_bfloat16(*size: int) -> float:
    """Return the time of a convolution in bfloat16 as a multiple of that in float32."""
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.ones(1, 32, *size, dtype=dtype)
        x = x.contiguous(memory_format=torch.channels_last_3d)
        weight = torch.ones(32, 32, 3, 3, 3, dtype=dtype)
        runs = []
        with torch.inference_mode():
            for _ in range(4):
                start = time.perf_counter()
                functional.conv3d(x, weight, padding=1)
                runs.append(time.perf_counter() - start)
        seconds[dtype] = min(runs)
    return seconds[torch.bfloat16] / seconds[torch.float32]
