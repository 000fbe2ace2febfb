#!/bin/sh
# npm packages for the contracts, the anvil node and the interop peers.
# A machine without Node >= 20 goes on without: the tests name what they leave out.
set -eu
major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\).*/\1/p')
if [ -z "$major" ] || [ "$major" -lt 20 ] || ! command -v npm >/dev/null 2>&1; then
    echo "Node >= 20 with npm is not here: what needs it will be named as left out."
    exit 0
fi
for folder in contracts tests/interop; do
    [ -f "$folder/package-lock.json" ] || continue
    stamp="$folder/node_modules/.installed"
    if [ ! -f "$stamp" ] || [ "$folder/package-lock.json" -nt "$stamp" ]; then
        (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
        touch "$stamp"
    fi
done
