#!/bin/sh
# Slither over the contracts, in an environment of its own (it needs another web3 than the wallet).
#
#   sh tools/slither.sh              set up what is missing, compile, analyse; fails on any finding
#   sh tools/slither.sh --setup      only set up .cache/slither
#   sh tools/slither.sh DIRECTORY    another forge project than contracts/
#
# What is switched off, and why: contracts/slither.md.
set -eu
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
home=.cache/slither
stamp=$home/.ready

if [ ! -f "$stamp" ] || [ requirements/slither.txt -nt "$stamp" ]; then
    "$uv" venv --quiet --clear --python "${PYTHON:-.venv/bin/python}" "$home"
    VIRTUAL_ENV=$(pwd)/$home "$uv" pip install --quiet --require-hashes -r requirements/slither.txt
    touch "$stamp"
fi
[ "${1:-}" = "--setup" ] && exit 0

slither=$(pwd)/$home/bin/slither
# A build of its own: the one of the tests holds the tests too, and builds from before.
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
where=$(node contracts/forge.mjs --where)
PATH=$where:$PATH # slither asks forge for its settings
export PATH
cd "${1:-contracts}"
forge build src --offline --build-info --out "$build/out" --cache-path "$build/cache" >"$build/log" 2>&1 ||
    { cat "$build/log" >&2; exit 1; }
"$slither" . --ignore-compile --foundry-out-directory "$build/out" --config-file slither.config.json
