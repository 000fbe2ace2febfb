"""One public order of the states of a ballot board, never rewritten."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.contracts.calls import EMPTY_ROOT, TALLY, Vote
from tests.contracts.chain import Chain, Refusal, sha256

NONE = bytes(32)
NOBODY = "0x" + "00" * 20
DAY = 24 * 3600


@pytest.fixture
def vote(chain: Chain) -> Vote:
    vote = Vote(chain)
    chain.send(vote.open(), by=vote.organiser)
    return vote


def state(chain: Chain, board: bytes) -> dict[str, Any]:
    abi: list[Any] = list(chain.boards.abi)
    (view,) = [item for item in abi if item.get("name") == "boardOf"]
    names = [part["name"] for part in view["outputs"][0]["components"]]
    return dict(zip(names, chain.boards.functions.boardOf(board).call(), strict=True))


def test_an_organiser_opens_a_board_with_its_window_and_configuration(chain: Chain) -> None:
    vote = Vote(chain)
    receipt = chain.send(vote.open(), by=vote.organiser)
    assert chain.event("BoardOpened", receipt) == {
        "boardId": vote.board,
        "organiser": vote.organiser,
        "electionId": vote.election,
        "operator": vote.operator,
        "configDigest": vote.manifest,
        "opens": vote.opens,
        "closes": vote.closes,
        "flushUntil": vote.closes + vote.grace,
    }
    found = state(chain, vote.board)
    assert (found["size"], found["root"]) == (0, EMPTY_ROOT)
    assert chain.boards.functions.EMPTY_ROOT().call() == EMPTY_ROOT
    assert set(state(chain, sha256("no board")).values()) == {0, NONE, NOBODY}


def test_an_opening_copied_from_the_mempool_opens_another_board(chain: Chain) -> None:
    vote = Vote(chain)
    chain.send(vote.open(), by=chain.outsider)
    chain.send(vote.open(), by=vote.organiser)
    assert state(chain, vote.board)["organiser"] == vote.organiser
    theirs = chain.boards.functions.boardIdOf(chain.outsider, vote.election).call()
    assert state(chain, theirs)["organiser"] == chain.outsider


def test_a_board_is_opened_once(chain: Chain, vote: Vote) -> None:
    assert chain.refusal(vote.open(), by=vote.organiser) == Refusal("BoardExists", (vote.board,))


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (lambda v, now: setattr(v, "opens", now - 1), "OpeningOutOfBounds"),
        (lambda v, now: setattr(v, "opens", now + 367 * DAY), "OpeningOutOfBounds"),
        (lambda v, now: setattr(v, "closes", v.opens), "ClosingOutOfBounds"),
        (lambda v, now: setattr(v, "closes", v.opens + 92 * DAY + 1), "ClosingOutOfBounds"),
        (lambda v, now: setattr(v, "grace", DAY + 1), "GraceTooLong"),
        (lambda v, now: setattr(v, "election", NONE), "ZeroDigest"),
        (lambda v, now: setattr(v, "manifest", NONE), "ZeroDigest"),
        (lambda v, now: setattr(v, "operator", NOBODY), "ZeroAddress"),
    ],
)
def test_refuses_times_out_of_bounds_and_missing_names(
    chain: Chain, change: Callable[[Vote, int], None], refused: str
) -> None:
    vote = Vote(chain)
    change(vote, chain.now())
    assert chain.refusal(vote.open(), by=vote.organiser).name == refused


def test_checkpoints_are_taken_from_the_opening_until_the_end_of_the_grace(
    chain: Chain, vote: Vote
) -> None:
    outside = (vote.opens, vote.closes + vote.grace)
    assert chain.refusal(vote.checkpoint(0, 1), by=vote.operator) == Refusal(
        "OutsideWindow", (chain.now(), *outside)
    )
    chain.travel_to(vote.opens)
    receipt = chain.send(vote.checkpoint(0, 10), by=vote.operator)
    assert chain.event("Checkpointed", receipt) == {
        "boardId": vote.board,
        "number": 1,
        "oldSize": 0,
        "size": 10,
        "oldRoot": EMPTY_ROOT,
        "root": vote.root(10),
    }
    chain.travel_to(vote.closes + vote.grace - 2)
    chain.send(vote.checkpoint(10, 20), by=vote.operator)
    chain.travel_to(vote.closes + vote.grace)
    assert chain.refusal(vote.checkpoint(20, 30), by=vote.operator).name == "OutsideWindow"
    assert state(chain, vote.board)["size"] == 20


def test_a_board_never_shrinks_nor_changes_without_growing(chain: Chain, vote: Vote) -> None:
    chain.travel_to(vote.opens)
    chain.send(vote.checkpoint(0, 10), by=vote.operator)
    for function, refused in (
        (vote.checkpoint(10, 9), Refusal("BoardShrinks", (10, 9))),
        (
            vote.checkpoint(10, 10, sha256("other")),
            Refusal("RootChangesWithoutGrowth", (vote.root(10), sha256("other"))),
        ),
        (vote.checkpoint(0, 11), Refusal("NotNewestCheckpoint", (10, vote.root(10)))),
        (vote.checkpoint(9, 11), Refusal("NotNewestCheckpoint", (10, vote.root(10)))),
        (vote.checkpoint(10, 11, NONE), Refusal("ZeroDigest")),
    ):
        assert chain.refusal(function, by=vote.operator) == refused
    chain.send(vote.checkpoint(10, 10), by=vote.operator)  # nothing new: said on the clock
    assert state(chain, vote.board)["checkpoints"] == 2


def test_a_checkpoint_sent_twice_counts_once(chain: Chain, vote: Vote) -> None:
    chain.travel_to(vote.opens)
    chain.send(vote.checkpoint(0, 10), by=vote.operator)
    assert chain.refusal(vote.checkpoint(0, 10), by=vote.operator).name == "NotNewestCheckpoint"


def test_nobody_but_the_operator_checkpoints_and_seals(chain: Chain, vote: Vote) -> None:
    chain.travel_to(vote.closes)
    for caller in (vote.organiser, chain.outsider):
        for function in (vote.checkpoint(0, 1), vote.seal(0)):
            assert chain.refusal(function, by=caller) == Refusal(
                "NotOperator", (caller, vote.board)
            )
    vote.board = sha256("no board")
    assert chain.refusal(vote.seal(0), by=vote.operator) == Refusal("UnknownBoard", (vote.board,))


def test_a_seal_names_the_last_state_and_ends_the_board(chain: Chain, vote: Vote) -> None:
    chain.travel_to(vote.opens)
    chain.send(vote.checkpoint(0, 10), by=vote.operator)
    assert chain.refusal(vote.seal(10), by=vote.operator) == Refusal(
        "NotClosed", (chain.now(), vote.closes)
    )
    chain.travel_to(vote.closes)
    assert chain.refusal(vote.seal(9), by=vote.operator).name == "NotNewestCheckpoint"
    receipt = chain.send(vote.seal(10), by=vote.operator)
    assert chain.event("BoardSealed", receipt) == {
        "boardId": vote.board,
        "root": vote.root(10),
        "size": 10,
        "tallyDigest": TALLY,
    }
    before = state(chain, vote.board)
    assert before["isSealed"]
    assert before["sealedAt"] == chain.now()
    over = Refusal("AlreadySealed", (vote.board,))
    change = vote.functions.changeOperator(vote.board, chain.outsider)
    for function, by in (
        (vote.checkpoint(10, 11), vote.operator),
        (vote.seal(10), vote.operator),
        (change, vote.organiser),
    ):
        assert chain.refusal(function, by=by) == over
    assert state(chain, vote.board) == before


def test_the_organiser_alone_replaces_the_operator(chain: Chain, vote: Vote) -> None:
    change = vote.functions.changeOperator(vote.board, chain.outsider)
    assert chain.refusal(change, by=vote.operator) == Refusal(
        "NotOrganiser", (vote.operator, vote.board)
    )
    receipt = chain.send(change, by=vote.organiser)
    assert chain.event("OperatorChanged", receipt) == {
        "boardId": vote.board,
        "previousOperator": vote.operator,
        "operator": chain.outsider,
    }
    chain.travel_to(vote.opens)
    assert chain.refusal(vote.checkpoint(0, 1), by=vote.operator).name == "NotOperator"
    chain.send(vote.checkpoint(0, 1), by=chain.outsider)
