"""What requests for each format say, what wallets make of it, and what cannot be asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from tests.support.city import AGENCY_TOKEN
from tests.support.format_town import (
    FORMATS,
    TWO_CARDS,
    VCT,
    FormatTown,
    Holder,
    query_for,
)
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.holder.cards import Card

every_format = pytest.mark.parametrize("kind", FORMATS)


def changed(link: str, member: str, change: Any) -> str:
    """Return a link by value with one of its JSON parameters changed: nobody has signed it."""
    head, _, query = link.partition("?")
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    fields[member] = to_json(change(parse_json_object(fields[member].encode()))).decode()
    return f"{head}?{urlencode(fields)}"


@every_format
def test_a_request_says_what_presentations_are_taken(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    consent = citizen.wallet.review(town.ask(query_for(kind))["link"])
    metadata = consent.request.client_metadata or {}
    formats = metadata["vp_formats_supported"]
    assert formats.keys() == {FORMATS[kind]}
    assert all(values for values in formats[FORMATS[kind]].values())
    assert cards[kind].id in [choice.card.id for choice in consent.answers[0].choices]


@every_format
def test_a_wallet_that_cannot_answer_in_the_verifiers_formats_says_so(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    def ask_for_others(metadata: JsonObject) -> JsonObject:
        return {**metadata, "vp_formats_supported": {"mso_mdoc": {}}}

    assert cards[kind]
    opened = town.ask(query_for(kind), client_id_prefix="redirect_uri")
    assert citizen.wallet.review(opened["link"]).refusal == "access_denied"
    consent = citizen.wallet.review(changed(opened["link"], "client_metadata", ask_for_others))
    assert not consent.answers
    citizen.wallet.decline(consent)
    result = town.result(opened)
    assert (result["outcome"], result["code"]) == ("rejected", "vp_formats_not_supported")


def test_what_a_wallet_tells_does_not_depend_on_its_cards(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    empty = town.holder()
    for kind in cards:
        link = town.ask(query_for(kind), client_id_prefix="redirect_uri")["link"]
        told = {holder.wallet.review(link).refusal for holder in (empty, citizen)}
        assert told == {"access_denied"}


def test_a_format_that_this_wallet_does_not_know_is_refused_by_name(
    town: FormatTown, citizen: Holder
) -> None:
    def mdoc(_: JsonObject) -> JsonObject:
        item = {"id": "card", "format": "mso_mdoc", "meta": {"doctype_value": "org.example"}}
        return {"credentials": [item]}

    link = town.ask(query_for("jwt"), client_id_prefix="redirect_uri")["link"]
    assert citizen.wallet.review(changed(link, "dcql_query", mdoc)).refusal == (
        "vp_formats_not_supported"
    )


def test_a_suite_that_the_verifier_does_not_take_is_not_sent(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    def whole_documents_alone(metadata: JsonObject) -> JsonObject:
        formats = {"ldp_vc": {"cryptosuite_values": ["ecdsa-rdfc-2019"]}}
        return {**metadata, "vp_formats_supported": formats}

    link = town.ask(query_for("ldp"), client_id_prefix="redirect_uri")["link"]
    consent = citizen.wallet.review(changed(link, "client_metadata", whole_documents_alone))
    offered = {choice.card.id for choice in consent.answers[0].choices}
    assert cards["ldp"].id in offered
    assert cards["ldp-sd"].id not in offered


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("bbs", {"require_cryptographic_holder_binding": False}),
        ("bbs", {"trusted_authorities": [{"type": "aki", "values": ["AAAA"]}]}),
        ("ldp", {"trusted_authorities": [{"type": "aki", "values": ["AAAA"]}]}),
        ("jwt", {"trusted_authorities": [{"type": "openid_federation", "values": ["x"]}]}),
        ("jwt", {"format": "mso_mdoc", "meta": {"doctype_value": "x"}}),
    ],
)
def test_what_cannot_be_checked_is_not_asked(
    town: FormatTown, kind: str, change: JsonObject
) -> None:
    answer = town.city.agency.post(
        "/v1/requests",
        json={"dcql_query": query_for(kind, **change)},
        headers={"Authorization": f"Bearer {AGENCY_TOKEN}"},
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "unsupported_query")


def test_a_jwt_without_certificates_does_not_answer_for_an_authority(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    authority = [{"type": "aki", "values": ["AAAA"]}]
    consent = citizen.wallet.review(
        town.ask(query_for("jwt", trusted_authorities=authority))["link"]
    )
    assert [item.query_id for item in consent.missing] == ["card"]
    assert citizen.wallet.review(town.ask(query_for("jwt"))["link"]).answers
    assert cards["jwt"].format == "jwt_vc_json"


@pytest.mark.parametrize(
    "types",
    [
        [["VerifiableCredential", "MultiChildFamilyCard"]],
        [["AppointmentLetter"], ["MultiChildFamilyCard"]],
        [["https://www.w3.org/2018/credentials#VerifiableCredential"]],
    ],
)
@pytest.mark.parametrize("kind", ["jwt", "ldp", "ldp-sd"])
def test_types_are_alternatives_by_name_and_expanded(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str, types: list[list[str]]
) -> None:
    opened = town.ask(query_for(kind, "child_count", meta={"type_values": types}))
    consent = citizen.wallet.review(opened["link"]).choosing("card", cards[kind].id)
    citizen.wallet.present(consent)
    assert town.result(opened)["outcome"] == "accepted"


@every_format
def test_a_card_of_another_type_does_not_answer(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    meta = {"vct_values": [VCT + "x"], "type_values": [["AppointmentLetter"]]}
    consent = citizen.wallet.review(town.ask(query_for(kind, meta=meta))["link"])
    assert [item.query_id for item in consent.missing] == ["card"]
    assert cards[kind].vct == VCT


@pytest.mark.parametrize("kind", ["jwt", "ldp", "ldp-sd"])
def test_without_binding_in_the_query_a_bare_credential_is_accepted(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    asked = query_for(kind, "child_count", require_cryptographic_holder_binding=False)
    opened = town.ask(asked)
    citizen.wallet.present(citizen.wallet.review(opened["link"]).choosing("card", cards[kind].id))
    result = town.result(opened)
    assert result["outcome"] == "accepted"
    binding = result["presentations"][0]["steps"][6]
    assert (binding["name"], binding["outcome"]) == ("key_binding", "not_required")


@pytest.mark.parametrize(
    ("named", "expected"), [(True, ("accepted", None)), (False, ("rejected", "holders_differ"))]
)
def test_vp_11_cards_that_name_no_common_holder_need_a_query_that_allows_it(
    town: FormatTown,
    citizen: Holder,
    cards: dict[str, Card],
    named: bool,
    expected: tuple[str, str | None],
) -> None:
    opened = town.ask({"query": "two-cards"} if named else TWO_CARDS)
    consent = citizen.wallet.review(opened["link"]).choosing("jwt", cards["jwt"].id)
    citizen.wallet.present(consent)
    result = town.result(opened)
    assert (result["outcome"], result["code"]) == expected


def test_two_bbs_cards_of_one_holder_are_known_to_be_of_one_holder(
    town: FormatTown, citizen: Holder, cards: dict[str, Card]
) -> None:
    items = []
    for name in ("one", "two"):
        (item,) = query_for("bbs", "child_count")["credentials"]
        items.append({**item, "id": name})
    opened = town.ask({"credentials": items})
    citizen.wallet.present(citizen.wallet.review(opened["link"]))
    assert town.result(opened)["outcome"] == "accepted"
    assert cards["bbs"].format == "seoul-bbs-nym"
