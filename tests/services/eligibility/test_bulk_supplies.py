"""Applications that take other programmes and facts than their neighbours do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.bulk import CARD, CARD_CLAIMS, CARD_NOW, BulkBench
from tests.support.evidence_bench import EvidenceBench
from verifier.bulk.facts import MAX_SHARED
from wallet.encoding.json import JsonObject


@pytest.fixture
def bulk(tmp_path: Path) -> BulkBench:
    return BulkBench(tmp_path, EvidenceBench(CARD_NOW))


def outcomes(bulk: BulkBench, batch: JsonObject) -> dict[str, str]:
    return {
        item["id"]: item["decision"]["outcome"] if item["state"] == "decided" else item["code"]
        for item in bulk.decisions(batch)
    }


def test_more_programmes_than_travel_with_every_unit_are_each_looked_up(bulk: BulkBench) -> None:
    batch = bulk.open()
    count = MAX_SHARED + 8
    for number in range(2):
        unknown: list[JsonObject] = [
            {"id": f"{number}-{at}", "programme": f"no-such-{at}", "presentations": {}}
            for at in range(count)
        ]
        good = bulk.application(batch, f"good-{number}", CARD, CARD_CLAIMS)
        assert bulk.send(batch, number, [*unknown, good]).status_code == 202
    bulk.seal(batch)
    bulk.verifier.bulk.run_once()
    found = outcomes(bulk, batch)
    assert [found.pop(f"good-{number}") for number in range(2)] == ["eligible"] * 2
    assert len(found) == 2 * count
    assert set(found.values()) == {"programme_unknown"}
    assert bulk.progress(batch)["state"] == "done"


def test_evidence_of_an_issuer_that_nobody_knows_does_not_count_among_others(
    bulk: BulkBench,
) -> None:
    batch = bulk.open()
    stranger = EvidenceBench(CARD_NOW, issuer="did:web:stranger.example")
    binding = {"audience": batch["audience"], "nonce": batch["nonce"]}
    shown = stranger.present(CARD, "family", CARD_CLAIMS["family"], **binding)
    foreign = {"id": "foreign", "programme": CARD.id, "presentations": {"family": shown}}
    good = [bulk.application(batch, name, CARD, CARD_CLAIMS) for name in "ab"]
    bulk.send(batch, 0, [good[0], foreign, good[1]])
    bulk.verifier.bulk.run_once()
    assert outcomes(bulk, batch) == {"a": "eligible", "foreign": "unknown", "b": "eligible"}
    # Nothing that a stranger names is fetched.
    assert bulk.bench.dids.asked == [bulk.bench.issuer]


def test_a_refused_programme_leaves_the_id_free_and_a_refused_answer_does_not(
    bulk: BulkBench,
) -> None:
    batch = bulk.open()
    good = bulk.application(batch, "a", CARD, CARD_CLAIMS)
    bulk.send(batch, 0, [{**good, "programme": "no-such"}, good])
    bad = {**good, "id": "b", "presentations": {"surprise": "x"}}
    other = bulk.application(batch, "b", CARD, CARD_CLAIMS)
    bulk.send(batch, 1, [bad, other])
    bulk.verifier.bulk.run_once()
    codes = [item.get("code") for item in bulk.decisions(batch)]
    assert codes == ["programme_unknown", None, "answer_excessive", "application_repeated"]
