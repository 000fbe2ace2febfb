"""A wallet against a real issuer: authorization code, DPoP, copies, deferral, renewal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from issuer.authorization.clients import Client, ClientPolicy
from issuer.offers import OfferLimits
from issuer.parts import ServiceSettings
from tests.support.holder_stores import create_store
from tests.support.issuer_network import IssuerNetwork
from tests.support.issuing import ALICE, BOB, FAMILY, HOLDER, IssuerWorld, issuer_world, key_of
from tests.support.oid4vci_wallet import CARD, PROVIDER, TestWallet
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.holder.authorize import AuthorizationUnknown
from wallet.holder.client_identity import ClientIdentity
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.issuers import UnsupportedOffer
from wallet.holder.receive import IssuancePending
from wallet.holder.renewals import NotRenewable
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable
from wallet.protocols.oid4vci.authorization import AnswerNotOurs, AuthorizationDenied
from wallet.protocols.oid4vci.client_attestation import (
    TrustedProviders,
    build_client_attestation,
)

CLIENT = ClientIdentity(
    "https://wallet.example",
    "kr.go.seoul.wallet:/authorized",
    build_client_attestation(
        key_of("wallet provider"),
        key_of("wallet instance").public_key,
        issuer=PROVIDER,
        client_id="https://wallet.example",
        expires_at=2_000_000_000,
    ),
    key_of("wallet instance"),
)
POLICY = ClientPolicy(
    clients=(Client(CLIENT.client_id, (CLIENT.redirect_uri,), "합성 지갑"),),
    providers=TrustedProviders({PROVIDER: key_of("wallet provider").public_key}),
    attestation_required=True,
    dpop_required=True,
)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    settings = ServiceSettings(clients=POLICY, offers=OfferLimits(token_ttl_s=600))
    built = issuer_world(tmp_path, settings=settings)
    yield built
    built.close()


@pytest.fixture
def network(world: IssuerWorld) -> IssuerNetwork:
    return IssuerNetwork(world)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRecordStore]:
    with create_store(tmp_path / "wallet.db") as opened:
        yield opened


@pytest.fixture
def wallet(store: SqliteRecordStore, network: IssuerNetwork) -> Wallet:
    return Wallet(
        records=store,
        keys=SoftwareKeyStore(store),
        transport=network,
        dids=network,
        clock=network.world.clock,
        client=CLIENT,
    )


def keys_in(store: SqliteRecordStore) -> int:
    return len(store.list("key"))


def offer(world: IssuerWorld, **changes: Any) -> str:
    body = {
        "configuration_id": CARD,
        "subject_id": FAMILY,
        "holder_id": HOLDER,
        "tx_code": False,
        **changes,
    }
    made = world.operate("/credential-offers", body)
    assert made.status_code == 201, made.text
    link: str = made.get_json()["link"]
    return link


def through_the_browser(world: IssuerWorld, url: str, decision: str = "allow") -> str:
    """Log in and decide; return where the browser ends up."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    hand = TestWallet(world, client_id=query["client_id"], redirect_uri=CLIENT.redirect_uri)
    browser, page = hand.open(query["request_uri"])
    done = hand.consent(browser, hand.log_in(browser, page), decision)
    location: str = done.headers["Location"]
    return location


def decide(world: IssuerWorld, decision: str) -> None:
    headers = {"Authorization": f"Bearer {ALICE}"}
    listed = world.client.get("/operator/approvals", headers=headers).get_json()["approvals"]
    (waiting,) = listed
    path = f"/approvals/{waiting['approval_id']}/{decision}"
    assert world.operate(path, {}).status_code == 422  # alice holds it herself
    assert world.operate(path, {}, token=BOB).status_code == 200


def test_receives_copies_on_different_keys_indexes_and_salts(
    wallet: Wallet, world: IssuerWorld, store: SqliteRecordStore, network: IssuerNetwork
) -> None:
    (card,) = wallet.receive(offer(world))
    assert wallet.copies(card.id) == 3
    assert keys_in(store) == 5  # four copies, and the key of the tokens
    assert card.claims["child_count"] == 2
    records = [store.get("credential", card.id), *store.list("credential_copy")]
    tokens = {str(record.payload) for record in records}
    assert len(tokens) == 4
    told = network.paths().index("/notification")
    assert network.messages[told].status == 204
    # After that nothing but what describes the card to people.
    assert all(path.startswith("/types/") for path in network.paths()[told + 1 :])
    # Requests and answers with credentials in them are encrypted.
    asked = [m for m in network.messages if urlsplit(m.url).path == "/credential"]
    assert asked[-1].headers["Content-Type"] == "application/jwt"
    assert asked[-1].answer_headers["content-type"] == "application/jwt"
    assert b"credentials" not in asked[-1].answer


def test_a_wallet_that_wants_no_copies_gets_one(
    store: SqliteRecordStore, network: IssuerNetwork
) -> None:
    single = Wallet(
        records=store,
        keys=SoftwareKeyStore(store),
        transport=network,
        dids=network,
        clock=network.world.clock,
        max_copies=1,
    )
    (card,) = single.receive(offer(network.world))
    assert single.copies(card.id) == 0


