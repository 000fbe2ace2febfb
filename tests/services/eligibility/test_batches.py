"""Bulk decisions: the same outcomes as one at a time, resumable, and nobody harms another."""

from __future__ import annotations

import copy
import os
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.support.bulk import (
    CARD,
    DEADLY,
    NDJSON,
    BulkBench,
    NoWorkers,
    OneProcess,
    killing_pool,
)
from tests.support.bulk import CARD_CLAIMS as CLAIMS
from tests.support.bulk import CARD_NOW as NOW
from tests.support.evidence_bench import EvidenceBench
from verifier.bulk.facts import FACTS_KEPT_S
from verifier.bulk.runner import LEASE_S
from wallet.encoding.json import JsonObject, parse_json_object, to_json
from wallet.ports.compute import ComputeUnavailable
from wallet.trust.facts import BlockRef


def claims_with(**changes: Any) -> JsonObject:
    claims = copy.deepcopy(CLAIMS)
    claims["family"].update(changes)
    return claims


@pytest.fixture
def bulk(tmp_path: Path) -> BulkBench:
    return BulkBench(tmp_path, EvidenceBench(NOW))


def people(bulk: BulkBench, batch: JsonObject, names: list[str]) -> list[JsonObject]:
    return [bulk.application(batch, name, CARD, CLAIMS) for name in names]


def told_states(bulk: BulkBench, batch: JsonObject) -> dict[str, str]:
    return {
        item["id"]: item["decision"]["outcome"] if item["state"] == "decided" else item["code"]
        for item in bulk.decisions(batch)
    }


def test_decides_each_application_as_one_answer_is_decided(bulk: BulkBench) -> None:
    batch = bulk.open()
    cases = {
        "two-children": CLAIMS,
        "one-child": claims_with(child_count=1),
        "no-paper": {},
    }
    sent = [bulk.application(batch, name, CARD, said) for name, said in cases.items()]
    assert bulk.send(batch, 0, sent).status_code == 202
    bulk.seal(batch)
    bulk.verifier.bulk.run_once()
    found = bulk.decisions(batch)
    assert [item["decision"]["outcome"] for item in found] == [
        "eligible",
        "not_eligible",
        "unknown",
    ]
    for item, application in zip(found, sent, strict=True):
        alone = bulk.bench.desk.decide(
            f"programme:{CARD.name}",
            CARD.query,
            {name: [text] for name, text in application["presentations"].items()},
            audience=batch["audience"],
            nonce=batch["nonce"],
            now=NOW,
            application="one",
        )
        assert item["decision"] == alone.result["eligibility"]
    told = bulk.progress(batch)
    assert told["state"] == "done"
    assert told["applications"] == {
        "received": 3,
        "decided": 3,
        "waiting": 0,
        "eligible": 1,
        "not_eligible": 1,
        "unknown": 1,
        "refused": 0,
    }


def test_a_chunk_sent_again_changes_nothing(bulk: BulkBench) -> None:
    batch = bulk.open()
    first = people(bulk, batch, ["a", "b"])
    once = bulk.send(batch, 0, first)
    assert bulk.send(batch, 0, first).get_json() == once.get_json()
    bulk.verifier.bulk.run_once()
    assert bulk.send(batch, 0, first).status_code == 202
    bulk.verifier.bulk.run_once()
    assert bulk.progress(batch)["applications"]["received"] == 2
    assert len(bulk.decisions(batch)) == 2


def test_a_chunk_with_other_content_or_behind_a_gap_is_refused(bulk: BulkBench) -> None:
    batch = bulk.open()
    bulk.send(batch, 0, people(bulk, batch, ["a"]))
    other = bulk.send(batch, 0, people(bulk, batch, ["b"]))
    assert (other.status_code, other.get_json()["code"]) == (409, "bulk_chunk_conflict")
    gap = bulk.send(batch, 2, people(bulk, batch, ["b"]))
    assert (gap.status_code, gap.get_json()["code"]) == (409, "bulk_chunk_out_of_order")
    assert gap.get_json()["detail"].endswith(" 1")
    assert bulk.progress(batch)["next_chunk"] == 1


