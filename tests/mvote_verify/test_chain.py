"""The record against a real `BallotBoard` on the in-process chain, over HTTP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mvote_verify.cli import main
from mvote_verify.node import Node
from mvote_verify.plan import Options, Status
from mvote_verify.pool import Resume
from tests.mvote_verify.conftest import Verify
from tests.support.mvote.chain import BoardChain, NodeServer
from tests.support.mvote.elections import CLOSES, GRACE_S, Election
from tests.support.mvote.primitives import canonical
from tests.support.mvote.records import Files, publish, with_log

pytestmark = pytest.mark.loopback
Caught = Callable[..., dict[int, tuple[Status, str | None]]]


@pytest.fixture(scope="module")
def chain(election: Election) -> BoardChain:
    return BoardChain(election)


@pytest.fixture(scope="module")
def anchored(chain: BoardChain) -> Files:
    return chain.publish()


@pytest.fixture
def server(chain: BoardChain, anchored: Files) -> Iterator[NodeServer]:
    with NodeServer(chain) as server:
        yield server


@pytest.fixture
def caught(server: NodeServer, resume: Resume, verify: Verify) -> Caught:
    """Which of the checks that need a node did not pass, and how."""

    def run(files: Files) -> dict[int, tuple[Status, str | None]]:
        results = verify(files, Options(node=Node(server.url), resume=resume)).results
        return {
            number: (result.status, result.code)
            for number, result in results.items()
            if result.status is not Status.PASSED and number != 20
        }

    return run


def test_every_check_runs_and_passes(
    anchored: Files,
    election: Election,
    server: NodeServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, data in anchored.items():
        (tmp_path / name).write_bytes(data)
    code = election.ballots[-1].code
    arguments = [str(tmp_path), "--rpc", server.url, "--workers", "1", "--json"]
    assert main([*arguments, "--ballot", code]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["success"]
    assert {check["status"] for check in document["checks"]} == {"passed"}
    assert main(arguments) == 0


def test_a_second_board_of_the_operator_is_found(
    anchored: Files, election: Election, caught: Caught
) -> None:
    # The same log, whose first ballots two checkpoints show one entry later.
    sizes = [json.loads(line)["body"] for line in anchored["checkpoints.ndjson"].splitlines()]
    plan = [(body["size"], body["time"]) for body in sizes]
    plan[1] = (plan[1][0] + 1, plan[1][1])
    files = with_log(election, anchored, election.entries(), plan)
    assert caught(files) == {6: (Status.FAILED, "chain_checkpoint_differs")}


def test_a_checkpoint_that_is_only_on_the_chain_is_found(
    anchored: Files, election: Election, caught: Caught
) -> None:
    lines = anchored["checkpoints.ndjson"].splitlines()
    bodies = [json.loads(line)["body"] for line in lines]
    plan = [(bodies[i]["size"], bodies[i]["time"]) for i in (0, 2, 3)]
    files = with_log(election, anchored, election.entries(), plan)
    assert caught(files) == {6: (Status.FAILED, "chain_checkpoint_differs")}


def _anchors(files: Files, **changes: Any) -> Files:
    value = {**json.loads(files["anchors.json"]), **changes}
    return {**files, "anchors.json": canonical(value)}


def test_a_transaction_that_is_none(anchored: Files, caught: Caught) -> None:
    opened = caught(_anchors(anchored, opened="22" * 32))
    assert opened == {6: (Status.FAILED, "chain_board_differs")}
    sealed = caught(_anchors(anchored, sealed="22" * 32))
    assert sealed == {18: (Status.FAILED, "seal_differs")}
    checkpoints = caught(_anchors(anchored, checkpoints=[]))
    assert checkpoints == {6: (Status.FAILED, "chain_checkpoint_differs")}


def test_anchors_that_are_malformed(anchored: Files, caught: Caught) -> None:
    found = caught({**anchored, "anchors.json": b"{}"})
    assert found == {
        6: (Status.FAILED, "chain_board_differs"),
        18: (Status.FAILED, "seal_differs"),
    }


def test_a_result_that_is_not_the_sealed_one(
    anchored: Files, election: Election, caught: Caught
) -> None:
    block = json.loads(anchored["tie.json"])["block"]
    # Shares are randomised: a second decryption of the same aggregate is another file.
    files = {**publish(election, block=block), "anchors.json": anchored["anchors.json"]}
    assert caught(files) == {18: (Status.FAILED, "seal_differs")}


def test_a_later_block_for_the_tie(
    anchored: Files, election: Election, chain: BoardChain, caught: Caught
) -> None:
    newest = chain.w3.eth.get_block("latest")
    block = {
        "number": newest["number"],
        "hash": bytes(newest["hash"]).hex(),
        "time": newest["timestamp"],
    }
    assert block["time"] > CLOSES + GRACE_S
    files = {**publish(election, block=block), "anchors.json": anchored["anchors.json"]}
    found = caught(files)
    assert found[16] == (Status.FAILED, "tie_block_differs")
    assert found[17] == (Status.NOT_REACHED, None)


def test_a_block_that_the_chain_has_not(
    anchored: Files, election: Election, caught: Caught
) -> None:
    block = {**json.loads(anchored["tie.json"])["block"], "hash": "11" * 32}
    files = {**publish(election, block=block), "anchors.json": anchored["anchors.json"]}
    assert caught(files)[16] == (Status.FAILED, "tie_block_differs")


@pytest.mark.parametrize(
    "answer", [None, 5, "0x", {}, [], "0xzz", {"logs": [{"topics": 1}]}], ids=range(7)
)
def test_a_node_that_answers_nonsense_never_passes(
    answer: object, anchored: Files, server: NodeServer, caught: Caught
) -> None:
    honest = server.lie
    server.lie = lambda method, params, result: (
        honest(method, params, result) if method == "eth_chainId" else answer
    )
    found = caught(anchored)
    assert {6, 16, 18} <= found.keys()
    server.lie = lambda method, params, result: answer
    found = caught(anchored)
    assert {number: status for number, (status, _) in found.items()} == dict.fromkeys(
        (6, 16, 18), Status.SKIPPED
    )


def test_a_node_of_another_chain_is_no_verdict(
    anchored: Files, server: NodeServer, caught: Caught
) -> None:
    server.lie = lambda method, params, result: "0x1" if method == "eth_chainId" else result
    found = caught(anchored)
    assert {status for status, _ in found.values()} == {Status.SKIPPED}
    assert set(found) == {6, 16, 18}


def test_a_node_that_hides_events_is_no_verdict(
    anchored: Files, server: NodeServer, caught: Caught
) -> None:
    server.lie = lambda method, params, result: result[:-1] if method == "eth_getLogs" else result
    assert caught(anchored) == {6: (Status.SKIPPED, None)}


def test_a_board_for_another_election_is_found(election: Election, verify: Verify) -> None:
    chain = BoardChain(election)
    files = chain.publish(config=b"\x11" * 32)
    with NodeServer(chain) as server:
        results = verify(files, Options(node=Node(server.url))).results
    assert results[6].code == "chain_board_differs"
