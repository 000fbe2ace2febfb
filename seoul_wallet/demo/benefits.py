"""The acts of a young resident: find out privately, apply with one consent, draw nothing twice."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from issuer.register.model import SEOUL
from seoul_wallet.demo.scene import DemoFailed, Scene
from seoul_wallet.sample.residents import Resident, make_residents
from wallet.app import open_wallet
from wallet.eligibility.benefit_key import BENEFIT_KEY
from wallet.eligibility.days import birthday
from wallet.encoding.json import JsonObject
from wallet.holder.discovery import Applied
from wallet.holder.findings import Finding
from wallet.holder.wallet import Wallet

RESIDENTS: Final = 200
PEOPLE: Final = 2
# What the wallet gets: evidence that most of the young have, and the key that counts them.
KINDS: Final = ("residence", "employment", "schooling")
FARE: Final = "youth-fare"
_YOUNGEST, _OLDEST = 19, 24


@dataclass(frozen=True, slots=True)
class Youth:
    """A young resident with a wallet of their own."""

    resident: Resident
    wallet: Wallet


def open_youths(scene: Scene, today: date, *, seed: int) -> list[Youth]:
    """Give wallets, evidence and benefit keys to the first young residents of the register."""
    found = [
        resident
        for resident in make_residents(seed=seed, count=RESIDENTS, on=today)
        if _is_young(resident, today)
    ][:PEOPLE]
    if len(found) < PEOPLE:
        raise DemoFailed("the register has too few young people; try another seed")
    youths = [Youth(resident, _open(scene, number)) for number, resident in enumerate(found)]

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
    """List what the holder probably qualifies for, apply for all of it, then once too often."""
    wallet = youth.wallet
    eligible: list[Finding] = []

    def list_programmes() -> tuple[str, str]:
        wallet.discovery.refresh(scene.stack.verifier_url)
        findings = wallet.discovery.findings()
        eligible.extend(item for item in findings if item.outcome.value == "eligible")
        names = sorted(item.programme.id for item in eligible)
        note = f"{len(findings)} programmes judged on the device; probably: {', '.join(names)}"
        return ("the fare is among them" if FARE in names else "the fare is not there"), note

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
    add("한 번의 동의로 모두 신청", "one consent applies for all", "all eligible", apply_for_all)
    add(
        "같은 혜택을 두 번째로 신청",
        "a second claim of the same benefit",
        "not_eligible: received_this_year",
        apply_again,
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