def test_a_sealed_batch_and_a_full_one_take_no_more(tmp_path: Path) -> None:
    bulk = BulkBench(tmp_path, EvidenceBench(NOW), max_bulk_applications=2)
    batch = bulk.open()
    full = bulk.send(batch, 0, people(bulk, batch, ["a", "b", "c"]))
    assert (full.status_code, full.get_json()["code"]) == (409, "bulk_batch_full")
    assert bulk.send(batch, 0, people(bulk, batch, ["a"])).status_code == 202
    assert bulk.seal(batch)["state"] == "sealed"
    assert bulk.seal(batch)["state"] == "sealed"
    sealed = bulk.send(batch, 1, people(bulk, batch, ["b"]))
    assert (sealed.status_code, sealed.get_json()["code"]) == (409, "bulk_batch_sealed")


POISON: list[tuple[bytes, str]] = [
    (b"{", "application_malformed"),
    (b"[]", "application_malformed"),
    (b"\xff", "application_malformed"),
    (b'{"id":"x","programme":"multi-child-card"}', "application_malformed"),
    (
        b'{"id":"x","programme":"multi-child-card","presentations":{"a":1}}',
        "application_malformed",
    ),
    (b'{"id":"","programme":"multi-child-card","presentations":{}}', "application_malformed"),
    (b'{"id":"x","programme":1,"presentations":{}}', "application_malformed"),
    (b'{"id":"x","surprise":1,"programme":"p","presentations":{}}', "application_malformed"),
    (
        b'{"id":"x","programme":"p","presentations":{"a":"' + b"x" * 262144 + b'"}}',
        "application_malformed",
    ),
    (b'{"id":"x1","programme":"no-such","presentations":{}}', "programme_unknown"),
    (b'{"id":"x2","programme":"youth-rent","presentations":{}}', "programme_not_in_force"),
    (
        b'{"id":"x3","programme":"multi-child-card","version":"until-2023-06","presentations":{}}',
        "programme_changed",
    ),
    (
        b'{"id":"x4","programme":"multi-child-card","presentations":{"surprise":"a"}}',
        "answer_excessive",
    ),
]


def test_a_poisoned_application_gets_its_own_error_and_harms_no_other(bulk: BulkBench) -> None:
    batch = bulk.open()
    good = people(bulk, batch, [f"good-{number}" for number in range(len(POISON))])
    lines: list[bytes | JsonObject] = []
    for (bad, _), honest in zip(POISON, good, strict=True):
        lines += [bad, honest]
    assert bulk.send(batch, 0, lines).status_code == 202
    bulk.verifier.bulk.run_once()
    found = bulk.decisions(batch)
    assert [item["position"] for item in found] == list(range(2 * len(POISON)))
    assert [item["code"] for item in found[::2]] == [code for _, code in POISON]
    assert {item["decision"]["outcome"] for item in found[1::2]} == {"eligible"}
    assert bulk.progress(batch)["applications"]["refused"] == len(POISON)


@pytest.mark.parametrize("text", ["", "x", "a.b.c~", "é", "eyJ9..~"])
def test_what_is_no_presentation_is_evidence_that_does_not_count(
    bulk: BulkBench, text: str
) -> None:
    batch = bulk.open()
    bad = {"id": "a", "programme": CARD.id, "presentations": {"family": text}}
    bulk.send(batch, 0, [bad])
    bulk.verifier.bulk.run_once()
    (item,) = bulk.decisions(batch)
    assert item["decision"]["outcome"] == "unknown"
    assert [piece["accepted"] for piece in item["decision"]["evidence"]] == [False]


def test_an_id_or_a_presentation_counts_once_in_a_batch(bulk: BulkBench) -> None:
    batch = bulk.open()
    first, second = people(bulk, batch, ["a", "b"])
    copied = {**first, "id": "c"}
    bulk.send(batch, 0, [first, {**second, "id": "a"}, copied])
    bulk.send(batch, 1, [{**copied, "id": "d"}, {**second, "id": "a"}, second])
    bulk.verifier.bulk.run_once()
    codes = [item.get("code") for item in bulk.decisions(batch)]
    assert codes == [
        None,
        "application_repeated",
        "presentation_repeated",
        "presentation_repeated",
        "application_repeated",
        None,
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"nonce": "the-nonce-of-another-batch"}, "nonce_mismatch"),
        ({"audience": "https://other.example"}, "audience_mismatch"),
        ({"issued_at": NOW - 3600}, "holder_binding_invalid"),
    ],
)
def test_a_presentation_that_was_not_made_for_the_batch_does_not_count(
    bulk: BulkBench, change: dict[str, Any], code: str
) -> None:
    batch = bulk.open()
    bulk.send(batch, 0, [bulk.application(batch, "a", CARD, CLAIMS, **change)])
    bulk.verifier.bulk.run_once()
    (item,) = bulk.decisions(batch)
    assert item["decision"]["outcome"] == "unknown"
    assert [piece["code"] for piece in item["decision"]["evidence"]] == [code]


