"""npm @sd-jwt/sd-jwt-vc under Node.js, as a peer."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from wallet.encoding.json import JsonObject

FOLDER = Path(__file__).resolve().parents[1] / "interop"


def sd_jwt_js(request: dict[str, Any]) -> JsonObject:
    """Run one action of the peer; skips without Node.js and the package."""
    if shutil.which("node") is None or not (FOLDER / "node_modules" / "@sd-jwt").is_dir():
        pytest.skip("needs node: @sd-jwt/sd-jwt-vc from npm")
    done = subprocess.run(
        ["node", str(FOLDER / "sd_jwt_js.mjs")],
        input=json.dumps(request).encode(),
        capture_output=True,
        check=True,
        timeout=110,
    )
    answer: JsonObject = json.loads(done.stdout)
    return answer
