#!/bin/sh
# Renews the requirement files. No index is named in them, so any mirror serves.
set -eu
uv=.venv/bin/uv
"$uv" pip compile --quiet --upgrade --generate-hashes --no-emit-index-url requirements/uv.in -o requirements/uv.txt
"$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    pyproject.toml -o requirements/runtime.txt
# pabutools names the proprietary gurobipy and does without it for the rules that the tests compare.
"$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    --no-emit-package gurobipy pyproject.toml --group dev -o requirements/dev.txt
# Slither lives in an environment of its own: tools/slither.sh.
"$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    requirements/slither.in -o requirements/slither.txt
