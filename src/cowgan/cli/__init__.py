"""The ``cowgan`` command: a thin door to each room of the engine."""

from cowgan.cli.app import main

__all__ = ["main"]
