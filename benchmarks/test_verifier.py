"""Claim: deciding over HTTP costs little more than request, commit and verification."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from sqlalchemy import Engine

from benchmarks.conftest import Paired
from tests.support.desk import Desk
from wallet.adapters.sql.engine import open_engine
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.evidence import collect
from wallet.protocols.oid4vp_response import build_response
from wallet.verification.pipeline import verify_presentation
from wallet.verification.policy import VerificationPolicy
from wallet.verification.presented import parse_received

# As much as a decision keeps, and about as long.
STATE = b"x" * 1400
ANSWER_TTL_S, RESULT_TTL_S = 1000, 600


@dataclass
class Case:
    """Two answers to post, and three presentations to verify: one and a half times two."""

    forms: list[dict[str, str]]
    in_process: list[tuple[str, VerificationPolicy]]
    session_ids: list[str]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.verifier.close()


def bare_application() -> Flask:
    app = Flask("bare")

    @app.post("/responses")
    def take() -> Response:
        return Response(str(len(request.get_data())), content_type="application/json")

    return app


@dataclass
class Rig:
    """A desk and, over the same database file, what the floor commits through."""

    desk: Desk
    engine: Engine
    bare: FlaskClient
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    def __post_init__(self) -> None:
        # The same file, so that both pay alike for its checkpoints.
        self.store = SqlSessionStore(self.engine)
        self.now = self.desk.clock.now()

    def fresh(self) -> Case:
        forms, in_process, session_ids = [], [], []
        desk, examiner = self.desk, self.desk.verifier.examiner
        for position in range(5):
            asked = desk.fetch(desk.ask())
            card = desk.card(asked)
            if position < 2:
                forms.append(build_response({"card": [card]}, asked.state))
                session_ids.append(str(next(self.numbers)))
                self.store.create(
                    "floor", session_ids[-1], STATE, expires_at=self.now + ANSWER_TTL_S
                )
            else:
                query = asked.dcql_query.credentials["card"]
                policy = examiner.policy_for(query, str(asked.client_id), asked.nonce)
                in_process.append((card, policy))
        return Case(forms, in_process, session_ids)

    def floor(self, case: Case) -> None:
        """The parts in the order of the whole: how long a commit takes depends on the last one."""
        examiner, cards = self.desk.verifier.examiner, iter(case.in_process)
        for form, session_id, count in zip(case.forms, case.session_ids, (2, 1), strict=True):
            self.bare.post("/responses", data=form)
            for card, policy in islice(cards, count):
                parsed = parse_received(card)
                evidence = collect(parsed.presented, examiner.sources)
                verify_presentation(parsed, evidence, policy, now=self.now)
            self.store.replace(
                "floor", session_id, STATE, expected_version=1, expires_at=self.now + RESULT_TTL_S
            )

    def decide(self, case: Case) -> None:
        for form in case.forms:
            answer = self.desk.client.post("/responses", data=form)
            assert answer.status_code == 200


@pytest.fixture
def rig(desk: Desk) -> Iterator[Rig]:
    engine = open_engine(desk.config.database_url)
    yield Rig(desk, engine, bare_application().test_client())
    engine.dispose()


@pytest.mark.parametrize(
    ("how", "clock"), [("processor time", time.process_time), ("by the clock", time.perf_counter)]
)
def test_presentation_decided_over_http(
    paired: Paired, rig: Rig, how: str, clock: Callable[[], float]
) -> None:
    paired(
        row=f"decided over HTTP / POST + commit + 1.5 x cold verification, {how}",
        fresh=rig.fresh,
        floor=rig.floor,
        subject=rig.decide,
        rounds=200,
        at_most=1,
        clock=clock,
    )
