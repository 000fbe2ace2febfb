"""Claim: deciding over HTTP costs little more than request, commit and verification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask, Response, request

from benchmarks.conftest import Paired
from tests.support.desk import Desk
from wallet.adapters.sql.engine import open_engine
from wallet.adapters.sql.sessions import SqlSessionStore
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.evidence import collect
from wallet.protocols.oid4vp_response import build_response
from wallet.verification.pipeline import verify_presentation
from wallet.verification.policy import VerificationPolicy

STATE = b"x" * 4096


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


def test_presentation_decided_over_http(paired: Paired, desk: Desk) -> None:
    bare = bare_application().test_client()
    # The floor commits to the same file, so that both pay alike for its checkpoints.
    engine = open_engine(desk.config.database_url)
    store = SqlSessionStore(engine)
    examiner = desk.verifier.service._in_hand._examiner
    now = desk.clock.now()
    numbers = iter(range(10**9))

    def fresh() -> Case:
        forms, in_process, session_ids = [], [], []
        for position in range(5):
            asked = desk.fetch(desk.ask())
            card = desk.card(asked)
            if position < 2:
                forms.append(build_response({"card": [card]}, asked.state))
                session_ids.append(str(next(numbers)))
                store.create("floor", session_ids[-1], STATE, expires_at=now + 1000)
            else:
                query = asked.dcql_query.credentials["card"]
                policy = examiner.policy_for(query, str(asked.client_id), asked.nonce)
                in_process.append((card, policy))
        return Case(forms, in_process, session_ids)

    def floor(case: Case) -> None:
        for form, session_id in zip(case.forms, case.session_ids, strict=True):
            bare.post("/responses", data=form)
            store.replace("floor", session_id, STATE, expected_version=1, expires_at=now + 600)
        for card, policy in case.in_process:
            evidence = collect(parse_presented_sd_jwt(card), examiner.sources)
            verify_presentation(card, evidence, policy, now=now)

    def decide(case: Case) -> None:
        for form in case.forms:
            answer = desk.client.post("/responses", data=form)
            assert answer.status_code == 200

    paired(
        row="decided over HTTP: bare POST + durable commit + 1.5 x cold verification",
        fresh=fresh,
        floor=floor,
        subject=decide,
        rounds=100,
    )
    engine.dispose()
