"""``python -m napari_cowgan.reading [PACKAGE]`` is ``cowgan turing read [PACKAGE]``."""

import sys

from cowgan.cli import main

if __name__ == "__main__":
    sys.argv[1:1] = ["turing", "read"]
    main()
