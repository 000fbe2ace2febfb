"""The acts of a young resident: find out privately, apply with one consent, draw nothing twice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from rich.markup import escape

from issuer.register.evidence import IncomeRecord
from issuer.register.model import SEOUL
from seoul_wallet.demo.scene import DemoFailed, Scene
from seoul_wallet.sample.residents import Resident, make_residents
from verifier.catalogue import example_programme_files
from wallet.app import open_wallet
from wallet.eligibility.benefit_key import BENEFIT_KEY
from wallet.eligibility.catalogue import parse_catalogue
from wallet.eligibility.days import birthday
from wallet.eligibility.decision import Outcome, evaluate
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject
from wallet.holder.discovery import Applied
from wallet.holder.findings import Finding
from wallet.holder.wallet import Wallet

RESIDENTS: Final = 200
PEOPLE: Final = 2
# What the wallet gets: evidence that most of the young have, and the key that counts them.
KINDS: Final = ("residence", "employment", "schooling")
FARE: Final = "youth-fare"
# In one group with the fare: of the two a person has one a year.
ALLOWANCE: Final = "youth-allowance"
_YOUNGEST, _OLDEST = 19, 24


@dataclass(frozen=True, slots=True)
class Youth:
    """A young resident with a wallet of their own; some could draw the allowance too."""

    resident: Resident
    wallet: Wallet
    draws_allowance: bool


def open_youths(scene: Scene, today: date, *, seed: int) -> list[Youth]:
    """Give wallets, evidence and benefit keys to the first young residents of the register."""
    young = [
        resident
        for resident in make_residents(seed=seed, count=RESIDENTS, on=today)
        if _is_young(resident, today)
    ]
    # First whoever could draw both benefits of the group, so that the register has to say no.
    allowance = parse_catalogue(example_programme_files()).in_force(ALLOWANCE, today)
    entitled = {
        resident.register_id: _is_entitled(resident, allowance, today) for resident in young
    }
    found = sorted(young, key=lambda resident: not entitled[resident.register_id])[:PEOPLE]
    if len(found) < PEOPLE:
        raise DemoFailed("the register has too few young people; try another seed")
    youths = [
        Youth(resident, _open(scene, number), draws_allowance=entitled[resident.register_id])
        for number, resident in enumerate(found)
    ]

    def receive() -> tuple[str, str]:
        for youth in youths:
            person = youth.resident.register_id
            kinds = [kind for kind in KINDS if kind in youth.resident.rows]
            for kind in (*kinds, BENEFIT_KEY):
                youth.wallet.receive(scene.clerk.offer_evidence(kind, person))
        keys = [
            card
            for youth in youths
            for card in youth.wallet.credentials()
            if card.vct.endswith("benefit-key:1")
        ]
        return f"{len(keys)} keys", "signed blindly: the issuer cannot follow them"

    scene.protocol.add(
        "청년 두 명에게 증명서와 혜택 확인키 발급",
        "evidence and benefit keys for two young residents",
        f"{PEOPLE} keys",
        receive,
    )
    return youths


def _is_young(resident: Resident, on: date) -> bool:
    row = resident.rows["residence"][-1]
    born: date = row["birth_date"]
    of_age = birthday(born, _YOUNGEST) <= on < birthday(born, _OLDEST + 1)
    return of_age and row["city_or_province"] == SEOUL and row["first_day"] <= on


def _is_entitled(resident: Resident, allowance: Programme, on: date) -> bool:
    """Tell whether this resident's registers say what the allowance asks for."""
    if not {"employment", "income"} <= resident.rows.keys():
        return False
    (work,), (income,) = resident.rows["employment"], resident.rows["income"]
    claims = {
        "person": {
            "birth_date": resident.rows["residence"][-1]["birth_date"].isoformat(),
            "seoul_resident": True,
            "valid_until": on.isoformat(),
        },
        "work": {**work, "as_of": work["as_of"].isoformat()},
        "income": IncomeRecord(**income).claims(on),
    }
    return evaluate(allowance, claims, on).outcome is Outcome.ELIGIBLE


def _open(scene: Scene, number: int) -> Wallet:
    path: Path = scene.stack.folder / f"youth-{number}.wallet"
    return open_wallet(
        path,
        secrets.token_urlsafe(16),
        create=True,
        development=True,
        catalogue_publishers=frozenset((scene.verifier_did,)),
    )