def test_a_presentation_may_be_as_old_as_its_batch(bulk: BulkBench) -> None:
    batch = bulk.open()
    made = people(bulk, batch, ["a"])
    bulk.clock.set(NOW + 3000)
    bulk.send(batch, 0, made)
    bulk.verifier.bulk.run_once()
    assert told_states(bulk, batch) == {"a": "eligible"}


class _EndsAfter(OneProcess):
    def __init__(self, units: int) -> None:
        self._units = units

    def map(self, function: Any, chunks: Any) -> Any:
        for number, result in enumerate(super().map(function, chunks)):
            if number == self._units:
                os._exit(9)
            yield result


def test_a_batch_goes_on_where_a_killed_process_left_it(bulk: BulkBench) -> None:
    batch = bulk.open()
    for number in range(4):
        names = [f"{number}-{place}" for place in range(2)]
        bulk.send(batch, number, people(bulk, batch, names))
    bulk.seal(batch)
    with warnings.catch_warnings():
        # Other tests may have left threads behind; the child uses none of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        bulk.restart(lambda: nullcontext(_EndsAfter(2)))
        bulk.verifier.bulk.run_once()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    bulk.restart()
    before = bulk.decisions(batch)
    assert len(before) == 4
    assert bulk.progress(batch)["applications"]["waiting"] == 4
    bulk.verifier.bulk.run_once()
    assert len(bulk.decisions(batch)) == 4
    bulk.clock.set(NOW + LEASE_S)
    bulk.verifier.bulk.run_once()
    after = bulk.decisions(batch)
    assert after[:4] == before
    assert [item["position"] for item in after] == list(range(8))
    assert bulk.progress(batch)["state"] == "done"


@pytest.mark.loopback
def test_an_application_that_kills_its_worker_is_named_and_the_others_are_decided(
    tmp_path: Path,
) -> None:
    bulk = BulkBench(tmp_path, EvidenceBench(NOW), open_compute=killing_pool)
    batch = bulk.open()
    bulk.send(batch, 0, people(bulk, batch, ["a", DEADLY, "b"]))
    bulk.verifier.bulk.run_once()
    assert told_states(bulk, batch) == {
        "a": "eligible",
        DEADLY: "compute_unavailable",
        "b": "eligible",
    }


def test_an_engine_without_workers_blames_nobody_and_the_batch_waits(bulk: BulkBench) -> None:
    batch = bulk.open()
    bulk.send(batch, 0, people(bulk, batch, ["a"]))
    bulk.restart(lambda: nullcontext(NoWorkers()))
    with pytest.raises(ComputeUnavailable):
        bulk.verifier.bulk.run_once()
    assert bulk.progress(batch)["applications"]["waiting"] == 1
    bulk.restart()
    bulk.verifier.bulk.run_once()
    assert told_states(bulk, batch) == {"a": "eligible"}


def test_decisions_are_read_by_cursor_in_both_forms(bulk: BulkBench) -> None:
    batch = bulk.open()
    names = [str(number) for number in range(5)]
    bulk.send(batch, 0, people(bulk, batch, names[:3]))
    path = f"/{batch['batch_id']}/decisions"
    waiting = bulk.call("GET", path).get_json()
    assert waiting == {"next": 0, "is_last": False, "decisions": []}
    bulk.send(batch, 1, people(bulk, batch, names[3:]))
    bulk.seal(batch)
    bulk.verifier.bulk.run_once()
    assert [item["id"] for item in bulk.decisions(batch, limit=2)] == names
    page = bulk.call("GET", path, headers={"Accept": NDJSON})
    assert page.content_type == NDJSON
    lines = page.get_data().splitlines()
    assert [parse_json_object(line)["id"] for line in lines] == names[:3]
    assert page.headers["Link"] == f'<{batch["decisions_uri"]}?after=3>; rel="next"'
    last = bulk.call("GET", f"{path}?after=3", headers={"Accept": NDJSON})
    assert len(last.get_data().splitlines()) == 2
    assert "Link" not in last.headers
    assert bulk.call("GET", f"{path}?after=-1").status_code == 400


