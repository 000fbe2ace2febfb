"""The board of a ballot box on every chain: opened, checkpointed once each, counted, sealed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ballotbox.errors import TallyNotOpen, TrusteeOut
from seoul_wallet.anvil import AnvilNode
from tests.support.ballot_chain import EVERY_S, ElectionOnChain
from tests.support.chains import LedgerStack, ledger_stack
from tests.support.voting import cast, voter
from wallet.adapters.evm.board import open_board
from wallet.adapters.evm.deployment import BOARD
from wallet.adapters.evm.node import contract
from wallet.adapters.sql.engine import open_engine, write
from wallet.adapters.sql.outbox_tables import ATTEMPTS, ENTRIES, KEYS
from wallet.ports.ballot_board import BoardConflicts, BoardTerms
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import LedgerRefused
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.decryption import ShareSignatureInvalid, TooFewShares

NEEDS_ANVIL = [pytest.mark.anvil, pytest.mark.loopback]
CHAINS = ["eth-tester", pytest.param("anvil", marks=NEEDS_ANVIL)]


@pytest.fixture(scope="module")
def in_process() -> Iterator[LedgerStack]:
    with ledger_stack("eth-tester") as started:
        yield started


@pytest.fixture(scope="module")
def anvil() -> Iterator[LedgerStack]:
    with ledger_stack("anvil") as started:
        yield started


@pytest.fixture
def running(in_process: LedgerStack, tmp_path: Path) -> Iterator[ElectionOnChain]:
    election = ElectionOnChain(in_process, tmp_path)
    yield election
    election.application.close()


@pytest.fixture
def on_anvil(anvil: LedgerStack, tmp_path: Path) -> Iterator[ElectionOnChain]:
    election = ElectionOnChain(anvil, tmp_path, finality="depth:9")
    yield election
    election.application.close()


@pytest.fixture
def of_others(in_process: LedgerStack, tmp_path: Path) -> Iterator[ElectionOnChain]:
    """An election whose organiser is not the operator of its board."""
    election = ElectionOnChain(in_process, tmp_path, organiser=in_process.root_key.address)
    yield election
    election.application.close()


@pytest.fixture(params=CHAINS)
def everywhere(request: pytest.FixtureRequest) -> ElectionOnChain:
    name = "running" if request.param == "eth-tester" else "on_anvil"
    found: ElectionOnChain = request.getfixturevalue(name)
    return found


def terms_of(election: ElectionOnChain) -> BoardTerms:
    manifest, digest = election.manifest, election.application.box.election().digest
    return BoardTerms(digest, manifest.opens, manifest.closes, manifest.grace_s)


def test_puts_every_checkpoint_on_the_chain_once_over_restarts(
    everywhere: ElectionOnChain,
) -> None:
    everywhere.open()
    everywhere.vote([1, 2])
    everywhere.restart()
    everywhere.next_checkpoint()
    # Nothing is new in this one, and the contract would take it any number of times.
    everywhere.next_checkpoint()
    everywhere.restart()
    for _ in range(3):
        everywhere.work()
    assert len(everywhere.signed()) == 3
    assert everywhere.on_chain() == everywhere.signed()


def test_what_another_journal_sent_is_found_and_not_sent_again(running: ElectionOnChain) -> None:
    running.open()
    running.vote([1])
    running.next_checkpoint()
    running.next_checkpoint()
    known = running.application.box.board.checkpoints(1, 9)
    state = running.application.publication.state()
    engine = open_engine(running.database_url)
    with write(engine) as connection:
        for table in (ATTEMPTS, ENTRIES, KEYS):
            connection.execute(table.delete())
        for statement in (
            "UPDATE ballotbox_checkpoints SET transaction_hash = NULL",
            "UPDATE ballotbox_boards SET opened = NULL",
        ):
            connection.exec_driver_sql(statement)
    engine.dispose()
    running.restart()
    running.settle(lambda: running.is_anchored)
    assert running.application.publication.state() == state
    assert running.application.box.board.checkpoints(1, 9) == known
    assert running.on_chain() == running.signed()


def test_another_state_of_the_board_on_the_chain_is_an_alarm(running: ElectionOnChain) -> None:
    running.open()
    stack = running.stack
    (_, size, root), board_id = running.on_chain()[-1], running.name.board_id
    boards = contract(stack.w3, stack.deployment, BOARD).functions
    stack.controller.send(boards.checkpoint(board_id, size, size + 1, root, b"\x01" * 32))
    running.travel_to(running.clock.now() + EVERY_S)
    with pytest.raises(BoardConflicts):
        running.work()


def test_takes_no_ballot_before_the_organiser_has_opened_the_board(
    of_others: ElectionOnChain,
) -> None:
    of_others.run_ceremony()
    of_others.work()
    assert of_others.application.publication.state().opened is None
    box, stack = of_others.application.box, of_others.stack
    ballot = cast(box.election(), voter(1), [1, 0, 0, 0, 0, 0]).octets
    of_others.clock.set(of_others.opens)
    of_others.work()
    with pytest.raises(ElectionNotOpen):
        box.accept(ballot)
    assert of_others.signed() == []
    operator, terms = of_others.writer().operator, terms_of(of_others)
    opening = (stack.w3, stack.reader)
    with pytest.raises(LedgerRefused):
        open_board(*opening, stack.controller, of_others.name, operator, terms)
    opened = open_board(*opening, stack.root_key, of_others.name, operator, terms)
    of_others.settle(lambda: of_others.application.publication.state().opened is not None)
    assert of_others.application.publication.state().opened == opened
    of_others.travel_to(of_others.opens + 1)
    box.accept(ballot)
    of_others.settle(lambda: of_others.is_anchored and of_others.signed() != [])
    assert of_others.on_chain() == of_others.signed()


def test_a_board_that_was_opened_for_another_election_is_an_alarm(
    of_others: ElectionOnChain,
) -> None:
    of_others.run_ceremony()
    stack, operator = of_others.stack, of_others.writer().operator
    terms = replace(terms_of(of_others), config_digest=b"\x01" * 32)
    open_board(stack.w3, stack.reader, stack.root_key, of_others.name, operator, terms)
    with pytest.raises(BoardConflicts):
        of_others.work()


def test_counts_once_and_takes_nothing_too_early_or_too_late(running: ElectionOnChain) -> None:
    counting = running.application.counting
    running.open()
    with pytest.raises(TallyNotOpen):
        counting.take_nonce(running.nonce(1))
    running.vote(range(1, 23))
    running.finish()
    running.work()
    share = running.share(1)
    with pytest.raises(TallyNotOpen):
        counting.take_nonce(running.nonce(1))
    forged = share.replace(b'"trustee":1', b'"trustee":2')
    with pytest.raises(ShareSignatureInvalid):
        counting.take_share(forged)
    with pytest.raises(TrusteeOut):
        counting.take_share(share.replace(b'"trustee":1', b'"trustee":3'))
    assert counting.take_share(share) == 1
    running.travel_to(running.manifest.tie_block_time + 1)
    running.settle(lambda: running.application.publication.tie_block() is not None)
    counting.take_nonce(running.nonce(1))
    running.travel_to(running.manifest.tie_block_time + 200)
    with pytest.raises(TooFewShares):
        running.work()
    counting.take_share(running.share(2))
    running.settle(lambda: running.application.publication.state().sealed is not None)
    result = running.application.publication.result()
    assert result is not None
    assert b'"withheld":[2]' in result.outcome
    with pytest.raises(TallyNotOpen):
        counting.take_nonce(running.nonce(2))
    running.work()
    assert running.application.publication.result() == result


@pytest.mark.anvil
@pytest.mark.loopback
def test_checkpoints_that_fall_out_of_the_chain_are_put_back_in_order(
    on_anvil: ElectionOnChain,
) -> None:
    on_anvil.open()
    node = on_anvil.stack.chain
    assert isinstance(node, AnvilNode)
    for number in (1, 2):
        on_anvil.vote([number])
        on_anvil.travel_to(on_anvil.clock.now() + EVERY_S)
        on_anvil.work()
    assert len(on_anvil.on_chain()) == 3
    node.request("anvil_reorg", [4, []])
    assert len(on_anvil.on_chain()) == 1
    on_anvil.settle(lambda: on_anvil.is_anchored)
    assert on_anvil.on_chain() == on_anvil.signed()


def test_goes_on_with_its_clock_while_the_chain_is_away(tmp_path: Path) -> None:
    with ledger_stack("eth-tester") as stack:
        running = ElectionOnChain(stack, tmp_path)
        running.open()
        stack.silence()
        running.vote([1])
        running.clock.set(running.clock.now() + EVERY_S)
        with pytest.raises(ChainUnavailable):
            running.work()
        assert len(running.signed()) == 2
        assert not running.is_anchored
        running.application.close()
