"""The same programme file gives the same outcome in the wallet and at the verifier."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from issuer.register.csv_evidence import evidence_kinds, evidence_to_csv, parse_evidence_csv
from issuer.register.evidence import EvidenceRecord, sector_id
from seoul_wallet.sample.residents import Resident, make_residents
from tests.support.evidence_bench import ISSUER, STATUS_URI, noon
from tests.support.programmes import example_catalogue
from wallet.credentials.sd_jwt import issue_sd_jwt_vc, parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.did.document import build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.eligibility.decision import Evaluation, evaluate
from wallet.eligibility.evidence_types import evidence_types
from wallet.eligibility.signed_catalogue import (
    PublishedCatalogue,
    publish_catalogue,
    verify_published_catalogue,
)
from wallet.encoding.json import JsonObject
from wallet.holder.cards import HeldCredential
from wallet.holder.findings import Finding, find_programmes
from wallet.holder.presentables import presentable
from wallet.protocols.claims_path import pick_claims

RESIDENTS = int(os.environ.get("SOAK_RESIDENTS", "60"))
CHUNK = 500
# Days on which most of the programmes are in force; the registers are of each day anew.
DAYS = (date(2022, 6, 15), date(2023, 6, 1), date(2023, 10, 10), date(2025, 8, 1))
KEY = Es256SigningKey.generate()
SEOUL = "서울특별시"
HOLDER = Es256SigningKey.generate()


@cache
def published() -> PublishedCatalogue:
    catalogue = example_catalogue()
    data = publish_catalogue(
        catalogue,
        KEY,
        publisher=ISSUER,
        verification_method=f"{ISSUER}#key-1",
        apply_to=dict.fromkeys(catalogue.versions, "https://agency.example"),
        issued_at=1,
        expires_at=4_000_000_000,
    )
    document = parse_did_document(
        build_did_document(ISSUER, {"key-1": KEY.public_key}), parse_did(ISSUER)
    )
    return verify_published_catalogue(data, publisher=ISSUER, document=document, now=2)


def recorded(chunk: list[Resident]) -> dict[str, dict[str, EvidenceRecord]]:
    """Return the registers of some residents, through their files."""
    return {
        kind: parse_evidence_csv(
            kind,
            evidence_to_csv(
                kind,
                (
                    (resident.register_id, row)
                    for resident in chunk
                    for row in resident.rows.get(kind, ())
                ),
            ),
        )[0]
        for kind in evidence_kinds()
    }


def held_card(kind: str, said: JsonObject, person: str, now: int) -> HeldCredential:
    found = evidence_types()
    said = {
        **said,
        "sector_id": {name: sector_id(b"k" * 32, name, person) for name in found.sectors},
    }
    members = [
        (name, member)
        for name, value in said.items()
        if isinstance(value, dict)
        for member in value
    ]
    issued = issue_sd_jwt_vc(
        {
            "iss": ISSUER,
            "vct": found.by_name[kind].vct,
            "exp": now + 86400,
            "status": {"status_list": {"idx": 1, "uri": STATUS_URI}},
            **said,
        },
        [*((name,) for name in said), *members],
        KEY,
        verification_method=f"{ISSUER}#key-1",
        holder=HOLDER.public_key,
    )
    return HeldCredential(
        id=kind,
        credential_issuer="https://issuer.example",
        configuration_id=kind,
        credential=issued.compact,
        key_handle="key",
        received_at=now,
    )


def at_the_verifier(finding: Finding, on: date) -> Evaluation:
    """Present what the wallet chose, and evaluate the programme's file on what arrives."""
    ours = finding.programme
    found = example_catalogue().version(ours.id, ours.version)
    arrived = {}
    for name, choice in finding.choices.items():
        held = CARDS[choice.card.id]
        sent = presentable(held).present(choice.paths, None)
        assert isinstance(sent, str)
        parsed = parse_sd_jwt(sent)
        claims = parsed.process(parsed.jws.peek_claims()).claims
        asked = found.query.credentials[name].claims
        places = [path for claim in asked for path in claim.select(claims, withheld=True)]
        arrived[name] = pick_claims(claims, places)
    return evaluate(found, arrived, on)


CARDS: dict[str, HeldCredential] = {}


def summary(evaluation: Evaluation) -> tuple[Any, ...]:
    return (
        evaluation.outcome.value,
        [(reason.code, reason.clause) for reason in evaluation.reasons],
        evaluation.decided_by,
        [(item.evidence, item.cause.value) for item in evaluation.missing],
        evaluation.rank_key,
    )


