"""``python -m cowgan.cli`` is the ``cowgan`` command."""

from cowgan.cli import main

main()
