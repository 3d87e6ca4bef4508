#!/bin/sh
# Opens the image window on the folder in which this file lies.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
PATH="$PATH:$HOME/.local/bin"
status=1
if [ ! -f "$here/manifest.json" ]; then
    echo "Please unpack the zip file first, then start the copy of this file that was unpacked."
elif command -v cowgan >/dev/null 2>&1; then
    cowgan turing read "$here"
    status=$?
elif command -v uv >/dev/null 2>&1; then
    echo "The first start fetches the program, which takes some minutes. Please wait."
    uv tool run --python 3.12 --from "napari-cowgan[all]=={version}" cowgan turing read "$here"
    status=$?
else
    echo "The program is missing on this computer. Please open README.txt and follow step 3."
fi
if [ "$status" -ne 0 ] && [ -t 0 ]; then
    printf 'Press Enter to close this window.'
    read -r _
fi
exit "$status"
