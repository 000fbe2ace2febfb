"""Every contract's events become facts, proven with the others, on every chain and database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from web3 import Web3

from tests.support.chains import LedgerStack, ledger_stack
from tests.support.clock import SettableClock
from wallet.adapters.evm.artifacts import artifact
from wallet.adapters.evm.authority import (
    ContractDirectory,
    Registrar,
    Suspender,
)
from wallet.adapters.evm.deployment import (
    ALL_CONTRACTS,
    ANCHOR,
    BOARD,
    CONTRACTS,
    DID_REGISTRY,
    DIRECTORY,
    REGISTRY,
    DeploymentMismatch,
)
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.node import contract
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_records import SqlReplicaRecords
from wallet.adapters.sql.replica_snapshot import export_snapshot, import_bundle
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.did.did_ethr import ChangeKind
from wallet.did.syntax import parse_did
from wallet.ports.facts import BoardUnknown, ReplicaEmpty
from wallet.ports.ledger import LedgerRefused, ReplicaMismatch
from wallet.protocols.registration import Registration, claims_digest
from wallet.trust.directory import in_force
from wallet.trust.identifiers import schema_id
from wallet.trust.replica_bundle import issue_replica_bundle, verify_replica_bundle
from wallet.trust.verifiers import verifier_id

ISSUER, SCHEMA = (bytes([n]) * 32 for n in (1, 2))
ELECTION, CONFIG, TALLY = (bytes([n]) * 32 for n in (7, 8, 9))
EMPTY_ROOT = sha256(b"")
VERIFIER, VCT, PURPOSE = "did:web:agency.example", "urn:example:card", "할인 자격 확인"
PATHS = (("valid_until",), ("children", None, "birth_year"))


@pytest.fixture(
    params=[
        "eth-tester",
        pytest.param("anvil", marks=[pytest.mark.anvil, pytest.mark.loopback]),
    ]
)
def stack(request: pytest.FixtureRequest) -> Iterator[LedgerStack]:
    with ledger_stack(request.param) as made:
        yield made


class World:
    """A stack, a replica that follows it, and acts of root, who holds every role here."""

    def __init__(self, stack: LedgerStack, engine: Engine) -> None:
        self.stack = stack
        self.engine = engine
        self.replica = SqlReplica(engine)
        self.records = SqlReplicaRecords(engine, stack.deployment.chain_id)
        self.key = stack.root_key
        arguments = (stack.w3, stack.deployment, self.key)
        self.suspender, self.registrar = Suspender(*arguments), Registrar(*arguments)
        self.directory = ContractDirectory(*arguments)
        self._follower = Follower(stack.reader, self.replica, SettableClock(stack.now() + 10_000))

    def follow(self) -> None:
        self.stack.finalize()
        self._follower.run_once()

    def send(self, name: str, function: str, *arguments: object) -> None:
        functions = contract(self.stack.w3, self.stack.deployment, name).functions
        self.key.send(functions[function](*arguments))


@pytest.fixture
def world(stack: LedgerStack, tmp_path: Path) -> Iterator[World]:
    engine = open_engine(sqlite_url(tmp_path / "replica.db"))
    migrate(engine, "replica")
    yield World(stack, engine)
    engine.dispose()


def test_nothing_is_known_before_the_first_run(world: World) -> None:
    for question in (
        world.records.directory,
        lambda: world.records.verifier_services(ISSUER),
        lambda: world.records.board(ISSUER),
        lambda: world.records.checkpoints(ISSUER, 1),
    ):
        with pytest.raises(ReplicaEmpty):
            question()


def test_a_suspension_begins_at_once_ends_by_root_and_is_kept(world: World) -> None:
    stack = world.stack
    until = stack.now() + 100_000
    stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, until)
    stack.accreditor.accredit_issuer(ISSUER, stack.controller_address, SCHEMA, until)
    with pytest.raises(LedgerRefused):
        world.suspender.suspend_issuer(ISSUER)
    stack.root.appoint_suspender(world.key.address)
    world.suspender.suspend_issuer(ISSUER)
    world.follow()
    facts = world.replica.anchor_facts(ISSUER, SCHEMA, None, None).value
    (suspension,) = facts.suspensions
    assert suspension.until is None
    assert facts.suspended(suspension.since)
    assert not facts.accredited(suspension.since)
    assert not facts.suspended(suspension.since - 1)
    stack.finalize()
    stack.root.unsuspend_issuer(ISSUER)
    world.follow()
    facts = world.replica.anchor_facts(ISSUER, SCHEMA, None, None).value
    (lifted,) = facts.suspensions
    assert lifted.until is not None
    assert facts.suspended(suspension.since)
    assert not facts.suspended(lifted.until)
    assert facts.accredited(lifted.until)


def test_a_registered_service_of_a_verifier_is_found_and_ends_when_it_is_revoked(
    world: World,
) -> None:
    until = world.stack.now() + 100_000
    world.stack.root.appoint_registrar(world.key.address)
    words = Registration(VCT, PURPOSE, PATHS)
    world.registrar.register_verifier(
        verifier_id(VERIFIER),
        schema_id(VCT),
        sha256(PURPOSE.encode()),
        claims_digest(PATHS),
        until,
    )
    world.follow()
    (service,) = world.records.verifier_services(verifier_id(VERIFIER)).value
    assert (service.service_id, service.valid_until) == (words.service_id, until)
    assert service.in_force(world.stack.now())
    for moment in (service.valid_from - 1, until):
        assert not service.in_force(moment)
    assert world.records.verifier_services(verifier_id(VERIFIER + "x")).value == ()
    for begun in (service.valid_from + 1, service.valid_from):
        world.registrar.revoke_verifier(verifier_id(VERIFIER), service.service_id, begun)
        world.follow()
        (ended,) = world.records.verifier_services(verifier_id(VERIFIER)).value
        assert ended == replace(service, revoked_at=begun)
    assert not ended.in_force(service.valid_from)


def test_a_board_is_followed_from_its_opening_to_its_seal(world: World) -> None:
    stack, me = world.stack, Web3.to_checksum_address(world.key.address)
    opens = stack.now() + 60
    closes = opens + 600
    world.send(BOARD, "openBoard", ELECTION, me, CONFIG, opens, closes, 60)
    abi: Any = contract(stack.w3, stack.deployment, BOARD).functions
    board_id = abi.boardIdOf(me, ELECTION).call()
    world.follow()
    state = world.records.board(board_id).value
    assert (state.board.election_id, state.board.config_digest) == (ELECTION, CONFIG)
    assert (state.board.opens, state.board.closes, state.board.flush_until) == (
        opens,
        closes,
        closes + 60,
    )
    assert state.board.operator == state.board.organiser == world.key.address
    assert (state.newest, state.seal) == (None, None)
    stack.travel_to(opens)
    roots = [sha256(bytes([n])) for n in range(2)]
    world.send(BOARD, "checkpoint", board_id, 0, 3, EMPTY_ROOT, roots[0])
    world.send(BOARD, "checkpoint", board_id, 3, 8, roots[0], roots[1])
    world.send(BOARD, "changeOperator", board_id, Web3.to_checksum_address("0x" + "5a" * 20))
    world.send(BOARD, "changeOperator", board_id, me)
    stack.travel_to(closes)
    world.send(BOARD, "seal", board_id, 8, roots[1], TALLY)
    world.follow()
    state = world.records.board(board_id).value
    assert state.board.operator == world.key.address
    assert state.newest is not None
    assert (state.newest.number, state.newest.size, state.newest.root) == (2, 8, roots[1])
    assert state.seal is not None
    assert (state.seal.root, state.seal.tally_digest) == (roots[1], TALLY)
    assert state.seal.sealed_at >= closes
    first, second = world.records.checkpoints(board_id, 1).value
    assert (first.root, second.old_root, second.old_size) == (roots[0], roots[0], 3)
    assert world.records.checkpoints(board_id, 2).value == (second,)
    with pytest.raises(BoardUnknown):
        world.records.board(bytes(32))


def test_the_directory_lists_what_is_deployed_and_keeps_what_is_deprecated(world: World) -> None:
    world.follow()
    pins = world.stack.deployment.contracts
    entries = world.records.directory().value
    assert {entry.name for entry in entries} == set(ALL_CONTRACTS) - {DIRECTORY}
    for entry in entries:
        assert entry == replace(in_force(entries, entry.name) or entry)
        assert (entry.address, entry.code_hash) == (
            pins[entry.name].address,
            pins[entry.name].code_hash,
        )
    world.directory.deprecate(BOARD, 1)
    world.follow()
    entries = world.records.directory().value
    assert in_force(entries, BOARD) is None
    assert in_force(entries, ANCHOR) is not None
    assert world.stack.reader.check_deployment() == {BOARD}


def test_a_deployment_that_the_directory_does_not_list_ends_the_start(world: World) -> None:
    stack = world.stack
    deployment = stack.deployment
    assert stack.reader.check_deployment() == frozenset()
    # another copy of the same contract, with the same code, that nobody listed
    receipt = world.key.send(
        stack.w3.eth.contract(
            abi=contract(stack.w3, deployment, BOARD).abi,
            bytecode=artifact(BOARD)["bytecode"],
        ).constructor()
    )
    copied = replace(deployment.contracts[BOARD], address=str(receipt["contractAddress"]).lower())
    unlisted = replace(deployment, contracts={**deployment.contracts, BOARD: copied})
    with pytest.raises(DeploymentMismatch, match="does not list BallotBoard"):
        EvmLedgerReader(stack.nodes, unlisted).check_deployment()
    for name in (REGISTRY, DIRECTORY):
        wrong = replace(deployment.contracts[name], code_hash=bytes(32))
        pinned = replace(deployment, contracts={**deployment.contracts, name: wrong})
        with pytest.raises(DeploymentMismatch, match="not the pinned code"):
            EvmLedgerReader(stack.nodes, pinned).check_deployment()
    ContractDirectory(stack.w3, unlisted, world.key).list_contract(BOARD)
    assert EvmLedgerReader(stack.nodes, unlisted).check_deployment() == frozenset()


def test_a_deployment_that_names_fewer_contracts_follows_these_alone(
    world: World, tmp_path: Path
) -> None:
    stack = world.stack
    named = {name: stack.deployment.contracts[name] for name in CONTRACTS}
    fewer = replace(stack.deployment, contracts=named)
    reader = EvmLedgerReader(stack.nodes, fewer, finality=stack.finality)
    assert reader.check_deployment() == frozenset()
    engine = open_engine(sqlite_url(tmp_path / "fewer.db"))
    migrate(engine, "replica")
    replica = SqlReplica(engine)
    stack.finalize()
    Follower(reader, replica, SettableClock(stack.now() + 10_000)).run_once()
    assert set(replica.position()[1]) == {pin.address for pin in named.values()}
    assert SqlReplicaRecords(engine, fewer.chain_id).directory().value == ()
    # One that follows more has another past: the copies never mix.
    with pytest.raises(ReplicaMismatch):
        Follower(stack.reader, replica, SettableClock(stack.now()))
    engine.dispose()


def test_a_bundle_carries_every_kind_of_fact(world: World, tmp_path: Path) -> None:
    stack, me = world.stack, Web3.to_checksum_address(world.key.address)
    until = stack.now() + 100_000
    stack.root.accredit_accreditor(stack.accreditor_address, SCHEMA, until)
    stack.accreditor.accredit_issuer(ISSUER, stack.controller_address, SCHEMA, until)
    stack.root.appoint_suspender(world.key.address)
    stack.root.appoint_registrar(world.key.address)
    world.suspender.suspend_issuer(ISSUER)
    world.registrar.register_verifier(ISSUER, SCHEMA, CONFIG, TALLY, until)
    opens = stack.now() + 60
    world.send(BOARD, "openBoard", ELECTION, me, CONFIG, opens, opens + 600, 0)
    name = b"did/pub/Ed25519/veriKey/base64".ljust(32, b"\0")
    world.send(DID_REGISTRY, "setAttribute", me, name, bytes(range(2048 % 256)) * 8, 86400)
    world.send(DID_REGISTRY, "addDelegate", me, b"sigAuth".ljust(32, b"\0"), me, 86400)
    world.follow()
    exported = export_snapshot(world.engine)
    filled = {kind for kind, facts in exported.facts.items() if facts}
    assert filled >= {"suspensions", "verifier_scopes", "boards", "directory", "did_changes"}
    operator = Es256SigningKey.generate()
    bundle = verify_replica_bundle(
        issue_replica_bundle(exported, operator, 1), operator.public_key
    )
    for kind, facts in exported.facts.items():
        assert set(bundle.snapshot.facts[kind]) == set(facts)
    offline = open_engine(sqlite_url(tmp_path / "offline.db"))
    migrate(offline, "replica")
    SqlReplica(offline).bind(stack.deployment.identity)
    import_bundle(offline, bundle)
    there = SqlReplicaRecords(offline, stack.deployment.chain_id)
    did = parse_did(f"did:ethr:{hex(stack.deployment.chain_id)}:{me}")
    assert there.did_history(did) == world.records.did_history(did)
    assert [change.kind for change in there.did_history(did).value.changes] == [
        ChangeKind.ATTRIBUTE,
        ChangeKind.DELEGATE,
    ]
    assert there.directory() == world.records.directory()
    offline.dispose()
