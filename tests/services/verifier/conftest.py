"""One desk per test, over a SQLite file of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.desk import Desk


@pytest.fixture
def open_desk(tmp_path: Path) -> Iterator[Callable[..., Desk]]:
    """Open a desk with changes to its configuration."""
    desks: list[Desk] = []

    def open_one(**config_changes: Any) -> Desk:
        folder = tmp_path / str(len(desks))
        folder.mkdir()
        desks.append(Desk(folder, config_changes))
        return desks[-1]

    yield open_one
    for desk in desks:
        desk.verifier.close()


@pytest.fixture
def desk(open_desk: Callable[..., Desk]) -> Desk:
    """A desk with the defaults."""
    return open_desk()
