"""Nodes that lie: the follower is unavailable within its time-out and no fact is ever wrong."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.support import lying_node as lies
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from tests.support.databases import REPLICA, lay_out
from tests.support.lying_node import Lie, LyingNode, honest
from wallet.adapters.evm.deployment import DeploymentMismatch
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.log_chain import LogsWithheld
from wallet.adapters.evm.proofs import ProofInvalid
from wallet.adapters.evm.quorum import (
    EndpointBehind,
    EndpointsDisagree,
    NodeQuorum,
    WrongChain,
    open_quorum,
)
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.rpc import NodeAnswerInvalid
from wallet.adapters.sql.engine import open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_snapshot import export_snapshot
from wallet.crypto.hashing import sha256
from wallet.errors import UnavailableError
from wallet.ports.facts import ChainUnavailable
from wallet.trust.facts import Assurance

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]
ISSUER, SCHEMA, MANIFEST = (bytes([n]) * 32 for n in (1, 2, 5))
TIMEOUT_S = 0.7
# The time-out counts for each request; a round that fails asks one of the liar that hangs.
ROUND_LIMIT_S = TIMEOUT_S + 1.0

ONE_OF_TWO: dict[str, tuple[Lie, type[ChainUnavailable]]] = {
    "withhold_a_log": (lies.withhold_a_log, EndpointsDisagree),
    "withhold_every_log": (lies.withhold_every_log, EndpointsDisagree),
    "alter_a_log": (lies.alter_a_log, EndpointsDisagree),
    "add_a_log": (lies.add_a_log, EndpointsDisagree),
    "name_another_address": (lies.name_another_address, NodeAnswerInvalid),
    "mark_a_log_removed": (lies.mark_a_log_removed, NodeAnswerInvalid),
    "move_a_log": (lies.move_a_log, NodeAnswerInvalid),
    "hang": (lies.hang, ChainUnavailable),
    "drip": (lies.drip, ChainUnavailable),
    "send_a_huge_body": (lies.send_a_huge_body, NodeAnswerInvalid),
    "send_malformed_json": (lies.send_malformed_json, NodeAnswerInvalid),
    "break_off": (lies.break_off, ChainUnavailable),
    "answer_another_question": (lies.answer_another_question, NodeAnswerInvalid),
    "name_another_chain": (lies.name_another_chain, WrongChain),
    "show_an_old_head": (lies.show_an_old_head, EndpointBehind),
    "equivocate": (lies.equivocate, EndpointsDisagree),
    "alter_the_state_root": (lies.alter_the_state_root, NodeAnswerInvalid),
}
ABOUT_PROOFS: dict[str, Lie] = {
    "replay_old_state": lies.replay_old_state,
    "truncate_proofs": lies.truncate_proofs,
}
ALL_TOGETHER: dict[str, tuple[Lie, type[ChainUnavailable]]] = {
    "withhold_a_log": (lies.withhold_a_log, LogsWithheld),
    "withhold_every_log": (lies.withhold_every_log, LogsWithheld),
    "alter_a_log": (lies.alter_a_log, LogsWithheld),
    "add_a_log": (lies.add_a_log, LogsWithheld),
    "move_a_log": (lies.move_a_log, NodeAnswerInvalid),
    "replay_old_state": (lies.replay_old_state, ProofInvalid),
}


@pytest.fixture(scope="module")
def chain() -> Iterator[LedgerStack]:
    with ledger_stack("anvil") as stack:
        until = stack.now() + 10_000_000
        stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, until)
        stack.accreditor.accredit_issuer(ISSUER, stack.controller_address, SCHEMA, until)
        stack.finalize()
        yield stack


@dataclass
class Scene:
    """A follower over two nodes in front of one chain, up to date, and a batch that is new."""

    chain: LedgerStack
    nodes: tuple[LyingNode, LyingNode]
    quorum: NodeQuorum
    engine: Engine
    follower: Follower
    root: bytes

    def believes_the_batch(self) -> bool:
        facts = SqlReplica(self.engine).anchor_facts(ISSUER, SCHEMA, self.root, None)
        return facts.value.batch is not None


@pytest.fixture(scope="module")
def read_so_far(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replica of what was on the chain before the last scene, for the next to go on from."""
    path = tmp_path_factory.mktemp("read") / "replica.db"
    lay_out(path, REPLICA)
    return path


