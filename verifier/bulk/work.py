"""Deciding on some applications with the facts that came along: pure, done wherever.

The same engine and the same steps as for one answer at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from verifier.bulk.application import Application, ApplicationFault
from verifier.bulk.records import ApplicationState
from verifier.decision import Rules
from verifier.programme_answers import answer_of, decide_on_answer
from verifier.receipts.basis import DecidedAnswer
from wallet.eligibility.programme import Programme
from wallet.encoding.json import JsonObject
from wallet.errors import SeoulWalletError, fault_place
from wallet.verification.evidence import Evidence

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """An application at its position in the batch, the programme, and evidence by presentation."""

    position: int
    application: Application
    programme: Programme
    evidence: Mapping[str, Evidence]


@dataclass(frozen=True, slots=True)
class Unit:
    """Applications that travel together, decided as of `now` (unix seconds).

    What several items share (programmes, evidence) travels once.
    """

    items: Sequence[Item]
    now: int


@dataclass(frozen=True, slots=True)
class Binding:
    """What every key binding in a batch names, and when the batch was opened: none is older."""

    audience: str
    nonce: str
    opened_at: int


class Line(NamedTuple):
    """What became of one application, and how it is told; `answer` is what was decided, None for
    one that was refused."""

    position: int
    state: ApplicationState
    told: JsonObject
    answer: DecidedAnswer | None = None


def decide_unit(unit: Unit, *, rules: Rules, binding: Binding) -> list[Line]:
    """Return a line for every item, in order. Raises nothing for what is wrong with an item."""
    age_s = max(0, unit.now - binding.opened_at)
    since_opened = replace(rules, max_binding_age_s=age_s)
    return [_decide(item, unit.now, since_opened, binding) for item in unit.items]


def _decide(item: Item, now: int, rules: Rules, binding: Binding) -> Line:
    application = item.application
    try:
        decision, pieces = decide_on_answer(
            item.programme,
            {name: [text] for name, text in application.presentations.items()},
            lambda presentation, _: item.evidence[str(presentation)],
            rules,
            audience=binding.audience,
            nonce=binding.nonce,
            now=now,
        )
    except SeoulWalletError as error:
        return refused_line(item.position, application.id, error)
    except Exception as error:
        # The edge of a unit, as the edge of a request is: a fault met by one application is
        # told as such and must not take the others along. It is never a verdict.
        return _fault_line(item, error)
    told: JsonObject = {
        "position": item.position,
        "id": application.id,
        "state": "decided",
        "decision": decision.to_json(),
    }
    outcome = ApplicationState(decision.evaluation.outcome.value)
    return Line(item.position, outcome, told, answer_of(decision, pieces))


def _fault_line(item: Item, error: Exception) -> Line:
    _LOG.error("unhandled %s", fault_place(error))
    fault = ApplicationFault("the application met a fault of this service")
    return refused_line(item.position, item.application.id, fault)


def refused_line(position: int, application_id: str | None, error: SeoulWalletError) -> Line:
    """Return the line of an application that got no decision."""
    told: JsonObject = {
        "position": position,
        "id": application_id,
        "state": "refused",
        "code": error.code,
        "detail": str(error),
    }
    return Line(position, ApplicationState.REFUSED, told)
