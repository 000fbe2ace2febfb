"""Receiving credentials: what comes, and what is refused of what comes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.holder_peers import (
    CARD,
    CLAIMS,
    LETTER,
    NOW,
    Issuer,
    Peers,
    json_of,
)
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.encoding.json import JsonObject, to_json
from wallet.errors import SeoulWalletError
from wallet.holder.answers import AnswerUnexpected
from wallet.holder.cards import CardUnknown, ReceiptState
from wallet.holder.issuers import OfferNotTrusted
from wallet.holder.receive import CredentialNotAsOffered, OfferRefused, TxCodeNeeded
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable
from wallet.protocols.oid4vci.offer import (
    CredentialOfferReference,
    build_offer_link,
)
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


def test_a_card_shows_no_claim_in_its_debug_form(wallet: Wallet, issuer: Issuer) -> None:
    (card,) = wallet.receive(issuer.offer().to_json())
    assert "김하늘" not in repr(card)
    assert "김하늘" in to_json(card.claims).decode()
