"""Measured times of the blocks of a network."""


class BlockTimes:
    """How long each block takes on this device.

    Parameters
    ----------
    n_blocks : int
        Number of blocks.

    Attributes
    ----------
    seconds : list of float or None
        Time of each block; None if it has not been measured.
    """

    def __init__(self, n_blocks: int) -> None:
        self.seconds: list[float | None] = [None] * n_blocks

    def track(self, block: int, seconds: float) -> None:
        """Track a block's time: down at once, up slowly, as a single slow run is an outlier."""
        known = self.seconds[block]
        smoothed = seconds if known is None else 0.7 * known + 0.3 * seconds
        self.seconds[block] = min(seconds, smoothed)

    def finest_block(self, first: int, budget_s: float) -> int:
        """Return the finest block that is reached in time, starting with block `first`.

        That is at least `first` itself, however long it takes.
        """
        spent = 0.0
        for block in range(first, len(self.seconds)):
            # An unmeasured block counts as twice the one before: each has 2-8 times its voxels.
            known = self.seconds[block]
            before = self.seconds[block - 1] if block else None
            spent += known if known is not None else 2 * (before or 0.0)
            if spent > budget_s:
                return max(block - 1, first)
        return len(self.seconds) - 1
