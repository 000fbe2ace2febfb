#!/bin/sh
# Creates $VENV with uv and the pinned requirements. Needs only Python >= 3.11 with venv.
set -eu
PYTHON=${PYTHON:-python3}
VENV=${VENV:-.venv}
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    for candidate in python3.13 python3.12 python3.11; do
        if command -v "$candidate" >/dev/null 2>&1; then PYTHON=$candidate; break; fi
    done
fi
if ! "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
    echo "Seoul Wallet needs Python 3.11, 3.12 or 3.13; set PYTHON=/path/to/python and run make again." >&2
    exit 1
fi
if [ ! -x "$VENV/bin/python" ]; then
    "$PYTHON" -m venv "$VENV" || {
        echo "Python's venv module is missing (Debian: apt-get install python3-venv)." >&2
        exit 1
    }
fi
if [ ! -x "$VENV/bin/uv" ]; then
    echo "setting up $VENV (first time: about a minute) ..."
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r requirements/uv.txt
fi
VIRTUAL_ENV=$(cd "$VENV" && pwd)
export VIRTUAL_ENV
# The file is complete: what a package names beyond it is left out on purpose (tools/lock.sh).
"$VENV/bin/uv" pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
"$VENV/bin/uv" pip install --quiet --no-deps --no-build-isolation --editable .
touch "$VENV/.ready"
