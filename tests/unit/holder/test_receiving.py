"""Receiving credentials: from whom, what, and what a crash may cost."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.holder_peers import (
    CARD,
    CLAIMS,
    LETTER,
    NOW,
    FixedClock,
    Issuer,
    Peers,
    json_of,
    unplugged,
)
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.cards import CardUnknown, ReceiptState
from wallet.holder.issuers import OfferNotTrusted, UnsupportedOffer
from wallet.holder.receive import CredentialNotAsOffered, OfferRefused, TxCodeNeeded
from wallet.holder.wallet import Wallet
from wallet.ports.facts import DidUnresolvable
from wallet.ports.holder import PeerUnreachable, RedirectRefused, UrlRefused
from wallet.protocols.oid4vci.offer import (
    CredentialOfferReference,
    build_offer_link,
)
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed
from wallet.verification.proof_steps import CredentialExpired, TypeNotAccepted


def keys_in(store: SqliteRecordStore) -> int:
    return len(store.list("key"))


def test_receives_what_is_offered_and_shows_it_as_a_card(wallet: Wallet, issuer: Issuer) -> None:
    (card,) = wallet.receive(build_offer_link(issuer.offer()))
    assert (card.vct, card.issuer, card.credential_issuer) == (CARD, issuer.did, issuer.base)
    assert (card.name("ko"), card.name("en")) == ("다둥이 행복카드", "Multi-child family card")
    assert card.issuer_name("ko") == "서울특별시 (가상)"
    assert card.claims == dict(CLAIMS)
    assert card.receipt_state is ReceiptState.PENDING
    assert card.is_valid_at(NOW)
    assert not card.is_valid_at(NOW + 86400)
    assert wallet.credentials() == (card,)
    assert wallet.card(card.id) == card
    assert [(line.label, line.value) for line in card.lines("ko")] == [
        ("성명", "김하늘"),
        ("주소 / district", "마포구"),
        ("주소 / street", "월드컵북로 21"),
        ("birth_date", "1988-03-14"),
        ("children", "3"),
    ]


def test_receives_an_offer_by_value_by_reference_and_as_an_object(
    wallet: Wallet, issuer: Issuer, peers: Peers
) -> None:
    offer = issuer.offer()
    peers.routes["https://issuer.example/offers/1"] = lambda *_: json_of(offer.to_json())
    link = build_offer_link(CredentialOfferReference("https://issuer.example/offers/1"))
    assert len(wallet.receive(link)) == 1
    assert len(wallet.receive(issuer.offer().to_json())) == 1
    assert len(wallet.credentials()) == 2


def test_binds_every_credential_to_a_key_of_its_own(
    wallet: Wallet, issuer: Issuer, store: SqliteRecordStore
) -> None:
    wallet.receive(issuer.offer(CARD, LETTER).to_json())
    wallet.receive(issuer.offer().to_json())
    assert keys_in(store) == len(wallet.credentials()) == 3


def test_deletes_the_key_with_the_card(
    wallet: Wallet, issuer: Issuer, store: SqliteRecordStore
) -> None:
    first, second = wallet.receive(issuer.offer(CARD, LETTER).to_json())
    wallet.remove(first.id)
    assert wallet.credentials() == (second,)
    assert keys_in(store) == 1
    with pytest.raises(CardUnknown):
        wallet.remove(first.id)
    with pytest.raises(CardUnknown):
        wallet.card(first.id)


def test_asks_for_the_transaction_code_and_uses_it(wallet: Wallet, issuer: Issuer) -> None:
    offer = issuer.offer(tx_code="493536").to_json()
    with pytest.raises(TxCodeNeeded):
        wallet.receive(offer)
    assert wallet.unfinished == 0
    (card,) = wallet.receive(offer, tx_code="493536")
    assert card.vct == CARD


def test_reports_a_wrong_transaction_code_and_leaves_nothing_behind(
    wallet: Wallet, issuer: Issuer, store: SqliteRecordStore
) -> None:
    offer = issuer.offer(tx_code="493536").to_json()
    with pytest.raises(OfferRefused) as caught:
        wallet.receive(offer, tx_code="000000")
    assert caught.value.error == "invalid_grant"
    assert (keys_in(store), wallet.unfinished, wallet.credentials()) == (0, 0, ())
    assert len(wallet.receive(offer, tx_code="493536")) == 1


def test_refuses_an_offer_that_was_used(wallet: Wallet, issuer: Issuer) -> None:
    offer = issuer.offer().to_json()
    wallet.receive(offer)
    with pytest.raises(OfferRefused):
        wallet.receive(offer)
    assert len(wallet.credentials()) == 1


class TestWhomToTrust:
    @pytest.mark.parametrize("trusted", [frozenset(), frozenset(("https://other.example",))])
    def test_asks_an_issuer_that_is_not_on_the_list_nothing_at_all(
        self,
        trusted: frozenset[str],
        store: SqliteRecordStore,
        peers: Peers,
        issuer: Issuer,
        clock: FixedClock,
    ) -> None:
        wallet = self.wallet(trusted, store, peers, clock)
        with pytest.raises(OfferNotTrusted):
            wallet.receive(issuer.offer(tx_code="1234").to_json())
        assert peers.sent == []

    def test_takes_from_an_issuer_on_the_list(
        self, store: SqliteRecordStore, peers: Peers, issuer: Issuer, clock: FixedClock
    ) -> None:
        wallet = self.wallet(frozenset((issuer.base,)), store, peers, clock)
        assert len(wallet.receive(issuer.offer().to_json())) == 1

    def wallet(
        self,
        trusted: frozenset[str],
        store: SqliteRecordStore,
        peers: Peers,
        clock: FixedClock,
    ) -> Wallet:
        return Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=peers,
            dids=peers,
            clock=clock,
            trusted_issuers=trusted,
        )

    def test_refuses_metadata_of_another_issuer(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        url = f"{issuer.base}/.well-known/openid-credential-issuer"
        peers.routes[url] = lambda *_: json_of(
            {**issuer.metadata(), "credential_issuer": "https://other.example"}
        )
        with pytest.raises(OfferNotTrusted):
            wallet.receive(issuer.offer().to_json())
        assert f"{issuer.base}/token" not in peers.urls()

    def test_refuses_an_authorization_server_that_the_issuer_does_not_name(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        offer = issuer.offer().to_json()
        for grant in offer["grants"].values():
            grant["authorization_server"] = "https://evil.example"
        with pytest.raises(OfferNotTrusted):
            wallet.receive(offer)
        assert not any("evil" in url for url in peers.urls())

    def test_refuses_http_before_it_asks_anything(self, wallet: Wallet, peers: Peers) -> None:
        issuer = Issuer(peers, base="http://localhost:8001")
        with pytest.raises(Oid4vciMessageMalformed):
            wallet.receive(issuer.offer().to_json())
        assert peers.sent == []

    @pytest.mark.parametrize(
        "link",
        [
            "openid-credential-offer://?credential_offer_uri=http://issuer.example/o",
            "openid-credential-offer://?credential_offer_uri=javascript:alert(1)",
            "openid-credential-offer://?credential_offer_uri=https://a/o&credential_offer=%7B%7D",
            "https://issuer.example/offer",
            "openid-credential-offer://",
        ],
    )
    def test_refuses_links_that_are_no_offer_without_fetching(
        self, wallet: Wallet, peers: Peers, link: str
    ) -> None:
        with pytest.raises(SeoulWalletError):
            wallet.receive(link)
        assert peers.sent == []

    def test_refuses_an_offer_of_what_the_metadata_does_not_have(
        self, wallet: Wallet, issuer: Issuer
    ) -> None:
        offer = {**issuer.offer().to_json(), "credential_configuration_ids": ["passport"]}
        with pytest.raises(UnsupportedOffer):
            wallet.receive(offer)

    def test_shows_the_issuer_before_anything_is_used_up(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        inspected = wallet.inspect_offer(issuer.offer(CARD, LETTER, tx_code="12").to_json())
        assert inspected.card_names("en") == ("Multi-child family card", "Letter")
        assert inspected.issuer_name("ko") == "서울특별시 (가상)"
        assert inspected.tx_code is not None
        assert all(method == "GET" for method, _, _ in peers.sent)
        assert len(wallet.receive(inspected, tx_code="12")) == 2


def reissued(issuer: Issuer, item: JsonObject, **changes: Any) -> JsonObject:
    """Return an item with a credential of the same issuer that differs in some way."""
    key = changes.pop("key", issuer.key)
    holder = changes.pop("holder", Es256SigningKey.generate().public_key)
    claims = {"iss": issuer.did, "vct": CARD, "exp": NOW + 100, **changes}
    method = f"{issuer.did}#key-1"
    issued = issue_sd_jwt_vc(claims, (), key, verification_method=method, holder=holder)
    return {"credential": issued.compact}


ALTERATIONS: dict[str, tuple[Callable[[Issuer, JsonObject], JsonObject], type[Exception]]] = {
    "signed by another key": (
        lambda issuer, item: reissued(issuer, item, key=Es256SigningKey.generate()),
        SignatureInvalid,
    ),
    "bound to another key": (lambda issuer, item: reissued(issuer, item), CredentialNotAsOffered),
    "of another type": (
        lambda issuer, item: reissued(issuer, item, vct=LETTER),
        TypeNotAccepted,
    ),
    "of another issuer": (
        lambda issuer, item: reissued(issuer, item, iss="did:web:other.example"),
        OfferNotTrusted,
    ),
    "of an issuer without a host": (
        lambda issuer, item: reissued(issuer, item, iss="did:key:z6MkhaXgBZDvotDkL5257"),
        OfferNotTrusted,
    ),
    "expired": (lambda issuer, item: reissued(issuer, item, exp=NOW - 100), CredentialExpired),
    "with a salt that does not fit": (
        lambda issuer, item: {**item, "anchor": {**item["anchor"], "salt": "A" * 43}},
        CredentialNotAsOffered,
    ),
    "with a receipt elsewhere": (
        lambda issuer, item: {
            **item,
            "anchor": {
                **item["anchor"],
                "receipt_uri": item["anchor"]["receipt_uri"].replace("issuer", "tracker"),
            },
        },
        CredentialNotAsOffered,
    ),
}


@pytest.mark.parametrize("name", ALTERATIONS)
def test_stores_nothing_that_is_not_as_offered(
    wallet: Wallet, issuer: Issuer, store: SqliteRecordStore, name: str
) -> None:
    alter, expected = ALTERATIONS[name]
    issuer.alter = lambda item: alter(issuer, item)
    with pytest.raises(expected):
        wallet.receive(issuer.offer().to_json())
    assert (keys_in(store), wallet.unfinished, wallet.credentials()) == (0, 0, ())


def test_takes_a_credential_without_anchor(wallet: Wallet, issuer: Issuer) -> None:
    issuer.alter = lambda item: {"credential": item["credential"]}
    (card,) = wallet.receive(issuer.offer().to_json())
    assert card.receipt_state is ReceiptState.NONE
    assert wallet.update_receipts() == ()


@pytest.mark.parametrize("path", ["/credential", "/token", "/nonce"])
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (json_of({}, 500), PeerUnreachable),
        (json_of({}, 429), PeerUnreachable),
        (json_of({}, 418), AnswerUnexpected),
        (json_of({"error": "access_denied"}, 400), OfferRefused),
        (json_of([], 200), SeoulWalletError),
    ],
)
def test_every_other_answer_is_a_typed_error(
    wallet: Wallet, issuer: Issuer, peers: Peers, path: str, answer: Any, expected: type[Exception]
) -> None:
    peers.routes[issuer.base + path] = lambda *_: answer
    with pytest.raises(expected):
        wallet.receive(issuer.offer().to_json())
    assert wallet.credentials() == ()


def test_tries_once_more_with_a_new_nonce_when_the_first_was_not_taken(
    wallet: Wallet, issuer: Issuer, peers: Peers
) -> None:
    def forget_first_nonce(url: str) -> None:
        if url.endswith("/nonce") and peers.urls().count(url) == 1:
            issuer.nonces.clear()

    peers.after = forget_first_nonce
    assert len(wallet.receive(issuer.offer().to_json())) == 1


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


class TestReceipts:
    def test_pending_then_included_then_final(self, wallet: Wallet, issuer: Issuer) -> None:
        wallet.receive(issuer.offer(CARD, LETTER).to_json())
        for state in ("pending", "included", "final"):
            issuer.receipt_state = state
            updates = wallet.update_receipts()
            assert [update.card.receipt_state.value for update in updates] == [state] * 2
            assert [update.error for update in updates] == [None, None]
        assert wallet.update_receipts() == ()
        assert {card.receipt_state for card in wallet.credentials()} == {ReceiptState.FINAL}

    def test_an_anchoring_undone_by_the_chain_is_pending_again(
        self, wallet: Wallet, issuer: Issuer
    ) -> None:
        wallet.receive(issuer.offer().to_json())
        issuer.receipt_state = "included"
        wallet.update_receipts()
        issuer.receipt_state = "pending"
        assert wallet.update_receipts()[0].card.receipt_state is ReceiptState.PENDING

    @pytest.mark.parametrize(
        "answer",
        [
            {"state": "final", "receipt": {"index": 5, "size": 1, "path": []}},
            {"state": "final", "receipt": {"index": 0, "size": 2, "path": []}},
            {"state": "final", "receipt": {"index": 0, "size": 1, "path": ["A" * 43]}},
            {"state": "final", "receipt": None},
            {"state": "certain", "receipt": {"index": 0, "size": 1, "path": []}},
            [],
        ],
    )
    def test_a_receipt_that_leads_nowhere_is_not_stored(
        self, wallet: Wallet, issuer: Issuer, peers: Peers, answer: Any
    ) -> None:
        wallet.receive(issuer.offer().to_json())
        (url,) = (url for url in peers.routes if "/receipts/" in url)
        peers.routes[url] = lambda *_: json_of(answer)
        (update,) = wallet.update_receipts()
        assert update.error is not None
        assert wallet.credentials()[0].receipt_state is ReceiptState.PENDING

    def test_one_failure_does_not_keep_the_others_from_being_asked(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        wallet.receive(issuer.offer(CARD, LETTER).to_json())
        issuer.receipt_state = "final"
        first = next(url for url in peers.routes if "/receipts/" in url)
        peers.before = unplugged(first)
        updates = wallet.update_receipts()
        assert {(update.card.receipt_state.value, type(update.error)) for update in updates} == {
            ("pending", PeerUnreachable),
            ("final", type(None)),
        }
        stored = sorted(card.receipt_state.value for card in wallet.credentials())
        assert stored == ["final", "pending"]


def test_a_card_shows_no_claim_in_its_debug_form(wallet: Wallet, issuer: Issuer) -> None:
    (card,) = wallet.receive(issuer.offer().to_json())
    assert "김하늘" not in repr(card)
    assert "김하늘" in to_json(card.claims).decode()
