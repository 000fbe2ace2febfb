"""The work on a unit of applications: what goes along, and what a fault does to its neighbours."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Sequence

import pytest

from tests.support.bulk import CARD, CARD_CLAIMS, CARD_NOW
from tests.support.certificates import Authority
from tests.support.evidence_bench import AUDIENCE, NONCE, EvidenceBench
from verifier.bulk.facts import AskedProgramme, AtHand, Lacking
from verifier.bulk.records import ApplicationState
from verifier.bulk.work import Binding, Line, Setting, Unit, decide_unit
from verifier.decision import Examiner
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.certificates import TrustAnchors
from wallet.encoding.json import parse_json_object, to_json
from wallet.evidence import FactSources
from wallet.verification.policy import TrustPolicy
from wallet.verification.requirements import requirements

BINDING = Binding(AUDIENCE, NONCE, CARD_NOW)
ASKED = AskedProgramme(CARD.id, None)
AGENCY = "did:web:agency.example"


class Sent:
    """Three applications of one person, and what is needed to decide on them."""

    def __init__(self) -> None:
        bench = EvidenceBench(CARD_NOW)
        sources = FactSources(bench.dids, bench.status_lists, bench.replica)
        self.examiner = Examiner(sources=sources, trust=TrustPolicy(), max_binding_age_s=300)
        self.shown = [bench.present(CARD, "family", CARD_CLAIMS["family"]) for _ in range(3)]
        self.needs = requirements(parse_presented_sd_jwt(self.shown[0]))
        self.at_hand = AtHand({ASKED: CARD}, {self.needs: self.examiner.collect_for(self.needs)})

    def unit(self, at_hand: AtHand, brought: AtHand | None = None, **other: str) -> Unit:
        """The applications as they travel; the second names `other` where the test does."""
        people = [{"id": str(at), "programme": CARD.id, "presentations": {"family": text}}
                  for at, text in enumerate(self.shown)]  # fmt: skip
        people[1] |= other
        lines = {at: to_json(person) for at, person in enumerate(people)}
        setting = Setting(self.examiner.rules, BINDING, AGENCY, at_hand).packed()
        return Unit(lines, CARD_NOW, setting, brought)


def states(found: Sequence[Line | Lacking]) -> list[ApplicationState | None]:
    return [item.state if isinstance(item, Line) else None for item in found]


ELIGIBLE, REFUSED = ApplicationState.ELIGIBLE, ApplicationState.REFUSED


def test_what_is_at_hand_decides_and_comes_back_ready_to_be_kept() -> None:
    sent = Sent()
    found = decide_unit(pickle.loads(pickle.dumps(sent.unit(sent.at_hand))))
    assert states(found) == [ELIGIBLE] * 3
    for at, line in enumerate(found):
        assert isinstance(line, Line)
        assert line.draft is not None
        told, claims = parse_json_object(line.told), parse_json_object(line.draft.claims)
        assert (told["id"], told["receipt_id"]) == (str(at), claims["jti"])
        assert (claims["iss"], claims["nonce"]) == (AGENCY, NONCE)
        assert "log_index" not in claims


def test_what_is_not_at_hand_is_named_and_decided_on_when_it_is_brought() -> None:
    sent = Sent()
    found = decide_unit(sent.unit(AtHand({ASKED: CARD}, {})))
    assert found == [Lacking(at, ASKED, (sent.needs,)) for at in range(3)]
    found = decide_unit(sent.unit(sent.at_hand, programme="another"))
    assert states(found) == [ELIGIBLE, None, ELIGIBLE]
    brought = decide_unit(sent.unit(AtHand(), sent.at_hand))
    assert states(brought) == [ELIGIBLE] * 3


def test_an_unforeseen_fault_is_no_verdict_and_harms_no_neighbour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent = Sent()
    # The programme of the second got lost on the way, which nothing foresees.
    unit = sent.unit(AtHand(), sent.at_hand, programme="lost")
    with caplog.at_level(logging.ERROR):
        found = decide_unit(unit)
    assert states(found) == [ELIGIBLE, REFUSED, ELIGIBLE]
    assert isinstance(found[1], Line)
    told = parse_json_object(found[1].told)
    assert (told["id"], told["code"]) == ("1", "application_fault")
    assert sent.shown[1] not in caplog.text
    assert "KeyError" in caplog.text


def test_trust_anchors_go_along_to_another_process() -> None:
    anchors = TrustAnchors([Authority("Synthetic authority").der])
    copied: TrustAnchors = pickle.loads(pickle.dumps(anchors))
    assert len(copied) == 1
    assert pickle.dumps(copied) == pickle.dumps(anchors)
    assert len(pickle.loads(pickle.dumps(TrustAnchors()))) == 0
