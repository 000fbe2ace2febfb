"""The issuer that the tests of this folder talk to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.issuing import IssuerWorld, issuer_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    """A fresh issuer over SQLite."""
    built = issuer_world(tmp_path)
    yield built
    built.close()
