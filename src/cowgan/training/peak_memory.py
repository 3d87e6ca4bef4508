"""The largest memory of this process so far."""

import torch


def peak_memory_mb(device: torch.device) -> int:
    """Return the largest memory of this process on a device so far; 0 if unknown."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) >> 20
    try:
        import resource
    except ImportError:  # Windows has no such counter in the standard library.
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
