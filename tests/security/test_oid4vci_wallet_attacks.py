"""Attacks on a wallet that receives: strangers' offers, metadata and answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.holder_peers import Issuer, Peers, json_of
from tests.support.holder_stores import create_store
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError
from wallet.holder.issuers import OfferNotTrusted
from wallet.holder.receive import TxCodeNeeded
from wallet.holder.wallet import Wallet
from wallet.ports.holder import HttpAnswer, RedirectRefused, UrlRefused
from wallet.protocols.oid4vci.authorization import (
    AnswerNotOurs,
    AuthorizationDenied,
    parse_authorization_answer,
)
from wallet.protocols.oid4vci.offer import build_offer_link
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed

REDIRECT_URI = "https://wallet.example/authorized"
ISSUER = "https://issuer.example"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteRecordStore]:
    with create_store(tmp_path / "wallet.db") as opened:
        yield opened


@pytest.fixture
def peers() -> Peers:
    return Peers()


@pytest.fixture
def issuer(peers: Peers) -> Issuer:
    return Issuer(peers)


def wallet_over(store: SqliteRecordStore, peers: Peers, transport: Any = None) -> Wallet:
    return Wallet(
        records=store,
        keys=SoftwareKeyStore(store),
        transport=transport or peers,
        dids=peers,
        clock=peers.clock,
        trusted_issuers=frozenset((ISSUER,)),
    )


def answer(**members: str | None) -> str:
    merged = {"code": "c", "state": "s", "iss": ISSUER, **members}
    query = "&".join(f"{k}={quote(v, safe='')}" for k, v in merged.items() if v is not None)
    return f"{REDIRECT_URI}?{query}"


def read(url: str, *, iss_promised: bool = True) -> str:
    return parse_authorization_answer(
        url, redirect_uri=REDIRECT_URI, state="s", issuer=ISSUER, iss_promised=iss_promised
    )


def test_vci_15_reads_the_answer_of_the_server_that_was_asked() -> None:
    assert read(answer()) == "c"
    assert read(answer(iss=None), iss_promised=False) == "c"


@pytest.mark.parametrize(
    "url",
    [
        answer(iss=None),
        answer(iss="https://evil.example"),
        answer(iss=f"{ISSUER}/"),
        answer(iss="https://ISSUER.example"),
        answer(iss=None, error="access_denied"),
        answer(iss="https://evil.example", error="access_denied"),
        answer() + "&iss=https%3A%2F%2Fevil.example",
        answer() + "&code=d",
        answer(state="t"),
        answer(state=None),
        answer() + "#x",
        answer().replace("wallet.example", "evil.example"),
        answer().replace("authorized", "authorized/x"),
    ],
)
def test_vci_15_aborts_on_an_answer_of_another_server_or_request(url: str) -> None:
    with pytest.raises(AnswerNotOurs):
        read(url)


def test_vci_15_an_error_of_the_right_server_is_its_refusal() -> None:
    with pytest.raises(AuthorizationDenied) as caught:
        read(answer(code=None, error="access_denied"))
    assert caught.value.error == "access_denied"
    with pytest.raises(Oid4vciMessageMalformed):
        read(answer(code=None))


def link(uri: str) -> str:
    return f"openid-credential-offer://?credential_offer_uri={quote(uri, safe='')}"


@pytest.mark.parametrize(
    "uri",
    [
        "http://issuer.example/offers/1",
        "http://localhost/offers/1",
        "javascript:alert(1)",
        "data:application/json,{}",
        "file:///etc/passwd",
        "ftp://issuer.example/1",
        "https://user@issuer.example/1",
        "https://issuer.example/1#x",
        "//issuer.example/1",
        "",
    ],
)
def test_vci_16_refuses_an_offer_uri_before_it_fetches(
    store: SqliteRecordStore, peers: Peers, uri: str
) -> None:
    with pytest.raises(SeoulWalletError):
        wallet_over(store, peers).receive(link(uri))
    assert peers.sent == []


def test_vci_16_refuses_an_offer_by_value_and_by_reference_at_once(
    store: SqliteRecordStore, peers: Peers, issuer: Issuer
) -> None:
    both = build_offer_link(issuer.offer()) + "&credential_offer_uri=https%3A%2F%2Fevil.example"
    with pytest.raises(Oid4vciMessageMalformed):
        wallet_over(store, peers).receive(both)
    assert peers.sent == []


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "127.0.0.1", "169.254.169.254", "192.168.0.1", "[::1]", "[fd00::1]", "0.0.0.0",
     "[::ffff:10.0.0.1]", "localhost"],
)  # fmt: skip
@pytest.mark.loopback
def test_vci_16_visits_no_private_address(
    store: SqliteRecordStore, peers: Peers, host: str
) -> None:
    # The real client. Sockets to other machines are forbidden in tests.
    real = HttpHolderTransport(GuardedClient())
    with pytest.raises(UrlRefused):
        wallet_over(store, peers, real).receive(link(f"https://{host}/offers/1"))


def test_vci_16_takes_no_offer_of_five_megabytes_and_follows_no_redirect(
    store: SqliteRecordStore, peers: Peers, issuer: Issuer
) -> None:
    uri = f"{ISSUER}/offers/1"
    huge = to_json({**issuer.offer().to_json(), "x": "y" * 5_000_000})
    peers.routes[uri] = lambda *_: HttpAnswer(200, "application/json", huge)
    with pytest.raises(SeoulWalletError):
        wallet_over(store, peers).receive(link(uri))

    def redirect(*_: Any) -> HttpAnswer:
        raise RedirectRefused("the answer was a redirect (302)")

    peers.routes[uri] = redirect
    with pytest.raises(RedirectRefused):
        wallet_over(store, peers).receive(link(uri))
    assert [url for url in peers.urls() if url != uri] == []


def test_vci_17_asks_an_untrusted_issuer_nothing_and_for_no_transaction_code(
    store: SqliteRecordStore, peers: Peers
) -> None:
    stranger = Issuer(peers, base="https://stranger.example")
    offer = stranger.offer(tx_code="493536").to_json()
    with pytest.raises(OfferNotTrusted):
        wallet_over(store, peers).receive(offer)
    assert peers.sent == []


def test_vci_17_refuses_metadata_of_another_issuer_before_the_transaction_code(
    store: SqliteRecordStore, peers: Peers, issuer: Issuer
) -> None:
    offer = issuer.offer(tx_code="493536").to_json()
    with pytest.raises(TxCodeNeeded):
        wallet_over(store, peers).receive(offer)
    for changes in (
        {"credential_issuer": "https://evil.example"},
        {"credential_issuer": f"{ISSUER}/"},
    ):
        metadata = {**issuer.metadata(), **changes}
        where = f"{ISSUER}/.well-known/openid-credential-issuer"
        peers.routes[where] = lambda *_, told=metadata: json_of(told)
        with pytest.raises(OfferNotTrusted):
            wallet_over(store, peers).receive(offer)
    assert f"{ISSUER}/token" not in peers.urls()
