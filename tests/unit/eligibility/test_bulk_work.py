"""The work on a unit of applications: what goes along, and what a fault does to its neighbours."""

from __future__ import annotations

import logging
import pickle

import pytest

from tests.support.bulk import CARD, CARD_CLAIMS, CARD_NOW
from tests.support.certificates import Authority
from tests.support.evidence_bench import AUDIENCE, NONCE, EvidenceBench
from verifier.bulk.application import Application
from verifier.bulk.records import ApplicationState
from verifier.bulk.work import Binding, Item, Unit, decide_unit
from verifier.decision import Examiner
from wallet.crypto.certificates import TrustAnchors
from wallet.evidence import FactSources
from wallet.verification.policy import TrustPolicy

BINDING = Binding(AUDIENCE, NONCE, CARD_NOW)


def examiner(bench: EvidenceBench) -> Examiner:
    sources = FactSources(bench.dids, bench.status_lists, bench.replica)
    return Examiner(sources=sources, trust=TrustPolicy(), max_binding_age_s=300)


def test_an_unforeseen_fault_is_no_verdict_and_harms_no_neighbour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = EvidenceBench(CARD_NOW)
    examines = examiner(bench)
    shown = [bench.present(CARD, "family", CARD_CLAIMS["family"]) for _ in range(3)]
    items = [
        Item(
            number,
            Application(str(number), CARD.id, None, {"family": text}),
            CARD,
            # The evidence of the second got lost on the way, which nothing foresees.
            {} if number == 1 else {text: examines.evidence_for(text)},
        )
        for number, text in enumerate(shown)
    ]
    with caplog.at_level(logging.ERROR):
        lines = decide_unit(Unit(items, CARD_NOW), rules=examines.rules, binding=BINDING)
    assert [line.state for line in lines] == [
        ApplicationState.ELIGIBLE,
        ApplicationState.REFUSED,
        ApplicationState.ELIGIBLE,
    ]
    told = lines[1].told
    assert (told["id"], told["code"]) == ("1", "application_fault")
    assert shown[1] not in caplog.text
    assert "KeyError" in caplog.text


def test_trust_anchors_go_along_to_another_process() -> None:
    anchors = TrustAnchors([Authority("Synthetic authority").der])
    copied: TrustAnchors = pickle.loads(pickle.dumps(anchors))
    assert len(copied) == 1
    assert pickle.dumps(copied) == pickle.dumps(anchors)
    assert len(pickle.loads(pickle.dumps(TrustAnchors()))) == 0
