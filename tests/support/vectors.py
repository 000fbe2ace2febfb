"""Where the published test vectors are; they are never copied into this repository."""

import os
from pathlib import Path

import pytest

DEFAULT = Path(__file__).resolve().parents[3] / "shared" / "vectors"


def vector_folder(name: str) -> Path:
    """Return a folder of published vectors, or skip the test and say what was left out."""
    folder = Path(os.environ.get("SEOUL_WALLET_VECTORS", DEFAULT)) / name
    if not folder.is_dir():
        pytest.skip(f"needs vectors: {name} (set SEOUL_WALLET_VECTORS)")
    return folder
