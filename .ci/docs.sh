#!/usr/bin/env bash
# Build the documentation into the plugin, where packages take it from. A broken link or anchor, a
# page outside the navigation and whatever would need a network are errors.
set -euo pipefail
cd "$(dirname "$0")/.."
# A notice of the theme about its successor.
export NO_MKDOCS_2_WARNING=1
exec .venv/bin/mkdocs build --strict
