"""Memory that torch's allocator really gave."""

import json
from collections.abc import Callable
from pathlib import Path

from torch.profiler import ProfilerActivity, profile


def allocated_peak(work: Callable[[], None], folder: Path) -> int:
    """Return the peak of the bytes that torch allocated on the CPU while `work` ran."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        work()
    profiled.export_chrome_trace(str(folder / "trace.json"))
    events = json.loads((folder / "trace.json").read_text(encoding="utf-8"))["traceEvents"]
    given = [event for event in events if event.get("name") == "[memory]"]
    taken = peak = 0
    for event in sorted(given, key=lambda event: event["ts"]):
        taken += event["args"]["Bytes"]
        peak = max(peak, taken)
    return peak
