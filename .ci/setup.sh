#!/usr/bin/env bash
# Prepare this checkout: system libraries where they are missing, and the environment .venv.
# Quick when there is nothing to do. PYTHON=... chooses the interpreter of a new .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "$*" >&2
    exit 1
}

# Debian 13 and Ubuntu 24.04 renamed some libraries to NAMEt64.
installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" "$1t64" 2>/dev/null) == *ii* ]]
}

install_system_packages() {
    local wanted=(
        xvfb xauth libgl1 libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1
        libxcb-shape0 libfontconfig1 libglib2.0-0 libdbus-1-3
    )
    local missing=() as_root=() package
    if ! command -v "${PYTHON:-python3}" >/dev/null; then
        wanted+=(python3 python3-venv)
    elif ! "${PYTHON:-python3}" -c 'import ensurepip' 2>/dev/null; then
        wanted+=(python3-venv)
    fi
    # Tests read in a real browser.
    if ! command -v chromium && ! command -v google-chrome; then
        wanted+=(chromium)
    fi >/dev/null
    for package in "${wanted[@]}"; do
        installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            fail "Please have an administrator install these packages first: ${missing[*]}"
        as_root=(sudo)
    fi
    echo "Installing system packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends -qq "${missing[@]}" >/dev/null
}

if command -v apt-get >/dev/null; then
    install_system_packages
elif [ "$(uname)" = Linux ] && ! command -v xvfb-run >/dev/null; then
    fail "Please install xvfb-run and the X11, OpenGL and EGL libraries of Qt 6 first."
fi

fingerprint=$(cat setup.cfg .ci/constraints.txt .ci/setup.sh | cksum)
if [ "$(cat .venv/.ready 2>/dev/null)" = "$fingerprint" ]; then
    exit 0
fi

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    python=${PYTHON:-python3}
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        fail "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python."
    "$python" -m venv --clear .venv
fi
echo "Installing napari-cowgan into .venv (several minutes the first time)"
.venv/bin/python -m pip install --quiet --constraint .ci/constraints.txt --editable '.[dev]'
echo "$fingerprint" >.venv/.ready
