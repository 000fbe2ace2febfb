"""Each flow of OpenID4VCI as it goes over the wire, against the transcript that is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from tests.support.holder_stores import create_store
from tests.support.issuer_network import IssuerNetwork
from tests.support.issuing import IssuerWorld, issuer_world
from tests.support.transcripts import check_transcript
from tests.unit.holder.test_receiving_flows import decide, offer, through_the_browser
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.receive import IssuancePending
from wallet.holder.wallet import Wallet

APP = ClientIdentity()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    policy = ClientPolicy(clients=(Client(APP.client_id, (APP.redirect_uri,)),))
    built = issuer_world(tmp_path, settings=ServiceSettings(clients=policy))
    yield built
    built.close()


@pytest.fixture
def network(world: IssuerWorld) -> IssuerNetwork:
    return IssuerNetwork(world)


@pytest.fixture
def wallet(tmp_path: Path, network: IssuerNetwork) -> Iterator[Wallet]:
    with create_store(tmp_path / "wallet.db") as store:
        yield Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=network,
            dids=network,
            clock=network.world.clock,
            max_copies=2,
        )


def test_pre_authorized_code_with_transaction_code(
    wallet: Wallet, world: IssuerWorld, network: IssuerNetwork
) -> None:
    made = world.operate(
        "/offers", {"family_id": "SYN-F-1", "holder_id": "SYN-P-1", "tx_code": True}
    ).get_json()
    wallet.receive(made["link"], tx_code=made["tx_code"])
    check_transcript("pre_authorized_code", network.messages)


def test_authorization_code(wallet: Wallet, world: IssuerWorld, network: IssuerNetwork) -> None:
    url = wallet.authorize(offer(world, by_authorization=True))
    wallet.finish_authorization(through_the_browser(world, url))
    check_transcript("authorization_code", network.messages)


def test_deferred(wallet: Wallet, world: IssuerWorld, network: IssuerNetwork) -> None:
    with pytest.raises(IssuancePending):
        wallet.receive(offer(world, hold=True))
    wallet.resume()
    decide(world, "approve")
    wallet.resume()
    check_transcript("deferred", network.messages)


def test_renewal(wallet: Wallet, world: IssuerWorld, network: IssuerNetwork) -> None:
    (card,) = wallet.receive(offer(world))
    network.messages.clear()
    assert wallet.top_up(card.id, below=10) == 2
    check_transcript("renewal", network.messages)
