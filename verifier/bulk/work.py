"""Deciding on some applications with the facts that came along: pure, done wherever.

The same engine and the same steps as for one answer at a time. What comes back is ready to be
kept: only the log is told in one place.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, NamedTuple

from verifier.bulk.application import (
    Application,
    ApplicationDigests,
    ApplicationFault,
    parse_application,
    peek_application_id,
)
from verifier.bulk.facts import AskedProgramme, AtHand, Lacking
from verifier.bulk.records import ApplicationState
from verifier.decision import Rules
from verifier.programme_answers import answer_of, decide_on_answer
from verifier.receipts.basis import ReceiptDraft, draft_receipt
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.eligibility.programme import Programme
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError, fault_place
from wallet.verification.evidence import Evidence
from wallet.verification.presented import ParsedPresentation, Presentable, parse_presented
from wallet.verification.requirements import Requirements, requirements

_LOG: Final = logging.getLogger(__name__)
# Two batches may take turns.
_SETTINGS_KEPT: Final = 2


@dataclass(frozen=True, slots=True)
class Binding:
    """What every key binding in a batch names, and when the batch was opened: none is older."""

    audience: str
    nonce: str
    opened_at: int


@dataclass(frozen=True, slots=True)
class Setting:
    """What all units of a batch are decided under; `issuer` is the agency that signs receipts."""

    rules: Rules
    binding: Binding
    issuer: str
    at_hand: AtHand

    def packed(self) -> bytes:
        """Return it as `Unit.setting`."""
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)


# Bytes that were unpacked before are not unpacked again for every unit, and what is remembered of
# keys and policies goes by the object.
@lru_cache(maxsize=_SETTINGS_KEPT)
def _unpacked(setting: bytes) -> Setting:
    found: Setting = pickle.loads(setting)  # noqa: S301 (as this function came)
    return found


@dataclass(frozen=True, slots=True)
class Unit:
    """Lines by their position, decided as of `now` (unix seconds) under a packed `Setting`.

    `brought` is what they lacked the first time.
    """

    lines: Mapping[int, bytes]
    now: int
    setting: bytes
    brought: AtHand | None = None


class Line(NamedTuple):
    """What became of one application.

    `told` is JSON; `digests` are None for what is no application, and no later application may
    have them if `is_taken`. `draft` is None for one that was refused.
    """

    position: int
    state: ApplicationState
    told: bytes
    digests: ApplicationDigests | None = None
    is_taken: bool = False
    draft: ReceiptDraft | None = None


class _NotAtHand(Exception):
    """Something that an application takes has to be brought."""


class _Case(NamedTuple):
    position: int
    application: Application
    digests: ApplicationDigests

    def refused(self, error: SeoulWalletError, *, is_taken: bool) -> Line:
        """Return its line without a decision."""
        line = refused_line(self.position, self.application.id, error)
        return line._replace(digests=self.digests, is_taken=is_taken)


class _Facts(NamedTuple):
    at_hand: AtHand
    may_lack: bool

    def programme(self, asked: AskedProgramme) -> Programme | SeoulWalletError:
        if self.may_lack and asked not in self.at_hand.programmes:
            raise _NotAtHand
        return self.at_hand.programmes[asked]

    def evidence(self, received: Presentable | ParsedPresentation, format_: str) -> Evidence:
        try:
            needs = requirements(parse_presented(received, format_))
        except SeoulWalletError as error:
            # The check meets the same fault in its first steps and reports it there.
            return Evidence(error, error, error)
        if self.may_lack and needs not in self.at_hand.facts:
            raise _NotAtHand
        return self.at_hand.facts[needs]


def decide_unit(unit: Unit) -> list[Line | Lacking]:
    """Return a line for every application, or what it lacks. Raises nothing for what is wrong
    with one."""
    setting = _unpacked(unit.setting)
    age_s = max(0, unit.now - setting.binding.opened_at)
    since_opened = replace(setting, rules=replace(setting.rules, max_binding_age_s=age_s))
    return [_line(unit, since_opened, position, line) for position, line in unit.lines.items()]


def _line(unit: Unit, setting: Setting, position: int, line: bytes) -> Line | Lacking:
    try:
        application = parse_application(line)
    except SeoulWalletError as error:
        return refused_line(position, peek_application_id(line), error)
    case = _Case(position, application, application.digests())
    try:
        return _decide(unit, setting, case)
    except _NotAtHand:
        return _lacking(position, application)
    except Exception as error:
        # The edge of a unit, as the edge of a request is: a fault met by one application is
        # told as such and must not take the others along. It is never a verdict.
        _LOG.error("unhandled %s", fault_place(error))
        fault = ApplicationFault("the application met a fault of this service")
        return case.refused(fault, is_taken=True)


def _decide(unit: Unit, setting: Setting, case: _Case) -> Line:
    if unit.brought is None:
        facts = _Facts(setting.at_hand, may_lack=True)
    else:
        facts = _Facts(unit.brought, may_lack=False)
    programme = facts.programme(_asked(case.application))
    if isinstance(programme, SeoulWalletError):
        return case.refused(programme, is_taken=False)
    try:
        return _decided(unit, setting, case, programme, facts)
    except SeoulWalletError as error:
        return case.refused(error, is_taken=True)


def _decided(
    unit: Unit, setting: Setting, case: _Case, programme: Programme, facts: _Facts
) -> Line:
    binding, application = setting.binding, case.application
    decision, pieces = decide_on_answer(
        programme,
        {name: [text] for name, text in application.presentations.items()},
        facts.evidence,
        setting.rules,
        audience=binding.audience,
        nonce=binding.nonce,
        now=unit.now,
    )
    answer = answer_of(decision, pieces)
    draft = draft_receipt(answer, issuer=setting.issuer, nonce=binding.nonce)
    told = to_json(
        {
            "position": case.position,
            "id": application.id,
            "state": "decided",
            "decision": decision.to_json(),
            "receipt_id": draft.receipt_id,
        }
    )
    outcome = ApplicationState(decision.evaluation.outcome.value)
    return Line(case.position, outcome, told, case.digests, True, draft)


def _asked(application: Application) -> AskedProgramme:
    return AskedProgramme(application.programme, application.version)


def _lacking(position: int, application: Application) -> Lacking:
    needs: list[Requirements] = []
    for text in application.presentations.values():
        # What is no presentation needs nothing.
        with suppress(SeoulWalletError):
            needs.append(requirements(parse_presented_sd_jwt(text)))
    return Lacking(position, _asked(application), tuple(needs))


def peek_lacking(position: int, line: bytes) -> Lacking | None:
    """Return all that deciding on an application takes, None if the line is none."""
    try:
        return _lacking(position, parse_application(line))
    except SeoulWalletError:
        return None


def refused_line(position: int, application_id: str | None, error: SeoulWalletError) -> Line:
    """Return the line of an application that got no decision."""
    told = {
        "position": position,
        "id": application_id,
        "state": "refused",
        "code": error.code,
        "detail": str(error),
    }
    return Line(position, ApplicationState.REFUSED, to_json(told))