def test_authorizes_in_the_browser(wallet: Wallet, world: IssuerWorld) -> None:
    url = wallet.authorize(offer(world, by_authorization=True))
    assert url.startswith(f"{world.base_url}/authorize?client_id=")
    (card,) = wallet.finish_authorization(through_the_browser(world, url))
    assert card.claims["child_count"] == 2
    assert wallet.unfinished == 0
    with pytest.raises(AuthorizationUnknown):
        wallet.finish_authorization(through_the_browser_again(card.id))


def through_the_browser_again(state: str) -> str:
    return f"{CLIENT.redirect_uri}?code=x&state={state}&iss=https%3A%2F%2Fissuer.example"


def test_a_refusal_in_the_browser_ends_it(
    wallet: Wallet, world: IssuerWorld, store: SqliteRecordStore
) -> None:
    url = wallet.authorize(offer(world, by_authorization=True))
    with pytest.raises(AuthorizationDenied) as caught:
        wallet.finish_authorization(through_the_browser(world, url, "deny"))
    assert caught.value.error == "access_denied"
    assert (wallet.unfinished, keys_in(store)) == (0, 0)


@pytest.mark.parametrize(
    "iss", ["", "https%3A%2F%2Fevil.example", "https%3A%2F%2Fissuer.example%2F"]
)
def test_aborts_an_answer_of_another_server(
    wallet: Wallet, world: IssuerWorld, network: IssuerNetwork, iss: str
) -> None:
    url = wallet.authorize(offer(world, by_authorization=True))
    came_back = through_the_browser(world, url)
    head, _, _ = came_back.partition("&iss=")
    asked = len(network.messages)
    with pytest.raises(AnswerNotOurs):
        wallet.finish_authorization(f"{head}&iss={iss}" if iss else head)
    assert len(network.messages) == asked  # the code went nowhere
    assert wallet.unfinished == 0


def test_an_answer_to_another_request_is_none_of_ours(wallet: Wallet, world: IssuerWorld) -> None:
    wallet.authorize(offer(world, by_authorization=True))
    with pytest.raises(AuthorizationUnknown):
        wallet.finish_authorization(through_the_browser_again("another"))


def test_an_authorization_offer_is_not_received_without_a_browser(
    wallet: Wallet, world: IssuerWorld
) -> None:
    with pytest.raises(UnsupportedOffer):
        wallet.receive(offer(world, by_authorization=True))


def test_waits_for_the_second_person(wallet: Wallet, world: IssuerWorld) -> None:
    link = offer(world, hold=True)
    with pytest.raises(IssuancePending) as caught:
        wallet.receive(link)
    assert caught.value.interval_s == 60
    assert wallet.resume() == ()
    assert wallet.unfinished == 1
    world.clock.set(world.clock.now() + 3 * 24 * 3600)
    decide(world, "approve")
    (card,) = wallet.resume()
    assert card.claims["child_count"] == 2
    assert (wallet.copies(card.id), wallet.unfinished) == (3, 0)
    assert wallet.resume() == ()


def test_a_refused_issuance_leaves_nothing(
    wallet: Wallet, world: IssuerWorld, store: SqliteRecordStore
) -> None:
    with pytest.raises(IssuancePending):
        wallet.receive(offer(world, hold=True))
    decide(world, "refuse")
    with pytest.raises(OfferRefused) as caught:
        wallet.resume()
    assert caught.value.error == "credential_request_denied"
    assert (wallet.unfinished, keys_in(store)) == (0, 0)


def test_tops_up_when_copies_run_low(
    wallet: Wallet, world: IssuerWorld, store: SqliteRecordStore
) -> None:
    (card,) = wallet.receive(offer(world))
    assert wallet.top_up(card.id) == 0
    assert wallet.top_up(card.id, below=10) == 4
    assert wallet.copies(card.id) == 7
    assert wallet.top_up(card.id, below=10) == 4  # with the token that the last one gave
    issued = world.operate("/issuances/search", {"subject_id": FAMILY}).get_json()["issuances"]
    assert len(issued) == 12
    assert keys_in(store) == 13


def test_renews_a_card_on_a_new_key(wallet: Wallet, world: IssuerWorld) -> None:
    (card,) = wallet.receive(offer(world))
    renewed = wallet.renew(card.id)
    assert renewed.id == card.id
    assert renewed.claims == card.claims


def test_a_revoked_grant_renews_nothing(wallet: Wallet, world: IssuerWorld) -> None:
    (card,) = wallet.receive(offer(world))
    world.clock.set(world.clock.now() + 181 * 24 * 3600)
    with pytest.raises(NotRenewable):
        wallet.top_up(card.id, below=10)
    with pytest.raises(NotRenewable):
        wallet.top_up(card.id, below=10)


def test_an_outage_while_topping_up_costs_no_copy(
    wallet: Wallet, world: IssuerWorld, network: IssuerNetwork, store: SqliteRecordStore
) -> None:
    (card,) = wallet.receive(offer(world))
    network.down = {"/nonce"}
    with pytest.raises(PeerUnreachable):
        wallet.top_up(card.id, below=10)
    network.down = set()
    assert wallet.copies(card.id) == 3
    assert wallet.top_up(card.id, below=10) == 4


def test_removing_a_card_removes_its_copies_and_keys(
    wallet: Wallet, world: IssuerWorld, store: SqliteRecordStore
) -> None:
    (card,) = wallet.receive(offer(world))
    wallet.remove(card.id)
    assert keys_in(store) == 0
    assert [store.list(kind) for kind in ("credential_copy", "issuer_grant")] == [[], []]