def test_a_batch_is_its_agencys_own(bulk: BulkBench) -> None:
    batch = bulk.open()
    assert bulk.client.post("/v1/eligibility/batches").status_code == 401
    for method, path in (
        ("GET", ""),
        ("POST", "/seal"),
        ("GET", "/decisions"),
        ("DELETE", ""),
    ):
        answer = bulk.call(method, f"/{batch['batch_id']}{path}", agency="other")
        assert (answer.status_code, answer.get_json()["code"]) == (404, "bulk_batch_unknown")
    assert bulk.progress(batch)["state"] == "open"


def test_what_is_forgotten_or_expired_is_gone(bulk: BulkBench) -> None:
    kept, gone = bulk.open(), bulk.open()
    bulk.send(gone, 0, people(bulk, gone, ["a"]))
    assert bulk.call("DELETE", f"/{gone['batch_id']}").status_code == 204
    assert bulk.call("GET", f"/{gone['batch_id']}").status_code == 404
    bulk.clock.set(kept["expires_at"] - 1)
    assert bulk.call("GET", f"/{kept['batch_id']}").status_code == 200
    bulk.clock.set(kept["expires_at"])
    assert bulk.call("GET", f"/{kept['batch_id']}").status_code == 404


@pytest.mark.parametrize("body", [b"", b"\n", b"{}\n\n{}\n", b"{}\n" * 1001])
def test_refuses_what_is_no_chunk(bulk: BulkBench, body: bytes) -> None:
    batch = bulk.open()
    path = f"/{batch['batch_id']}/chunks/0"
    answer = bulk.call("PUT", path, data=body, content_type=NDJSON)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bulk_chunk_malformed")
    other = bulk.call("PUT", path, data=b"{}", content_type="application/json")
    assert other.status_code == 415


def test_refuses_a_chunk_that_is_too_large(bulk: BulkBench) -> None:
    batch = bulk.open()
    body = to_json({"x": "y" * batch["limits"]["max_chunk_bytes"]})
    path = f"/{batch['batch_id']}/chunks/0"
    assert bulk.call("PUT", path, data=body, content_type=NDJSON).status_code == 413


def test_a_batch_decides_on_facts_of_the_programmes_age_and_says_so(bulk: BulkBench) -> None:
    batch = bulk.open()
    limit = CARD.evidence["family"].max_status_age_s
    bulk.clock.set(NOW + limit - 60)
    bulk.bench.replica.apply([], BlockRef(2, b"\x02" * 32, NOW + limit - 60), NOW + limit - 60)
    bulk.bench.dids.publish_again(bulk.bench.issuer)
    bulk.send(batch, 0, people(bulk, batch, ["within"]))
    bulk.verifier.bulk.run_once()
    bulk.clock.set(NOW + limit - 59)
    bulk.send(batch, 1, people(bulk, batch, ["beyond"]))
    bulk.verifier.bulk.run_once()
    within, beyond = (item["decision"] for item in bulk.decisions(batch))
    assert (within["outcome"], within["facts_age_s"]) == ("eligible", limit)
    assert (beyond["outcome"], beyond["facts_age_s"]) == ("unknown", limit + 1)
    assert {reason["code"] for reason in beyond["reasons"]} == {"facts_too_old"}


def test_facts_of_one_issuer_are_collected_once_and_renewed(bulk: BulkBench) -> None:
    batch = bulk.open()
    for number, moment in enumerate((NOW, NOW + FACTS_KEPT_S)):
        bulk.clock.set(moment)
        names = [f"{number}-{place}" for place in range(3)]
        bulk.send(batch, number, people(bulk, batch, names))
        bulk.verifier.bulk.run_once()
    assert bulk.bench.dids.asked == [bulk.bench.issuer] * 2
    assert set(told_states(bulk, batch).values()) == {"eligible"}


def test_without_a_status_list_the_outcome_stays_open(bulk: BulkBench) -> None:
    batch = bulk.open()
    bulk.bench.status_lists.withdraw(bulk.bench.status_uri)
    bulk.send(batch, 0, people(bulk, batch, ["a"]))
    bulk.verifier.bulk.run_once()
    (item,) = bulk.decisions(batch)
    assert item["decision"]["outcome"] == "unknown"
    assert {reason["code"] for reason in item["decision"]["reasons"]} == {"could_not_check"}