@pytest.fixture
def scene(
    chain: LedgerStack, read_so_far: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Scene]:
    path = shutil.copy(read_so_far, tmp_path / "replica.db")
    engine = open_engine(sqlite_url(path))
    upstream = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    with LyingNode(upstream) as first, LyingNode(upstream) as second:
        quorum = open_quorum([first.url, second.url], timeout_s=TIMEOUT_S)
        reader = EvmLedgerReader(quorum, chain.deployment)
        follower = Follower(reader, SqlReplica(engine), SettableClock(chain.now() + 5))
        follower.run_once()
        engine.dispose()  # writes what is in the log into the file
        shutil.copy(path, read_so_far)
        root = sha256(request.node.name.encode())
        chain.writer.anchor_batch(ISSUER, SCHEMA, root, 64, MANIFEST)
        chain.finalize()
        yield Scene(chain, (first, second), quorum, engine, follower, root)
        quorum.close()
    engine.dispose()


@pytest.mark.parametrize("liar", [0, 1])
@pytest.mark.parametrize("name", ONE_OF_TWO)
def test_one_lying_node_of_two_makes_the_follower_unavailable_and_nothing_else(
    scene: Scene, name: str, liar: int
) -> None:
    lie, error = ONE_OF_TWO[name]
    before = export_snapshot(scene.engine)
    scene.nodes[liar].lie = lie
    for _ in range(2):
        began = time.monotonic()
        with pytest.raises(ChainUnavailable) as caught:
            scene.follower.run_once()
        assert type(caught.value) is error
        assert isinstance(caught.value, UnavailableError)
        assert time.monotonic() - began < ROUND_LIMIT_S
        assert export_snapshot(scene.engine) == before
    assert scene.nodes[liar].told
    scene.nodes[liar].lie = honest
    scene.follower.run_once()
    assert scene.believes_the_batch()


@pytest.mark.parametrize("name", ABOUT_PROOFS)
def test_a_node_with_a_wrong_proof_is_refused_and_the_other_is_asked_next(
    scene: Scene, name: str
) -> None:
    before = export_snapshot(scene.engine)
    scene.nodes[0].lie = ABOUT_PROOFS[name]
    with pytest.raises(ProofInvalid):
        scene.follower.run_once()
    assert export_snapshot(scene.engine) == before
    scene.follower.run_once()
    assert scene.believes_the_batch()


@pytest.mark.parametrize("name", ALL_TOGETHER)
def test_nodes_that_tell_the_same_lie_do_not_get_past_the_log_head(
    scene: Scene, name: str
) -> None:
    lie, error = ALL_TOGETHER[name]
    before = export_snapshot(scene.engine)
    for node in scene.nodes:
        node.lie = lie
    with pytest.raises(ChainUnavailable) as caught:
        scene.follower.run_once()
    assert type(caught.value) is error
    assert export_snapshot(scene.engine) == before


def test_two_honest_nodes_are_believed_and_the_replica_says_how_it_was_checked(
    scene: Scene,
) -> None:
    scene.follower.run_once()
    assert scene.believes_the_batch()
    assert SqlReplica(scene.engine).assurance() == Assurance(endpoints=2, proven=True)


def test_with_two_of_three_required_one_liar_stops_nothing(scene: Scene) -> None:
    upstream = str(scene.chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    for lie in (lies.equivocate, lies.name_another_chain, lies.send_malformed_json):
        with LyingNode(upstream, lie) as third:
            urls = [third.url, *(node.url for node in scene.nodes)]
            quorum = open_quorum(urls, timeout_s=TIMEOUT_S)
            reader = EvmLedgerReader(quorum, scene.chain.deployment)
            assert reader.agree().head.number > 0
            quorum.close()


def test_a_node_that_is_far_behind_the_other_is_noticed_before_anything_is_followed(
    scene: Scene, tmp_path: Path
) -> None:
    scene.chain.chain.request("evm_increaseTime", ["0x1000"])  # type: ignore[union-attr]
    scene.chain.finalize()
    scene.nodes[1].lie = lies.show_an_old_head
    with pytest.raises(EndpointBehind):
        EvmLedgerReader(scene.quorum, scene.chain.deployment).agree()


def test_wrong_configuration_is_told_from_a_lie_at_the_start(scene: Scene) -> None:
    reader = EvmLedgerReader(scene.quorum, scene.chain.deployment)
    reader.check_deployment()
    scene.nodes[1].lie = lies.name_another_chain
    with pytest.raises(DeploymentMismatch, match="another chain"):
        reader.check_deployment()
    scene.nodes[1].lie = lambda method, _parameters, result, _node: (
        "0x6000" if method == "eth_getCode" else result
    )
    with pytest.raises(DeploymentMismatch, match="not the pinned code"):
        reader.check_deployment()
    scene.nodes[1].lie = lies.send_malformed_json
    with pytest.raises(NodeAnswerInvalid):
        reader.check_deployment()
