"""The same card as JWT, by Data Integrity and with BBS: from our issuer, by our wallet, to us."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.format_town import (
    ANCHOR_INTERVAL_S,
    EPOCH,
    FORMATS,
    PARTIAL,
    VCT,
    W3C,
    FormatTown,
    Holder,
    query_for,
)
from wallet.credentials.delegation import NotDelegable
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card, ReceiptState
from wallet.holder.consent import NoMatchingCredential
from wallet.holder.delegations import DelegationTerms
from wallet.holder.linking import Link

every_format = pytest.mark.parametrize("kind", FORMATS)


def shown_claims(result: JsonObject) -> JsonObject:
    """Return the claims of the person that the agency was told."""
    (item,) = result["credentials"]["card"]
    claims: JsonObject = item["claims"]
    inner: JsonObject = claims.get("credentialSubject", claims)
    return inner


@every_format
def test_a_card_of_every_format_is_shown_as_the_card_it_is(
    cards: dict[str, Card], kind: str
) -> None:
    card = cards[kind]
    assert (card.vct, card.issuer) == (VCT, "did:web:issuer.example")
    assert card.name("ko") == "다둥이 행복카드"
    lines = {line.label: line.value for line in card.lines("ko")}
    assert (lines["자녀 수"], lines["성명"]) == ("2", "김합성")
    assert (card.expires_at is None) == (kind == "bbs")


@every_format
@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
def test_a_card_of_every_format_is_accepted(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str, mode: str
) -> None:
    opened = town.ask(query_for(kind, "child_count", "seoul_resident"), response_mode=mode)
    consent = citizen.wallet.review(opened["link"])
    consent = consent.choosing("card", cards[kind].id)
    citizen.wallet.present(consent)
    result = town.result(opened)
    assert (result["outcome"], result["code"]) == ("accepted", None)
    assert shown_claims(result) == {"child_count": 2, "seoul_resident": True}
    (item,) = result["credentials"]["card"]
    assert (item["issuer"], item["vct"]) == ("did:web:issuer.example", VCT)
    outcomes = [step["outcome"] for step in result["presentations"][0]["steps"]]
    assert set(outcomes) <= {"passed", "not_required"}


@every_format
def test_a_card_of_every_format_is_accepted_by_a_page(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    page = "https://portal.example"
    opened = town.ask(query_for(kind, "child_count"), flow="dc_api", expected_origins=[page])
    request = opened["dc_request"]
    consent = citizen.wallet.review_from_page(request["protocol"], request["data"], origin=page)
    data = citizen.wallet.answer_page(consent.choosing("card", cards[kind].id))
    answered = town.city.agency.post(
        f"/v1/requests/{opened['request_id']}/response",
        json={"data": data, "origin": page},
        headers={"Authorization": f"Bearer {opened['result_token']}"},
    )
    assert answered.status_code == 200, answered.text
    assert town.result(opened)["outcome"] == "accepted"


@pytest.mark.parametrize("kind", PARTIAL)
def test_only_what_was_asked_for_leaves_the_wallet(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    opened = town.ask(query_for(kind, "child_count"))
    consent = citizen.wallet.review(opened["link"]).choosing("card", cards[kind].id)
    assert consent.answers[0].choice.disclosed == {"child_count": 2}
    citizen.wallet.present(consent)
    form = town.city.network.posted_to("agency.example")[-1]
    assert b"2015" not in form
    assert shown_claims(town.result(opened)) == {"child_count": 2}


@every_format
def test_the_wallet_says_when_the_same_copy_is_shown_again(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    wallet, card_id = citizen.wallet, cards[kind].id

    def links() -> set[Link]:
        consent = wallet.review(town.ask(query_for(kind, "child_count"))["link"])
        consent = consent.choosing("card", card_id)
        found = {warning.link for warning in wallet.linking.warnings(consent)}
        wallet.present(consent)
        return found

    # Copies are taken first; once they are spent, what is shown was shown before.
    while wallet.copies(card_id):
        links()
    links()
    # A BBS proof is another one each time, and is bound to no key that anybody sees.
    assert links() == (set() if kind == "bbs" else {Link.COPY})


@pytest.mark.parametrize("kind", ["jwt", "ldp"])
def test_the_holder_sees_that_a_card_is_shown_whole(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    opened = town.ask(query_for(kind, "child_count"))
    consent = citizen.wallet.review(opened["link"]).choosing("card", cards[kind].id)
    assert consent.answers[0].choice.disclosed == cards[kind].claims
    citizen.wallet.present(consent)
    assert shown_claims(town.result(opened)) == {"child_count": 2}


@pytest.mark.parametrize("kind", W3C)
def test_a_receipt_travels_with_the_presentation(
    town: FormatTown, citizen: Holder, kind: str
) -> None:
    card = town.give(citizen, kind)
    town.pass_time(ANCHOR_INTERVAL_S)
    updates = {item.card.id: item for item in citizen.wallet.update_receipts()}
    assert updates[card.id].card.receipt_state is ReceiptState.FINAL
    opened = town.ask(query_for(kind))
    citizen.wallet.present(citizen.wallet.review(opened["link"]).choosing("card", card.id))
    result = town.result(opened)
    assert result["outcome"] == "accepted"
    receipt = result["presentations"][0]["steps"][7]
    assert (receipt["name"], receipt["outcome"]) == ("anchor_receipt", "passed")


def test_a_pseudonym_is_the_same_at_one_verifier_and_told_only_where_it_was_asked_for(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    def answered(meta: JsonObject) -> Any:
        opened = town.ask(query_for("bbs", "child_count", meta={"vct_values": [VCT], **meta}))
        citizen.wallet.present(citizen.wallet.review(opened["link"]))
        (item,) = town.result(opened)["credentials"]["card"]
        return item.get("pseudonym")

    assert cards["bbs"].format == "seoul-bbs-nym"
    first, second = answered({"pseudonym": True}), answered({"pseudonym": True})
    assert first == second is not None
    assert answered({}) is None


def test_presentations_without_a_pseudonym_share_nothing(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    made = [
        citizen.presentation(
            cards["bbs"], [("child_count",)], audience="x", nonce=f"nonce-{n}", issued_at=0
        )
        for n in range(2)
    ]
    assert all(isinstance(item, dict) for item in made)
    one, other = (item for item in made if isinstance(item, dict))
    assert one["pseudonym"] != other["pseudonym"]
    assert one["proof"] != other["proof"]


@pytest.mark.parametrize("kind", W3C)
def test_cards_are_renewed_on_new_keys(town: FormatTown, citizen: Holder, kind: str) -> None:
    card = town.give(citizen, kind)
    before = citizen.credential(card)
    renewed = citizen.wallet.renew(card.id)
    after = citizen.credential(renewed)
    assert (renewed.id, renewed.claims) == (card.id, card.claims)
    assert before.key_handle != after.key_handle
    assert before.credential != after.credential


def test_a_wallet_keeps_the_card_of_every_format_when_it_moves(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    read_again = {card.id: card for card in citizen.wallet.credentials()}
    for card in cards.values():
        assert read_again[card.id].claims == card.claims
    bbs = citizen.credential(cards["bbs"])
    other = replace(bbs, key_handle=Es256SigningKey.generate().public_key.jwk["x"])
    assert other.card() == bbs.card()


@every_format
def test_a_card_does_not_answer_for_what_it_does_not_say(
    town: FormatTown, citizen: Holder, kind: str
) -> None:
    opened = town.ask(query_for(kind, "income"))
    consent = citizen.wallet.review(opened["link"])
    assert [item.query_id for item in consent.missing] == ["card"]
    with pytest.raises(NoMatchingCredential):
        citizen.wallet.present(consent)


@every_format
def test_a_value_that_was_not_asked_for_does_not_answer(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    assert cards[kind].claims["child_count"] == 2
    query = query_for(kind, "child_count")
    for value, answers in ((3, 0), (2, 1)):
        query["credentials"][0]["claims"][0]["values"] = [value]
        consent = citizen.wallet.review(town.ask(query)["link"])
        assert len(consent.answers) == answers


def test_the_first_claim_set_that_a_card_can_deliver_is_shown(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    query = query_for("ldp-sd", "income", "holder_role", "child_count")
    item = query["credentials"][0]
    for claim, name in zip(item["claims"], ("a", "b", "c"), strict=True):
        claim["id"] = name
    item["claim_sets"] = [["a"], ["b", "c"]]
    opened = town.ask(query)
    consent = citizen.wallet.review(opened["link"]).choosing("card", cards["ldp-sd"].id)
    assert consent.answers[0].choice.disclosed.keys() == {"holder_role", "child_count"}
    citizen.wallet.present(consent)
    assert town.result(opened)["outcome"] == "accepted"


def test_the_epoch_is_the_one_of_the_issuer(cards: dict[str, Card], citizen: Holder) -> None:
    assert f'"epoch":"{EPOCH}"' in citizen.credential(cards["bbs"]).credential


@every_format
def test_only_an_sd_jwt_vc_is_delegated(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    invitation = town.holder().wallet.delegating.invite()
    terms = DelegationTerms(claims=(("child_count",),), ttl_s=3600)
    with pytest.raises(NotDelegable, match="format"):
        citizen.wallet.delegating.delegate(cards[kind].id, invitation, terms)