def discover_and_apply(scene: Scene, youth: Youth) -> None:
    """List what the holder probably qualifies for, say what counts, apply, then once too often."""
    wallet = youth.wallet
    eligible: list[Finding] = []

    def list_programmes() -> tuple[str, str]:
        wallet.discovery.refresh(scene.stack.verifier_url)
        findings = wallet.discovery.findings()
        eligible.extend(item for item in findings if item.outcome.value == "eligible")
        names = sorted(item.programme.id for item in eligible)
        note = f"{len(findings)} programmes judged on the device; probably: {', '.join(names)}"
        return ("the fare is among them" if FARE in names else "the fare is not there"), note

    def say_what_counts() -> tuple[str, str]:
        counted = [item.counted for item in eligible if item.counted is not None]
        for told in counted:
            for language in ("ko", "en"):
                for line in told.lines(language):
                    scene.console.print(f"      [dim]{escape(line)}[/]")
        groups = [item.group for item in counted if item.group is not None]
        note = f"of {len(eligible)}; {len(groups)} by a register too, for its group"
        return f"{len(counted)} counts the person", note

    def apply_for_all() -> tuple[str, str]:
        plan = wallet.discovery.plan(eligible)
        outcomes = [_outcome(item) for item in wallet.discovery.apply(plan)]
        granted = all(outcome == "eligible" for outcome in outcomes)
        told = "all eligible" if granted else ", ".join(outcomes)
        return told, f"{len(outcomes)} applications, each shows its own claims"

    def apply_again() -> tuple[str, str]:
        (fare,) = [item for item in eligible if item.programme.id == FARE]
        (applied,) = wallet.discovery.apply(wallet.discovery.plan([fare]))
        return _outcome(applied), "known by a number that no other agency has"

    add = scene.protocol.add
    add(
        "받을 수 있는 혜택을 지갑이 먼저 안내 (기기 안에서만)",
        "a proactive list, found out on the device",
        "the fare is among them",
        list_programmes,
    )
    add(
        "동의하기 전에, 무엇이 사람을 세는지 지갑이 말함",
        "before consent the wallet says what counts its holder",
        "1 counts the person",
        say_what_counts,
    )
    add("한 번의 동의로 모두 신청", "one consent applies for all", "all eligible", apply_for_all)
    add(
        "같은 혜택을 두 번째로 신청",
        "a second claim of the same benefit",
        "not_eligible: received_this_year",
        apply_again,
    )
    if youth.draws_allowance:
        _apply_for_another_of_the_group(scene, youth)


def _apply_for_another_of_the_group(scene: Scene, youth: Youth) -> None:
    """Apply for what excludes the fare, which was granted this year."""
    wallet = youth.wallet

    def apply() -> tuple[str, str]:
        wallet.receive(scene.clerk.offer_evidence("income", youth.resident.register_id))
        (other,) = [item for item in wallet.discovery.findings() if item.programme.id == ALLOWANCE]
        if other.counted is None or other.counted.group is None:
            raise DemoFailed("the allowance is not counted by a register")
        titles = ", ".join(title.en for title in other.counted.group.programmes)
        (applied,) = wallet.discovery.apply(wallet.discovery.plan([other]))
        return _outcome(applied), f"one a year of: {titles}; the register answered yes or no"

    scene.protocol.add(
        "함께 받을 수 없는 다른 혜택을 신청 (등록부가 확인)",
        "another benefit, which excludes the first (told by the register)",
        "not_eligible: receives_another_benefit",
        apply,
    )


def decide_in_the_outage(scene: Scene, youth: Youth) -> None:
    """Let the other youth apply while the chain is away; the answer says how old its facts are."""

    def apply() -> tuple[str, str]:
        youth.wallet.discovery.refresh(scene.stack.verifier_url)
        (fare,) = [item for item in youth.wallet.discovery.findings() if item.programme.id == FARE]
        (applied,) = youth.wallet.discovery.apply(youth.wallet.discovery.plan([fare]))
        decision: JsonObject = applied.decision or {}
        age = decision.get("facts_age_s")
        limit = fare.programme.evidence["person"].max_replica_age_s
        stated = type(age) is int and 0 < age <= limit
        told = _outcome(applied) + (", age stated" if stated else ", age missing")
        return told, f"facts {age} s old, the programme takes {limit} s"

    scene.protocol.add(
        "체인 중단 중 혜택 결정",
        "a benefit decided with the chain dead",
        "eligible, age stated",
        apply,
    )


def _outcome(applied: Applied) -> str:
    if applied.decision is None:
        return f"refused: {applied.code}"
    outcome: str = applied.decision["outcome"]
    codes = [reason["code"] for reason in applied.decision["reasons"]]
    return f"{outcome}: {', '.join(codes)}" if codes else outcome
