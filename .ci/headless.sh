#!/usr/bin/env bash
# Run a command on a virtual screen, or as it is where windows need no X server.
set -euo pipefail
# Threads that wait for others would otherwise keep a processor core that somebody else needs.
export OMP_WAIT_POLICY=passive
[ "$(uname)" = Linux ] || exec "$@"
unset WAYLAND_DISPLAY
export QT_QPA_PLATFORM=xcb
exec xvfb-run --auto-servernum --server-args="-screen 0 1600x1000x24" "$@"
