"""The audit passes on an honest chain, and names the first difference on every other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from sqlalchemy import Engine, delete, insert, update

from seoul_wallet.audit.difference import AuditDifference
from seoul_wallet.audit.replicas import KEYS, ReplicaUnderAudit
from seoul_wallet.audit.run import Audit, AuditReport, CheckState
from tests.support import lying_node as lies
from tests.support.anchor_town import ROOTS, Town, town
from tests.support.clock import SettableClock
from tests.support.databases import REPLICA, open_laid_out
from tests.support.lying_node import Lie, LyingNode
from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.deployment import ContractPin, Deployment, DeploymentMismatch
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.log_chain import LogsWithheld
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.quorum import EndpointBehind, NodeQuorum, open_quorum
from wallet.adapters.evm.rpc import NodeAnswerInvalid
from wallet.adapters.sql.engine import write
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_tables import (
    BATCHES,
    CHECKPOINTS,
    DID_CHANGES,
    DIRECTORY,
    ISSUER_SCOPES,
    STATE,
    STATUS_DIGESTS,
    SUSPENSIONS,
)
from wallet.did.did_ethr import ChangeKind
from wallet.errors import SeoulWalletError
from wallet.ports.facts import ChainUnavailable, ReplicaDiverged, ReplicaEmpty
from wallet.trust.replica_bundle import KINDS

pytestmark = [pytest.mark.loopback]
ON_ANVIL = pytest.param("anvil", marks=pytest.mark.anvil)


@pytest.fixture(scope="module", params=["eth-tester", ON_ANVIL])
def any_town(request: pytest.FixtureRequest) -> Iterator[Town]:
    with town(request.param) as made:
        yield made


@pytest.fixture(scope="module")
def anvil_town() -> Iterator[Town]:
    with town("anvil") as made:
        yield made


@contextmanager
def followed(made: Town, folder: Path) -> Iterator[Engine]:
    engine = open_laid_out(folder / "replica.db", REPLICA)
    Follower(made.reader(), SqlReplica(engine), SettableClock(made.stack.now() + 5)).run_once()
    yield engine
    engine.dispose()


def audit(
    made: Town,
    *engines: Engine,
    nodes: NodeQuorum | None = None,
    deployment: Deployment | None = None,
    url: str | None = None,
) -> AuditReport:
    return Audit(
        nodes or made.stack.nodes,
        made.w3 if url is None else connect(url),
        deployment or made.deployment,
        finality=made.finality,
        tell=lambda name, done, total: None,
        replicas=[ReplicaUnderAudit.of("replica", engine) for engine in engines],
    ).run()


def test_an_honest_chain_and_its_replica_show_no_difference(
    any_town: Town, tmp_path: Path
) -> None:
    with followed(any_town, tmp_path) as replica:
        report = audit(any_town, replica)
    states = {check.name: check.state for check in report.checks}
    proofs = "log heads against the state root"
    if any_town.finality == "tag":
        assert report.is_complete
        assert states.pop(proofs) is CheckState.PASSED
    else:
        # Without storage proofs the audit says itself that it is not complete.
        assert not report.is_complete
        assert states.pop(proofs) is CheckState.COULD_NOT_RUN
    assert states.pop("issuer's database") is CheckState.NOT_ASKED
    assert set(states.values()) == {CheckState.PASSED}


def test_the_audit_knows_every_kind_of_fact_that_a_replica_holds() -> None:
    assert set(KEYS) == set(KINDS)


def _size(connection: Any) -> None:
    connection.execute(update(BATCHES).where(BATCHES.c.root == ROOTS[2]).values(size=65))


def _unrevoke(connection: Any) -> None:
    connection.execute(update(BATCHES).where(BATCHES.c.root == ROOTS[0]).values(revoked_at=None))


def _lose(connection: Any) -> None:
    connection.execute(delete(BATCHES).where(BATCHES.c.root == ROOTS[1]))


def _invent(connection: Any) -> None:
    row = {"issuer_id": bytes(32), "list_id": bytes(32), "version": 1, "digest": bytes(32)}
    connection.execute(insert(STATUS_DIGESTS), {**row, "expires_at": 9, "published_at": 8})


def _prolong(connection: Any) -> None:
    connection.execute(update(ISSUER_SCOPES).values(valid_until=ISSUER_SCOPES.c.valid_until + 1))


def _rename_block(connection: Any) -> None:
    connection.execute(update(STATE).values(head_hash=bytes(32)))


def _recount(connection: Any) -> None:
    connection.execute(update(CHECKPOINTS).values(root=bytes(32)))


def _redirect(connection: Any) -> None:
    connection.execute(
        update(DIRECTORY).where(DIRECTORY.c.name == "BallotBoard").values(address="0x" + "22" * 20)
    )


def _replace_key(connection: Any) -> None:
    attribute = DID_CHANGES.c.kind == ChangeKind.ATTRIBUTE
    connection.execute(update(DID_CHANGES).where(attribute).values(value=b"another key"))


def _never_suspended(connection: Any) -> None:
    connection.execute(delete(SUSPENSIONS))


TAMPERED: dict[str, tuple[Callable[[Any], None], str]] = {
    "a batch has another size": (_size, "size is 65, expected 64"),
    "a withdrawn batch is not withdrawn": (_unrevoke, "revoked_at is missing, expected"),
    "a batch is missing": (_lose, "missing"),
    "a status digest was added": (_invent, "not on the chain"),
    "an accreditation lasts longer": (_prolong, "valid_until is"),
    "a checkpoint has another root": (_recount, "checkpoints .*: root is 0x00"),
    "a contract is listed elsewhere": (_redirect, "directory BallotBoard 1: address is 0x2222"),
    "an identity has another key": (_replace_key, "did changes .*: value is"),
    "a suspension is missing": (_never_suspended, "suspensions .*: missing"),
    "the block has another hash": (_rename_block, "the hash of its block"),
}


@pytest.mark.anvil
@pytest.mark.parametrize("case", TAMPERED)
def test_a_replica_that_was_tampered_with_is_named(
    anvil_town: Town, tmp_path: Path, case: str
) -> None:
    tamper, message = TAMPERED[case]
    with followed(anvil_town, tmp_path) as replica:
        with write(replica) as connection:
            tamper(connection)
        with pytest.raises(AuditDifference, match=message):
            audit(anvil_town, replica)


def test_a_replica_that_cannot_be_compared_is_no_difference(
    any_town: Town, tmp_path: Path
) -> None:
    with followed(any_town, tmp_path) as replica:
        with write(replica) as connection:
            connection.execute(update(STATE).values(head_number=STATE.c.head_number + 1000))
        with pytest.raises(EndpointBehind):
            audit(any_town, replica)
        SqlReplica(replica).raise_alarm("a finalized block was replaced")
        with pytest.raises(ReplicaDiverged):
            audit(any_town, replica)
        SqlReplica(replica).start_anew()
        with pytest.raises(ReplicaEmpty):
            audit(any_town, replica)


@pytest.mark.parametrize("contract", ["TrustRegistry", "CredentialAnchor", "Directory"])
def test_other_code_than_the_pinned_one_is_named(any_town: Town, contract: str) -> None:
    pins = dict(any_town.deployment.contracts)
    pins[contract] = replace(pins[contract], code_hash=bytes(32))
    with pytest.raises(DeploymentMismatch, match=contract):
        audit(any_town, deployment=replace(any_town.deployment, contracts=pins))


def test_a_contract_that_the_directory_does_not_list_is_named(any_town: Town) -> None:
    pins = dict(any_town.deployment.contracts)
    pins["BallotBoard"] = _second_board(any_town)
    with pytest.raises(AuditDifference, match="BallotBoard: the directory does not list it"):
        audit(any_town, deployment=replace(any_town.deployment, contracts=pins))


def _second_board(made: Town) -> ContractPin:
    built = artifact("BallotBoard")
    factory = made.w3.eth.contract(abi=built["abi"], bytecode=built["bytecode"])
    address = made.stack.controller.send(factory.constructor())["contractAddress"]
    made.stack.finalize()
    pinned = made.deployment.contracts["BallotBoard"]
    return ContractPin(str(address).lower(), pinned.code_hash)


def _another_view(method: str, parameters: list[Any], result: Any, node: LyingNode) -> Any:
    if method != "eth_call" or result != "0x" + encode(["uint256"], [2]).hex():
        return result
    node.told += 1
    return "0x" + encode(["uint256"], [3]).hex()


LIES: dict[str, tuple[Lie, type[SeoulWalletError]]] = {
    "a log is withheld": (lies.withhold_a_log, LogsWithheld),
    "every log is withheld": (lies.withhold_every_log, LogsWithheld),
    "a log is altered": (lies.alter_a_log, ChainUnavailable),
    "a view answers something else": (_another_view, AuditDifference),
    "an old head is shown": (lies.show_an_old_head, EndpointBehind),
    "the state is another": (lies.alter_the_state_root, NodeAnswerInvalid),
}


@pytest.mark.anvil
@pytest.mark.parametrize("lie", LIES)
def test_a_node_that_lies_never_passes(anvil_town: Town, tmp_path: Path, lie: str) -> None:
    told, error = LIES[lie]
    upstream = str(anvil_town.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    with followed(anvil_town, tmp_path) as replica, LyingNode(upstream, told) as node:
        nodes = open_quorum([node.url], required=1, development=True)
        try:
            with pytest.raises(error):
                audit(anvil_town, replica, nodes=nodes, url=node.url)
            assert node.told > 0
        finally:
            nodes.close()
