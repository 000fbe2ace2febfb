"""One town for all logins: everyone brings a wallet of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.login_town import EMPLOYER, WORKER, LoginTown
from wallet.holder.cards import Card
from wallet.holder.wallet import Wallet


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoginTown]:
    made = LoginTown(tmp_path_factory.mktemp("town"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def worker(town: LoginTown) -> tuple[Wallet, Card]:
    return town.wallet_of(WORKER, "worker")


@pytest.fixture(scope="session")
def employer(town: LoginTown) -> tuple[Wallet, Card]:
    return town.wallet_of(EMPLOYER, "employer")