def residents() -> Iterator[tuple[Resident, dict[str, EvidenceRecord], date]]:
    share = RESIDENTS // len(DAYS)
    for seed, on in enumerate(DAYS):
        people = make_residents(seed=seed, count=share, on=on)
        chunk: list[Resident] = []
        for resident in people:
            chunk.append(resident)
            if len(chunk) == CHUNK:
                yield from _with_records(chunk, on)
                chunk = []
        yield from _with_records(chunk, on)


def _with_records(
    chunk: list[Resident], on: date
) -> Iterator[tuple[Resident, dict[str, EvidenceRecord], date]]:
    registers = recorded(chunk)
    for resident in chunk:
        own = {
            kind: records[resident.register_id]
            for kind, records in registers.items()
            if resident.register_id in records
        }
        yield resident, own, on


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_wallet_and_verifier_and_a_second_reading_of_the_rules_agree() -> None:
    outcomes: dict[str, set[str]] = {}
    for resident, records, on in residents():
        now = noon(on)
        CARDS.clear()
        for kind, record in records.items():
            CARDS[kind] = held_card(kind, record.claims(on), resident.register_id, now)
        for finding in find_programmes(published(), list(CARDS.values()), now):
            name = finding.programme.name
            verifier = at_the_verifier(finding, on)
            assert summary(finding.evaluation) == summary(verifier), (resident.register_id, name)
            outcomes.setdefault(name, set()).add(finding.outcome.value)
            if name in ORACLES:
                expected = ORACLES[name](resident.rows, on)
                assert finding.outcome.value == expected, (resident.register_id, name)
    assert len(outcomes) >= 10
    if RESIDENTS >= 10_000:
        assert all("eligible" in seen for seen in outcomes.values() if len(seen) > 1)


# A second reading of some programmes, from the registers' rows and in other words.
Rows = Mapping[str, tuple[JsonObject, ...]]


def _age(born: date, on: date) -> int:
    # Whoever is born on 29 February is a year older on 1 March of a common year.
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def _kleene(*truths: bool | None) -> str:
    if False in truths:
        return "not_eligible"
    return "unknown" if None in truths else "eligible"


def _home(rows: Rows, on: date) -> JsonObject | None:
    """Return the home in Seoul, None for who lives elsewhere or between two homes."""
    for row in rows["residence"]:
        if row["first_day"] <= on and (row["last_day"] is None or row["last_day"] >= on):
            return row if row["city_or_province"] == SEOUL else None
    return None


def _vote(rows: Rows, on: date) -> str:
    home = _home(rows, on)
    in_district = home is not None and home["district"] == "동작구"
    return _kleene(_age(rows["residence"][0]["birth_date"], on) >= 14, in_district)


def _climate(rows: Rows, on: date) -> str:
    age = _age(rows["residence"][0]["birth_date"], on)
    if not 19 <= age <= 42:
        return "not_eligible"
    if age <= 39:
        return "eligible"
    if "military-service" not in rows:
        return "unknown"
    months = rows["military-service"][0]["service_months"]
    extra = 0 if months == 0 else 1 if months < 12 else 2 if months < 24 else 3
    return "eligible" if age <= 39 + extra else "not_eligible"


def _maternity(rows: Rows, on: date) -> str:
    home = _home(rows, on)
    long_enough = False
    if home is not None:
        since = home["first_day"]
        earlier = [row for row in rows["residence"] if row["last_day"] is not None]
        for row in sorted(earlier, key=lambda row: row["first_day"], reverse=True):
            joined = row["last_day"] + timedelta(days=1) >= since
            if joined and row["city_or_province"] == SEOUL:
                since = row["first_day"]
            else:
                break
        months = (on.year - since.year) * 12 + on.month - since.month
        last = (on + timedelta(days=1)).day == 1 and since.day >= on.day
        long_enough = months > 6 or (months == 6 and (on.day >= since.day or last))
    time: bool | None = None
    if "pregnancy" in rows:
        row = rows["pregnancy"][0]
        if row["stage"] == "pregnant":
            time = (on - row["counted_from"]).days >= 84
        else:
            born = row["delivered_on"]
            months = (on.year - born.year) * 12 + on.month - born.month
            time = born <= on and (months < 3 or (months == 3 and on.day <= born.day))
    once: bool | None = None
    receipts = [row for row in rows.get("receipts", ()) if row["programme"] == "maternity-fare"]
    if receipts and (on - receipts[0]["as_of"]).days <= 30:
        days = [row["received_on"] for row in receipts if row["received_on"] is not None]
        once = all(
            (day.year + 1, day.month, day.day) <= (on.year, on.month, on.day) for day in days
        )
    return _kleene(long_enough, time, once)


ORACLES: dict[str, Callable[[Rows, date], str]] = {
    "mvoting-dongjak@2025": _vote,
    "climate-card-youth@2025": _climate,
    "maternity-fare@2022": _maternity,
}
