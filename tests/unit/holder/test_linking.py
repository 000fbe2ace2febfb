"""Warnings before consent: by what two verifiers could tell that they saw the same person."""

from __future__ import annotations

import pytest

from tests.support.holder_peers import (
    CARD,
    LETTER,
    FixedClock,
    Issuer,
    Peers,
    Verifier,
    card_query,
)
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.holder.consent import ConsentRequest
from wallet.holder.linking import Link, LinkWarning
from wallet.holder.wallet import Wallet


@pytest.fixture
def library(peers: Peers, issuer: Issuer) -> Verifier:
    return Verifier(peers, issuer, "https://library.example")


@pytest.fixture(autouse=True)
def held(wallet: Wallet, issuer: Issuer) -> None:
    wallet.receive(issuer.offer().to_json())


def review(
    wallet: Wallet, verifier: Verifier, *paths: list[str], vct: str = CARD
) -> ConsentRequest:
    return wallet.review(verifier.ask(card_query(*paths, vct=vct)))


def links(wallet: Wallet, consent: ConsentRequest) -> dict[Link, LinkWarning]:
    return {warning.link: warning for warning in wallet.linking.warnings(consent)}


def test_the_first_presentation_has_no_warning(wallet: Wallet, verifier: Verifier) -> None:
    assert links(wallet, review(wallet, verifier, ["name"])) == {}


def test_the_same_copy_at_two_verifiers_is_told(
    wallet: Wallet, verifier: Verifier, library: Verifier, clock: FixedClock
) -> None:
    wallet.present(review(wallet, verifier, ["children"]))
    clock.time += 60
    (warning,) = wallet.linking.warnings(review(wallet, library, ["children"]))
    assert (warning.link, warning.at) == (Link.COPY, clock.time - 60)
    assert warning.verifier == "decentralized_identifier:did:web:agency.example"
    assert warning.verifier_name == "Mapo Sports Centre (synthetic)"


def test_the_wallet_says_when_it_must_reuse_a_copy_at_the_same_verifier(
    wallet: Wallet, verifier: Verifier
) -> None:
    wallet.present(review(wallet, verifier, ["name"]))
    # what the verifier knows anyway is no warning; that it will know the copy again is
    assert set(links(wallet, review(wallet, verifier, ["name"]))) == {Link.COPY}


def test_the_same_identifying_claims_at_two_verifiers_are_told(
    wallet: Wallet, verifier: Verifier, library: Verifier
) -> None:
    wallet.present(review(wallet, verifier, ["name"], ["children"], ["address", "district"]))
    found = links(wallet, review(wallet, library, ["name"], ["children"]))
    assert found[Link.CLAIMS].claims == ("name",)


def test_claims_that_many_people_share_are_no_link(
    wallet: Wallet, verifier: Verifier, library: Verifier
) -> None:
    wallet.present(review(wallet, verifier, ["children"]))
    assert Link.CLAIMS not in links(wallet, review(wallet, library, ["children"]))


def test_another_value_of_the_same_claim_is_no_link(
    wallet: Wallet, verifier: Verifier, library: Verifier, issuer: Issuer
) -> None:
    wallet.present(review(wallet, verifier, ["name"]))
    issuer.claims = {**issuer.claims, "name": "박다른"}
    (card,) = wallet.receive(issuer.offer(LETTER).to_json())
    consent = review(wallet, library, ["name"], vct=LETTER)
    assert consent.answers[0].choice.card.id == card.id
    assert links(wallet, consent) == {}


def test_the_same_value_on_another_card_is_a_link(
    wallet: Wallet, verifier: Verifier, library: Verifier, issuer: Issuer
) -> None:
    wallet.present(review(wallet, verifier, ["name"]))
    wallet.receive(issuer.offer(LETTER).to_json())
    found = links(wallet, review(wallet, library, ["name"], vct=LETTER))
    assert set(found) == {Link.CLAIMS}


def test_the_log_keeps_marks_and_no_values(wallet: Wallet, verifier: Verifier) -> None:
    wallet.present(review(wallet, verifier, ["name"]))
    ((card,),) = [entry.cards for entry in wallet.log()]
    assert len(card.marks) == 2
    assert "김하늘" not in repr(card)
    assert all(len(mark) == 22 for mark in card.marks)


def test_two_wallets_make_different_marks_of_the_same(
    wallet: Wallet, verifier: Verifier, store: SqliteRecordStore
) -> None:
    wallet.present(review(wallet, verifier, ["name"]))
    ((first,),) = [entry.cards for entry in wallet.log()]
    key = store.get("settings", "marks")
    assert len(key.payload) == 32
    assert key.payload.hex() not in repr(first.marks)


def test_an_unused_card_is_preferred_to_one_that_was_shown(
    wallet: Wallet, verifier: Verifier, library: Verifier, issuer: Issuer, clock: FixedClock
) -> None:
    clock.time += 1
    (second,) = wallet.receive(issuer.offer().to_json())
    first = review(wallet, verifier, ["children"])
    assert first.answers[0].choice.card.id == second.id
    wallet.present(first)
    again = review(wallet, library, ["children"])
    assert again.answers[0].choice.card.id != second.id
    assert links(wallet, again) == {}
    wallet.present(again)
    assert Link.COPY in links(wallet, review(wallet, verifier, ["children"]))


def test_a_card_that_says_something_else_is_not_preferred(
    wallet: Wallet, verifier: Verifier, library: Verifier, issuer: Issuer, clock: FixedClock
) -> None:
    clock.time += 1
    issuer.claims = {**issuer.claims, "children": 4}
    (second,) = wallet.receive(issuer.offer().to_json())
    wallet.present(review(wallet, verifier, ["children"]))
    assert review(wallet, library, ["children"]).answers[0].choice.card.id == second.id
