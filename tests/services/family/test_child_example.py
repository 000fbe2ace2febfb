"""The example programme for children, on the days on which who may apply changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.services.family.test_guardianship import move_to
from tests.support.city import AGENCY_TOKEN
from tests.support.family_town import (
    BORN,
    FATHER,
    KIM,
    MOTHER,
    TEEN,
    WELFARE,
    YOUNG,
    FamilyTown,
    together,
)
from wallet.encoding.json import JsonObject
from wallet.holder.consent import NoMatchingCredential
from wallet.holder.joint import NothingToJoin
from wallet.holder.wallet import Wallet

PROGRAMME = "seoul-learn-child"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[FamilyTown]:
    """The town some days before one child turns 14 and another 19, with the example programmes."""
    built = FamilyTown.build(tmp_path, rows=WELFARE)
    yield built
    built.close()


def with_evidence(town: FamilyTown, name: str, child: str, **guardian: str) -> Wallet:
    wallet = town.open_wallet(name)
    for kind in ("residence", "welfare"):
        town.give(wallet, kind, child, child, **guardian)
    return wallet


def told(town: FamilyTown, opened: JsonObject) -> tuple[str, list[str]]:
    decision = town.decision(opened)["decision"]
    return decision["outcome"], [item["code"] for item in decision["reasons"]]


def take_back(town: FamilyTown, opened: JsonObject) -> None:
    claim_id = town.decision(opened)["claim_id"]
    answer = town.agency.delete(
        f"/v1/eligibility/claims/{claim_id}", headers={"Authorization": f"Bearer {AGENCY_TOKEN}"}
    )
    assert answer.status_code == 204, answer.text


def birthday(child: str, age: int) -> date:
    return BORN[child].replace(year=BORN[child].year + age)


def test_a_guardian_applies_alone_until_the_eve_of_14_and_together_from_the_day(
    town: FamilyTown,
) -> None:
    turns_14 = birthday(YOUNG, 14)
    move_to(town, turns_14 - timedelta(days=1), 12)
    mother = with_evidence(town, "mother", YOUNG, family_id=KIM, guardian_id=MOTHER)
    town.give_guardianship(mother, KIM, MOTHER, YOUNG)
    town.settle()
    alone = town.ask(PROGRAMME)
    mother.present(mother.review(alone["link"]))
    assert told(town, alone) == ("eligible", [])
    assert town.decision(alone)["decision"]["acted_for"]["jointly"] is False
    take_back(town, alone)
    move_to(town, turns_14, 1)
    with pytest.raises(NoMatchingCredential):
        mother.present(mother.review(town.ask(PROGRAMME)["link"]))
    child = with_evidence(town, "child", YOUNG)
    town.give_guardianship(mother, KIM, MOTHER, YOUNG)
    town.settle()
    with pytest.raises(NoMatchingCredential):
        child.present(child.review(town.ask(PROGRAMME)["link"]))
    for expected in (("eligible", []), ("not_eligible", ["member_this_year"])):
        opened = town.ask(PROGRAMME)
        together(opened, child, mother)
        assert told(town, opened) == expected
        assert town.decision(opened)["decision"]["acted_for"]["jointly"] is True


def test_together_until_the_eve_of_19_and_on_the_day_nobody(town: FamilyTown) -> None:
    turns_19 = birthday(TEEN, 19)
    move_to(town, turns_19 - timedelta(days=1), 12)
    teen, father = with_evidence(town, "teen", TEEN), town.open_wallet("father")
    town.give_guardianship(father, KIM, FATHER, TEEN)
    town.settle()
    opened = town.ask(PROGRAMME)
    together(opened, teen, father)
    assert told(town, opened) == ("eligible", [])
    move_to(town, turns_19, 1)
    with pytest.raises(NothingToJoin):
        together(town.ask(PROGRAMME), teen, father)
