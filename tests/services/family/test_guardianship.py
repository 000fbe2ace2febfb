"""A guardian shows a child's certificate: who may, for whom, and until which day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.support.city import City
from tests.support.family_town import (
    ADOPTED,
    ADOPTER,
    CHOI,
    FATHER,
    GRANDCHILD,
    GRANDMOTHER,
    INFANT,
    KIM,
    LEE,
    MINOR_PARENT,
    MOTHER,
    PARK,
    TEEN,
    YOUNG,
    FamilyTown,
    answer,
    at,
)
from wallet.credentials.delegation import NotDelegable
from wallet.credentials.jwe import DecryptionFailed, JweMalformed
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.errors import MalformedError
from wallet.holder.consent import NoMatchingCredential
from wallet.holder.delegations import DelegationTerms
from wallet.holder.joint import JointRequest, NothingToJoin
from wallet.holder.wallet import Wallet


@pytest.mark.parametrize(
    ("family", "guardian", "child", "relation"),
    [
        pytest.param(KIM, MOTHER, YOUNG, "parent", id="foreign-registration"),
        pytest.param(KIM, FATHER, YOUNG, "parent", id="split-household"),
        pytest.param(LEE, GRANDMOTHER, GRANDCHILD, "grandparent_guardian", id="grandparent"),
        pytest.param(PARK, ADOPTER, ADOPTED, "adoptive_parent", id="adoption"),
    ],
)
def test_a_guardian_shows_the_certificate_of_a_child_under_14(
    town: FamilyTown, family: str, guardian: str, child: str, relation: str
) -> None:
    wallet = town.guardian(f"of-{guardian}", family, guardian, child)
    told = town.shown(wallet, "child")
    assert (told["outcome"], told["code"]) == ("accepted", None)
    (acted,) = told["acted_for"]
    assert (acted["right"], acted["relation"]) == ("guardianship", relation)
    assert (acted["jointly"], acted["delegation"]) == (False, None)
    assert acted["person"] != acted["actor"]
    assert child not in str(told)
    assert guardian not in str(told)


@pytest.mark.parametrize(
    ("family", "guardian", "child", "reason"),
    [
        pytest.param(KIM, GRANDMOTHER, YOUNG, "not_a_guardian", id="another-family"),
        pytest.param(LEE, GRANDMOTHER, YOUNG, "not_a_child_of_this_family", id="another-child"),
        pytest.param(CHOI, MINOR_PARENT, INFANT, "guardian_is_under_age", id="under-age-parent"),
    ],
)
def test_who_is_no_guardian_is_offered_nothing(
    town: FamilyTown, family: str, guardian: str, child: str, reason: str
) -> None:
    asked = {"family_id": family, "guardian_id": guardian, "child_id": child}
    refused = town.operator("guardianship-offers", asked)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "not_entitled")
    assert reason in refused.get_json()["detail"]
    about = {"kind": "residence", "subject_id": child, "holder_id": child}
    offer = {**about, "family_id": family, "guardian_id": guardian}
    assert town.operator("evidence-offers", offer).status_code == 422


def test_a_child_of_14_holds_its_own(town: FamilyTown) -> None:
    about = {"kind": "residence", "subject_id": TEEN, "holder_id": TEEN}
    asked = {**about, "family_id": KIM, "guardian_id": MOTHER}
    refused = town.operator("evidence-offers", asked)
    assert refused.status_code == 422
    assert "child_holds_its_own" in refused.get_json()["detail"]
    assert town.operator("evidence-offers", about).status_code == 201


def test_family_and_guardian_are_named_together(town: FamilyTown) -> None:
    about = {"kind": "residence", "subject_id": YOUNG, "holder_id": YOUNG, "family_id": KIM}
    assert town.operator("evidence-offers", about).status_code == 400


@pytest.fixture(scope="module")
def mother(town: FamilyTown) -> Wallet:
    return town.guardian("mother-alone", KIM, MOTHER, YOUNG)


def test_a_childs_certificate_is_never_taken_for_the_guardians_own(
    town: FamilyTown, mother: Wallet
) -> None:
    (card,) = [item for item in mother.credentials() if item.is_for_ward]
    assert card.is_for_another
    assert ("보관하는 사람", "guardian") in [(line.label, line.value) for line in card.lines("ko")]
    consent = mother.review(town.request("own")["link"])
    with pytest.raises(NoMatchingCredential):
        mother.present(consent)
    told = town.forced(mother, "own", answer("home", card, ("seoul_resident",)))
    assert (told["outcome"], told["code"]) == ("rejected", "acting_not_accepted")


def test_the_guardianship_goes_along_or_the_certificate_is_refused(
    town: FamilyTown, mother: Wallet
) -> None:
    (card,) = [item for item in mother.credentials() if item.is_for_ward]
    shown = answer("home", card, ("seoul_resident",), ("sector_id", "welfare"))
    told = town.forced(mother, "child-or-self", shown)
    assert (told["outcome"], told["code"]) == ("rejected", "ward_mismatch")
    assert town.shown(mother, "child-or-self")["outcome"] == "accepted"


def test_the_guardianship_of_another_child_does_not_help(town: FamilyTown, mother: Wallet) -> None:
    grandmother = town.guardian("grandmother-alone", LEE, GRANDMOTHER, GRANDCHILD)
    (own,) = [item for item in grandmother.credentials() if item.is_for_ward]
    grandmother.remove(own.id)
    town.residence_for(grandmother, YOUNG, family_id=KIM, guardian_id=MOTHER)
    town.settle()
    with pytest.raises(NoMatchingCredential):
        grandmother.present(grandmother.review(town.request("child")["link"]))
    right, child = sorted(grandmother.credentials(), key=lambda card: card.is_for_ward)
    told = town.forced(
        grandmother,
        "child",
        answer("home", child, ("seoul_resident",), ("sector_id", "welfare")),
        answer("guardian", right, ("relation",), ("ward", "welfare")),
    )
    assert (told["outcome"], told["code"]) == ("rejected", "ward_mismatch")


def test_of_two_children_the_wallet_shows_the_guardianship_that_fits(town: FamilyTown) -> None:
    wallet = town.open_wallet("of-two")
    town.give_guardianship(wallet, LEE, GRANDMOTHER, GRANDCHILD)
    town.give_guardianship(wallet, PARK, ADOPTER, ADOPTED)
    town.residence_for(wallet, GRANDCHILD, family_id=LEE, guardian_id=GRANDMOTHER)
    town.residence_for(wallet, ADOPTED, family_id=PARK, guardian_id=ADOPTER)
    town.settle()
    opened = town.request("child")
    consent = wallet.review(opened["link"])
    home, guardian = consent.answers
    seen = {}
    for choice in home.choices:
        chosen = consent.choosing("home", choice.card.id)
        seen[choice.card.id] = chosen.answers[1].choice.card.claims["relation"]
    assert sorted(seen.values()) == ["adoptive_parent", "grandparent_guardian"]
    wallet.present(consent.choosing("home", home.choices[-1].card.id))
    assert town.result(opened)["outcome"] == "accepted"
    assert len(guardian.choices) == 2


def test_a_guardian_does_not_hand_the_right_on(town: FamilyTown, mother: Wallet) -> None:
    other = town.open_wallet("aunt")
    terms = DelegationTerms(claims=(("seoul_resident",),), ttl_s=3600)
    for card in mother.credentials():
        with pytest.raises(NotDelegable):
            mother.delegate(card.id, other.delegating.invite(), terms)


@pytest.fixture(scope="module")
def teen(town: FamilyTown) -> Wallet:
    wallet = town.open_wallet("teen")
    town.residence_for(wallet, TEEN)
    town.settle()
    return wallet


@pytest.fixture(scope="module")
def father(town: FamilyTown) -> Wallet:
    wallet = town.open_wallet("father-of-teen")
    town.give_guardianship(wallet, KIM, FATHER, TEEN)
    town.settle()
    return wallet


class TestTogether:
    """A child of 14 to 18 and its guardian answer one request with a wallet each."""

    def test_the_agency_sees_that_both_took_part(
        self, town: FamilyTown, teen: Wallet, father: Wallet
    ) -> None:
        opened = town.request("child")
        question = teen.joint.ask(teen.review(opened["link"]))
        joint = father.joint.review(question.text)
        assert joint.consent.verifier == question.consent.verifier
        assert [item.query_id for item in joint.consent.answers] == ["guardian"]
        teen.present(question.answered(father.joint.contribute(joint)))
        told = town.result(opened)
        assert (told["outcome"], told["code"]) == ("accepted", None)
        (acted,) = told["acted_for"]
        assert (acted["right"], acted["relation"], acted["jointly"]) == (
            "guardianship",
            "parent",
            True,
        )
        assert [entry.outcome.value for entry in father.log()[-1:]] == ["unanswered"]
        assert [entry.outcome.value for entry in teen.log()[-1:]] == ["accepted"]

    def test_alone_neither_is_enough(self, town: FamilyTown, teen: Wallet, father: Wallet) -> None:
        for wallet in (teen, father):
            with pytest.raises(NoMatchingCredential):
                wallet.present(wallet.review(town.request("child")["link"]))
        assert town.shown(teen, "child-or-self")["outcome"] == "accepted"

    def test_the_guardian_of_another_child_has_nothing_to_add(
        self, town: FamilyTown, teen: Wallet
    ) -> None:
        other = town.guardian("of-another", LEE, GRANDMOTHER, GRANDCHILD)
        question = teen.joint.ask(teen.review(town.request("child")["link"]))
        with pytest.raises(NothingToJoin):
            other.joint.review(question.text)

    def test_a_part_is_for_one_question(
        self, town: FamilyTown, teen: Wallet, father: Wallet
    ) -> None:
        first, second = (
            teen.joint.ask(teen.review(town.request("child")["link"])) for _ in range(2)
        )
        part = father.joint.contribute(father.joint.review(first.text))
        with pytest.raises(DecryptionFailed):
            second.answered(part)
        with pytest.raises(JweMalformed):
            first.answered("no part")

    def test_a_part_of_another_request_is_refused_by_the_agency(
        self, town: FamilyTown, teen: Wallet, father: Wallet
    ) -> None:
        first = teen.joint.ask(teen.review(town.request("child")["link"]))
        stolen = first.answered(father.joint.contribute(father.joint.review(first.text)))
        opened = town.request("child")
        second = teen.joint.ask(teen.review(opened["link"]))
        teen.present(replace(second.consent, missing=(), contributed=stolen.contributed))
        told = town.result(opened)
        assert (told["outcome"], told["code"]) == ("rejected", "nonce_mismatch")

    def test_there_is_nothing_to_join_where_nothing_is_missing(
        self, town: FamilyTown, teen: Wallet
    ) -> None:
        with pytest.raises(NothingToJoin):
            teen.joint.ask(teen.review(town.request("own")["link"]))

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "####",
            "e30",
            base64url.encode(to_json({"request_object": "a", "ward": {}, "lacking": []})),
            base64url.encode(to_json({"request_object": "a", "ward": [], "lacking": ["a"]})),
            base64url.encode(to_json({"request_object": "a", "ward": {}, "lacking": [1]})),
            base64url.encode(to_json({"request_object": "a", "ward": {}, "lacking": ["a"]})),
            "A" * 600_000,
        ],
    )
    def test_junk_is_no_question(self, father: Wallet, text: str) -> None:
        with pytest.raises(MalformedError):
            father.joint.review(text)


@pytest.fixture
def eve(tmp_path: Path) -> Iterator[FamilyTown]:
    """The town two days before a child turns 14 and another turns 19."""
    built = FamilyTown.build(tmp_path, date(2026, 5, 4))
    yield built
    built.close()


def move_to(town: City, day: date, hour: int) -> None:
    town.clock.set(at(day, hour))
    town.settle()


def test_on_the_birthday_the_right_to_act_alone_is_over(eve: FamilyTown) -> None:
    birthday = date(2026, 5, 6)
    wallet = eve.guardian("mother", KIM, MOTHER, YOUNG)
    move_to(eve, birthday - timedelta(days=1), 23)
    assert eve.shown(wallet, "child")["outcome"] == "accepted"
    right, child = sorted(wallet.credentials(), key=lambda card: card.is_for_ward)
    move_to(eve, birthday, 0)
    jointly = eve.give_guardianship(wallet, KIM, MOTHER, YOUNG)
    assert jointly.claims["acts"] == "jointly"
    eve.settle()
    told = eve.forced(
        wallet,
        "child",
        answer("home", child, ("seoul_resident",), ("sector_id", "welfare")),
        answer("guardian", jointly, ("relation",), ("ward", "welfare")),
    )
    assert (told["outcome"], told["code"]) == ("rejected", "ward_must_take_part")
    move_to(eve, birthday, 1)
    with pytest.raises(NoMatchingCredential):
        wallet.present(wallet.review(eve.request("child")["link"]))
    told = eve.forced(
        wallet,
        "child",
        answer("home", child, ("seoul_resident",), ("sector_id", "welfare")),
        answer("guardian", right, ("relation",), ("ward", "welfare")),
    )
    assert (told["outcome"], told["code"]) == ("rejected", "credential_expired")
    asked = {"family_id": KIM, "guardian_id": MOTHER, "child_id": TEEN}
    refused = eve.operator("guardianship-offers", asked)
    assert "child_is_of_age" in refused.get_json()["detail"]


def test_on_the_19th_birthday_nobody_acts_for_the_child(eve: FamilyTown) -> None:
    birthday = date(2026, 5, 6)
    teen, father = eve.open_wallet("teen"), eve.open_wallet("father")
    eve.residence_for(teen, TEEN)
    eve.give_guardianship(father, KIM, FATHER, TEEN)
    eve.settle()
    move_to(eve, birthday - timedelta(days=1), 23)
    opened = eve.request("child")
    question = teen.joint.ask(teen.review(opened["link"]))
    teen.present(question.answered(father.joint.contribute(father.joint.review(question.text))))
    assert eve.result(opened)["outcome"] == "accepted"
    move_to(eve, birthday, 0)
    opened = eve.request("child")
    question = teen.joint.ask(teen.review(opened["link"]))
    with pytest.raises(NothingToJoin):
        father.joint.review(question.text)
    (right,) = father.credentials()
    late = father.review(eve.request("child")["link"])
    part = replace(
        late,
        request=question.consent.request,
        answers=(answer("guardian", right, ("relation",), ("ward", "welfare")),),
        missing=(),
    )
    sealed = father.joint.contribute(JointRequest(part, question.key.public))
    teen.present(question.answered(sealed))
    told = eve.result(opened)
    # within the skew of clocks the certificate's own dates still pass; the guardianship does not
    assert (told["outcome"], told["code"]) == ("rejected", "guardianship_ended")
