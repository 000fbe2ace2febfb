// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BallotBoard} from "../src/BallotBoard.sol";
import {IBallotBoard} from "../src/interfaces/IBallotBoard.sol";
import {Checks} from "./support/Checks.sol";

contract BallotBoardTest is Checks {
    uint40 internal constant GENESIS = 2_000_000_000;
    uint40 internal constant OPENS = GENESIS + 1 days;
    uint40 internal constant CLOSES = OPENS + 14 days;
    uint40 internal constant GRACE = 1 hours;

    bytes32 internal immutable ELECTION = id("participatory budget 2034");
    bytes32 internal immutable CONFIG = id("manifest");
    bytes32 internal immutable TALLY = id("tally");
    bytes32 internal immutable EMPTY = sha256("");

    address internal organiser = someone("organiser");
    address internal operator = someone("operator");
    address internal outsider = someone("outsider");
    BallotBoard internal boards;
    bytes32 internal board;

    function setUp() external {
        vm.warp(GENESIS);
        boards = new BallotBoard();
        board = boards.boardIdOf(organiser, ELECTION);
        vm.prank(organiser);
        boards.openBoard(ELECTION, operator, CONFIG, OPENS, CLOSES, GRACE);
    }

    function checkpoint(uint64 oldSize, uint64 size, bytes32 oldRoot, bytes32 root) internal {
        vm.prank(operator);
        boards.checkpoint(board, oldSize, size, oldRoot, root);
    }

    function outside() internal view returns (bytes memory) {
        return abi.encodeWithSelector(
            IBallotBoard.OutsideWindow.selector, uint40(block.timestamp), OPENS, CLOSES + GRACE
        );
    }

    function test_openBoard_beginsWithTheEmptyTree() external view {
        IBallotBoard.Board memory state = boards.boardOf(board);
        equal(boards.EMPTY_ROOT(), EMPTY);
        equal(state.root, EMPTY);
        equal(state.size, 0);
        equal(state.operator, operator);
        equal(state.organiser, organiser);
        equal(state.opens, OPENS);
        equal(state.closes, CLOSES);
        equal(state.flushUntil, CLOSES + GRACE);
        equal(state.configDigest, CONFIG);
        equal(boards.boardOf(ELECTION).root, 0);
    }

    function test_openBoard_revertsWhenTheBoardExists() external {
        refused(organiser, abi.encodeWithSelector(IBallotBoard.BoardExists.selector, board));
        boards.openBoard(ELECTION, operator, CONFIG, OPENS, CLOSES, GRACE);
    }

    function test_openBoard_copiedByAnotherSenderOpensAnotherBoard() external {
        vm.prank(outsider);
        boards.openBoard(ELECTION, outsider, CONFIG, OPENS, CLOSES, GRACE);
        equal(boards.boardOf(board).operator, operator);
        equal(boards.boardOf(boards.boardIdOf(outsider, ELECTION)).operator, outsider);
    }

    function test_openBoard_revertsWithoutElectionConfigOrOperator() external {
        refused(outsider, abi.encodeWithSelector(IBallotBoard.ZeroDigest.selector));
        boards.openBoard(0, operator, CONFIG, OPENS, CLOSES, GRACE);
        refused(outsider, abi.encodeWithSelector(IBallotBoard.ZeroDigest.selector));
        boards.openBoard(ELECTION, operator, 0, OPENS, CLOSES, GRACE);
        refused(outsider, abi.encodeWithSelector(IBallotBoard.ZeroAddress.selector));
        boards.openBoard(ELECTION, address(0), CONFIG, OPENS, CLOSES, GRACE);
    }

    function testFuzz_openBoard_takesExactlyTheTimesWithinTheBounds(uint40 opens, uint40 closes, uint40 grace)
        external
    {
        if (opens < GENESIS || opens > GENESIS + boards.MAX_LEAD_S()) {
            refused(outsider, abi.encodeWithSelector(IBallotBoard.OpeningOutOfBounds.selector, opens, GENESIS));
        } else if (closes <= opens || closes - opens > boards.MAX_DURATION_S()) {
            refused(outsider, abi.encodeWithSelector(IBallotBoard.ClosingOutOfBounds.selector, opens, closes));
        } else if (grace > boards.MAX_GRACE_S()) {
            refused(outsider, abi.encodeWithSelector(IBallotBoard.GraceTooLong.selector, grace));
        } else {
            vm.prank(outsider);
        }
        boards.openBoard(ELECTION, operator, CONFIG, opens, closes, grace);
    }

    function test_openBoard_boundsAreTheLastThatAreTaken() external {
        uint40 lead = boards.MAX_LEAD_S();
        uint40 duration = boards.MAX_DURATION_S();
        uint40 grace = boards.MAX_GRACE_S();
        uint40 opens = GENESIS + lead;
        refused(outsider, abi.encodeWithSelector(IBallotBoard.OpeningOutOfBounds.selector, opens + 1, GENESIS));
        boards.openBoard(ELECTION, operator, CONFIG, opens + 1, opens + 2, 0);
        refused(outsider, abi.encodeWithSelector(IBallotBoard.OpeningOutOfBounds.selector, GENESIS - 1, GENESIS));
        boards.openBoard(ELECTION, operator, CONFIG, GENESIS - 1, opens + 2, 0);
        refused(
            outsider, abi.encodeWithSelector(IBallotBoard.ClosingOutOfBounds.selector, opens, opens + duration + 1)
        );
        boards.openBoard(ELECTION, operator, CONFIG, opens, opens + duration + 1, 0);
        refused(outsider, abi.encodeWithSelector(IBallotBoard.ClosingOutOfBounds.selector, opens, opens));
        boards.openBoard(ELECTION, operator, CONFIG, opens, opens, 0);
        refused(outsider, abi.encodeWithSelector(IBallotBoard.GraceTooLong.selector, grace + 1));
        boards.openBoard(ELECTION, operator, CONFIG, opens, opens + duration, grace + 1);
        vm.prank(outsider);
        boards.openBoard(ELECTION, operator, CONFIG, opens, opens + duration, grace);
    }

    function test_checkpoint_isTakenFromTheOpeningUntilTheEndOfTheGrace() external {
        vm.warp(OPENS - 1);
        refused(operator, outside());
        boards.checkpoint(board, 0, 1, EMPTY, id("1"));
        vm.warp(OPENS);
        checkpoint(0, 1, EMPTY, id("1"));
        vm.warp(CLOSES + GRACE - 1);
        checkpoint(1, 5, id("1"), id("5"));
        vm.warp(CLOSES + GRACE);
        refused(operator, outside());
        boards.checkpoint(board, 5, 6, id("5"), id("6"));
        equal(boards.boardOf(board).size, 5);
        equal(boards.boardOf(board).root, id("5"));
        equal(boards.boardOf(board).checkpoints, 2);
    }

    function test_checkpoint_revertsForEverybodyButTheOperator() external {
        vm.warp(OPENS);
        address[2] memory callers = [organiser, outsider];
        for (uint256 i = 0; i < callers.length; ++i) {
            refused(callers[i], abi.encodeWithSelector(IBallotBoard.NotOperator.selector, callers[i], board));
            boards.checkpoint(board, 0, 1, EMPTY, id("1"));
        }
        refused(operator, abi.encodeWithSelector(IBallotBoard.UnknownBoard.selector, ELECTION));
        boards.checkpoint(ELECTION, 0, 1, EMPTY, id("1"));
    }

    function test_checkpoint_revertsOnAnotherStateThanTheNewest() external {
        vm.warp(OPENS);
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotNewestCheckpoint.selector, 0, EMPTY));
        boards.checkpoint(board, 0, 1, id("other"), id("1"));
        checkpoint(0, 3, EMPTY, id("3"));
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotNewestCheckpoint.selector, 3, id("3")));
        boards.checkpoint(board, 0, 3, EMPTY, id("3"));
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotNewestCheckpoint.selector, 3, id("3")));
        boards.checkpoint(board, 2, 4, id("3"), id("4"));
    }

    function test_checkpoint_revertsWhenTheBoardShrinksOrChangesWithoutGrowing() external {
        vm.warp(OPENS);
        checkpoint(0, 3, EMPTY, id("3"));
        refused(operator, abi.encodeWithSelector(IBallotBoard.BoardShrinks.selector, 3, 2));
        boards.checkpoint(board, 3, 2, id("3"), id("2"));
        refused(operator, abi.encodeWithSelector(IBallotBoard.RootChangesWithoutGrowth.selector, id("3"), id("x")));
        boards.checkpoint(board, 3, 3, id("3"), id("x"));
        refused(operator, abi.encodeWithSelector(IBallotBoard.ZeroDigest.selector));
        boards.checkpoint(board, 3, 4, id("3"), 0);
        checkpoint(3, 3, id("3"), id("3"));
        equal(boards.boardOf(board).checkpoints, 2);
    }

    function test_checkpoint_ofTheEmptyBoardRepeatsTheEmptyRoot() external {
        vm.warp(OPENS);
        checkpoint(0, 0, EMPTY, EMPTY);
        equal(boards.boardOf(board).root, EMPTY);
        checkpoint(0, 1, EMPTY, id("1"));
    }

    function test_seal_endsTheBoardFromTheCloseOn() external {
        vm.warp(OPENS);
        checkpoint(0, 3, EMPTY, id("3"));
        vm.warp(CLOSES - 1);
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotClosed.selector, CLOSES - 1, CLOSES));
        boards.seal(board, 3, id("3"), TALLY);
        vm.warp(CLOSES);
        vm.prank(operator);
        boards.seal(board, 3, id("3"), TALLY);
        IBallotBoard.Board memory state = boards.boardOf(board);
        yes(state.isSealed, "sealed");
        equal(state.sealedAt, CLOSES);
        equal(state.tallyDigest, TALLY);
        bytes memory over = abi.encodeWithSelector(IBallotBoard.AlreadySealed.selector, board);
        refused(operator, over);
        boards.checkpoint(board, 3, 4, id("3"), id("4"));
        refused(operator, over);
        boards.seal(board, 3, id("3"), id("another tally"));
        refused(organiser, over);
        boards.changeOperator(board, outsider);
    }

    function test_seal_revertsForOthersForAnotherStateAndWithoutTally() external {
        vm.warp(CLOSES + 30 days);
        refused(organiser, abi.encodeWithSelector(IBallotBoard.NotOperator.selector, organiser, board));
        boards.seal(board, 0, EMPTY, TALLY);
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotNewestCheckpoint.selector, 0, EMPTY));
        boards.seal(board, 1, EMPTY, TALLY);
        refused(operator, abi.encodeWithSelector(IBallotBoard.ZeroDigest.selector));
        boards.seal(board, 0, EMPTY, 0);
        vm.prank(operator);
        boards.seal(board, 0, EMPTY, TALLY);
    }

    function test_changeOperator_isForTheOrganiser() external {
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotOrganiser.selector, operator, board));
        boards.changeOperator(board, outsider);
        refused(organiser, abi.encodeWithSelector(IBallotBoard.UnknownBoard.selector, ELECTION));
        boards.changeOperator(ELECTION, outsider);
        refused(organiser, abi.encodeWithSelector(IBallotBoard.ZeroAddress.selector));
        boards.changeOperator(board, address(0));
        vm.prank(organiser);
        boards.changeOperator(board, outsider);
        vm.warp(OPENS);
        refused(operator, abi.encodeWithSelector(IBallotBoard.NotOperator.selector, operator, board));
        boards.checkpoint(board, 0, 1, EMPTY, id("1"));
        vm.prank(outsider);
        boards.checkpoint(board, 0, 1, EMPTY, id("1"));
    }

    function testFuzz_checkpoint_takesExactlyTheSizesThatGrow(uint64 first, uint64 second) external {
        vm.warp(OPENS);
        if (first == 0) return;
        checkpoint(0, first, EMPTY, id("first"));
        if (second > first) {
            vm.prank(operator);
        } else if (second < first) {
            refused(operator, abi.encodeWithSelector(IBallotBoard.BoardShrinks.selector, first, second));
        } else {
            refused(
                operator,
                abi.encodeWithSelector(IBallotBoard.RootChangesWithoutGrowth.selector, id("first"), id("second"))
            );
        }
        boards.checkpoint(board, first, second, id("first"), id("second"));
    }

    function test_logHead_followsTheBoards() external {
        bytes32 before = boards.logHead();
        vm.recordLogs();
        vm.prank(outsider);
        boards.openBoard(ELECTION, outsider, CONFIG, OPENS, CLOSES, GRACE);
        vm.prank(organiser);
        boards.changeOperator(board, outsider);
        vm.warp(OPENS);
        vm.prank(outsider);
        boards.checkpoint(board, 0, 1, EMPTY, id("1"));
        vm.warp(CLOSES);
        vm.prank(outsider);
        boards.seal(board, 1, id("1"), TALLY);
        followed(boards, before, 4);
    }
}
