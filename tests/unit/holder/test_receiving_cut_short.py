"""What an outage, a crash or an obstacle costs while credentials are received."""

import pytest

from tests.support.holder_peers import (
    CARD,
    LETTER,
    Issuer,
    Peers,
    unplugged,
)
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.wallet import Wallet
from wallet.ports.facts import DidUnresolvable
from wallet.ports.holder import PeerUnreachable, RedirectRefused, UrlRefused


def keys_in(store: SqliteRecordStore) -> int:
    return len(store.list("key"))


@pytest.mark.parametrize("path", ["/token", "/nonce", "/credential"])
def test_an_outage_before_a_request_costs_nothing(
    wallet: Wallet, issuer: Issuer, peers: Peers, store: SqliteRecordStore, path: str
) -> None:
    offer = issuer.offer().to_json()
    peers.before = unplugged(path)
    with pytest.raises(PeerUnreachable):
        wallet.receive(offer)
    assert (wallet.unfinished, keys_in(store)) == (1, 1)
    peers.before = lambda url: None
    (card,) = wallet.resume()
    assert wallet.credentials() == (card,)
    assert (wallet.unfinished, keys_in(store)) == (0, 1)


def test_a_crash_after_the_token_is_continued_by_receiving_the_same_offer_again(
    wallet: Wallet, issuer: Issuer, peers: Peers, store: SqliteRecordStore
) -> None:
    offer = issuer.offer(tx_code="1234").to_json()
    peers.before = unplugged("/nonce")
    with pytest.raises(PeerUnreachable):
        wallet.receive(offer, tx_code="1234")
    peers.before = lambda url: None
    assert len(wallet.receive(offer)) == 1
    assert keys_in(store) == 1


def test_a_credential_that_could_not_be_verified_yet_is_not_asked_for_twice(
    wallet: Wallet, issuer: Issuer, peers: Peers
) -> None:
    url = f"{issuer.base}/.well-known/did.json"
    document = peers.routes.pop(url)
    with pytest.raises(DidUnresolvable):
        wallet.receive(issuer.offer().to_json())
    assert (wallet.credentials(), wallet.unfinished) == ((), 1)
    peers.routes[url] = document
    assert len(wallet.resume()) == 1
    assert len(issuer.issued) == 1


def test_of_two_offered_types_the_first_stays_when_the_second_is_cut_short(
    wallet: Wallet, issuer: Issuer, peers: Peers
) -> None:
    def fail_second(url: str) -> None:
        if url.endswith("/credential") and issuer.issued:
            raise PeerUnreachable("the network is down")

    peers.before = fail_second
    with pytest.raises(PeerUnreachable):
        wallet.receive(issuer.offer(CARD, LETTER).to_json())
    assert [card.vct for card in wallet.credentials()] == [CARD]
    peers.before = lambda url: None
    assert [card.vct for card in wallet.resume()] == [LETTER]
    assert len(issuer.issued) == 2


@pytest.mark.parametrize("error", [RedirectRefused, UrlRefused, AnswerUnexpected])
def test_an_obstacle_on_the_way_is_no_verdict_on_the_offer(
    wallet: Wallet, issuer: Issuer, peers: Peers, error: type[SeoulWalletError]
) -> None:
    def obstacle(url: str) -> None:
        if url.endswith("/credential"):
            raise error("a captive portal")

    peers.before = obstacle
    with pytest.raises(error):
        wallet.receive(issuer.offer().to_json())
    assert wallet.unfinished == 1
    peers.before = lambda url: None
    assert len(wallet.resume()) == 1


def test_one_offer_that_fails_does_not_keep_another_from_being_finished(
    wallet: Wallet, issuer: Issuer, peers: Peers
) -> None:
    other = Issuer(peers, base="https://other.example")
    peers.before = unplugged("/credential")
    for offer in (issuer.offer(), other.offer()):
        with pytest.raises(PeerUnreachable):
            wallet.receive(offer.to_json())
    peers.before = unplugged(issuer.base)
    with pytest.raises(PeerUnreachable):
        wallet.resume()
    assert [card.issuer for card in wallet.credentials()] == [other.did]
    assert wallet.unfinished == 1


def test_what_was_cut_short_can_be_forgotten(
    wallet: Wallet, issuer: Issuer, peers: Peers, store: SqliteRecordStore
) -> None:
    peers.before = unplugged("/credential")
    with pytest.raises(PeerUnreachable):
        wallet.receive(issuer.offer().to_json())
    wallet.forget_unfinished()
    assert (wallet.unfinished, keys_in(store), wallet.resume()) == (0, 0, ())
