"""Facts that could not be renewed, in every combination and format: no age is told too young."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Final

import pytest

from tests.services.formats.test_attacks import place_of
from tests.support.format_town import (
    EPOCH,
    FORMATS,
    STATUS_REUSE_S,
    FormatTown,
    Holder,
    query_for,
)
from verifier.decision import Examined, Examiner, Verdict, examine
from wallet.evidence import FactSources
from wallet.holder.cards import Card
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.oid4vp_response import RawPresentation
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.policy import TrustPolicy

# As long as a status list says that it may be kept.
MAX_AGE_S: Final = 300
PARTS: Final = ("chain", "status", "did", "network")
COMBINATIONS: Final = [
    frozenset(name for name, is_down in zip(PARTS, flags, strict=True) if is_down)
    for flags in product((False, True), repeat=len(PARTS))
]
AUDIENCE, NONCE = "decentralized_identifier:did:web:agency.example", "n" * 22
# Which step rests on which part.
RESTS_ON: Final = {"issuer_key": "did", "accreditation": "chain", "status": "status"}


class Copies:
    """Evidence for one presentation as it was once, and as it is `MAX_AGE_S` later."""

    def __init__(self, town: FormatTown, holder: Holder, card: Card, kind: str) -> None:
        self._query = parse_dcql(query_for(kind, "child_count")).credentials["card"]
        trust = TrustPolicy(
            epochs=frozenset((EPOCH,)),
            max_replica_age_s=MAX_AGE_S,
            max_status_age_s=MAX_AGE_S,
            max_issuer_keys_age_s=MAX_AGE_S,
        )
        network = town.city.network
        self._town = town
        self._examiner = Examiner(
            sources=FactSources(network, network, town.city.replica),
            trust=trust,
            max_binding_age_s=300,
        )
        town.pass_time(STATUS_REUSE_S)
        self.then = town.city.clock.now()
        old = self._presented(holder, card, kind)
        self.old = self._examiner.evidence_for(old, self._query.format)
        town.pass_time(MAX_AGE_S)
        self.now = town.city.clock.now()
        self.presentation = self._presented(holder, card, kind)
        self.new = self._examiner.evidence_for(self.presentation, self._query.format)

    def _presented(self, holder: Holder, card: Card, kind: str) -> RawPresentation:
        return holder.presentation(
            card,
            [place_of(kind, "child_count")],
            audience=AUDIENCE,
            nonce=NONCE,
            issued_at=self._town.city.clock.now(),
        )

    def without(self, lost: frozenset[str]) -> Evidence:
        """Return what is at hand when these parts could not be renewed."""
        status = self.old if "status" in lost else self.new
        return replace(
            self.new,
            issuer_keys=(self.old if "did" in lost else self.new).issuer_keys,
            anchor=(self.old if "chain" in lost else self.new).anchor,
            status_list=status.status_list,
            bitstring_lists=status.bitstring_lists,
        )

    def examined(self, lost: frozenset[str], now: int) -> Examined:
        """Run every step at `now`."""
        policy = self._examiner.policy_for(self._query, AUDIENCE, NONCE)
        return examine(self.presentation, self.without(lost), policy, now)


def times(evidence: Evidence) -> dict[str, int]:
    """Return the time of each part, as the part itself says."""
    found = {}
    for name, fact in (("did", evidence.issuer_keys), ("chain", evidence.anchor)):
        assert isinstance(fact, Fact), fact
        found[name] = fact.as_of
    lists = [evidence.status_list, *evidence.bitstring_lists.values()]
    dates = [fact.value.issued_at for fact in lists if isinstance(fact, Fact)]
    return found | ({"status": min(dates)} if dates else {})


def ages(examined: Examined) -> dict[str, int]:
    """Return the age of its facts that each step tells."""
    steps = examined.to_json()["steps"]
    return {step["name"]: step["facts_age_s"] for step in steps if "facts_age_s" in step}


@pytest.mark.parametrize("kind", FORMATS)
def test_in_every_outage_each_step_tells_the_age_of_the_facts_that_it_has(
    town: FormatTown, citizen: Holder, cards: dict[str, Card], kind: str
) -> None:
    copies = Copies(town, citizen, cards[kind], kind)
    used = set(times(copies.new))
    # A benefit key and a voting credential have dates instead of a status.
    assert used == ({"did", "chain"} if kind == "bbs" else {"did", "chain", "status"})
    for down in COMBINATIONS:
        lost = frozenset(PARTS if "network" in down else down)
        at_hand = times(copies.without(lost))
        assert set(at_hand.values()) <= {copies.then, copies.now}
        within = copies.examined(lost, copies.now)
        assert within.verdict is Verdict.ACCEPTED, (down, within.to_json())
        assert ages(within) == {
            step: copies.now - at_hand[part] for step, part in RESTS_ON.items() if part in used
        }
        assert within.report.facts_as_of == min(at_hand.values())

        beyond = copies.examined(lost, copies.now + 1)
        if lost & used:
            assert (beyond.verdict, beyond.to_json()["code"]) == (
                Verdict.UNAVAILABLE,
                "facts_too_old",
            )
            assert beyond.report.facts_as_of == copies.then
        else:
            assert beyond.verdict is Verdict.ACCEPTED
            assert beyond.report.facts_as_of == copies.now
