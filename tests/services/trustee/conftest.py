"""One chain inside this process for every election of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.chains import LedgerStack, ledger_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[LedgerStack]:
    with ledger_stack("eth-tester") as started:
        yield started
