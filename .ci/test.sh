#!/usr/bin/env bash
# Run the tests but the long proofs, in two processes unless told otherwise (`-n 0`: in one).
set -euo pipefail
cd "$(dirname "$0")/.."
# Files stay whole, since tests of one file share what is costly to make.
exec .ci/headless.sh .venv/bin/python -X warn_default_encoding .venv/bin/pytest \
    -m "not slow" --benchmark-disable -n 2 --dist loadfile "$@"
