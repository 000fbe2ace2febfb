// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBallotBoard} from "./interfaces/IBallotBoard.sol";
import {LogChain} from "./LogChain.sol";

/// @title BallotBoard
/// @notice Checkpoints of the append-only ballot boards of elections: see {IBallotBoard}.
/// @dev Immutable: no proxy, no owner; anyone may open boards, each under its own address.
contract BallotBoard is IBallotBoard, LogChain {
    /// @notice How far ahead a board may be announced.
    uint40 public constant MAX_LEAD_S = 366 days;
    /// @notice How long a board may be open.
    uint40 public constant MAX_DURATION_S = 92 days;
    /// @notice How long after its close late batches may be flushed.
    uint40 public constant MAX_GRACE_S = 1 days;
    /// @notice The root of the tree without leaves: SHA-256 of nothing.
    bytes32 public constant EMPTY_ROOT = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;

    mapping(bytes32 boardId => Board) private _boards;

    /// @inheritdoc IBallotBoard
    function openBoard(
        bytes32 electionId,
        address operator,
        bytes32 configDigest,
        uint40 opens,
        uint40 closes,
        uint40 grace
    ) external {
        if (electionId == 0 || configDigest == 0) revert ZeroDigest();
        if (operator == address(0)) revert ZeroAddress();
        _checkTimes(opens, closes, grace);
        bytes32 boardId = boardIdOf(msg.sender, electionId);
        Board storage board = _boards[boardId];
        if (board.organiser != address(0)) revert BoardExists(boardId);
        board.operator = operator;
        board.opens = opens;
        board.flushUntil = closes + grace;
        board.organiser = msg.sender;
        board.closes = closes;
        board.configDigest = configDigest;
        _logOpened(boardId, electionId);
    }

    /// @inheritdoc IBallotBoard
    function changeOperator(bytes32 boardId, address operator) external {
        Board storage board = _boards[boardId];
        if (board.organiser == address(0)) revert UnknownBoard(boardId);
        if (msg.sender != board.organiser) revert NotOrganiser(msg.sender, boardId);
        if (board.isSealed) revert AlreadySealed(boardId);
        if (operator == address(0)) revert ZeroAddress();
        address previous = board.operator;
        board.operator = operator;
        emit OperatorChanged(boardId, previous, operator);
        _extendLog(keccak256(abi.encode(OperatorChanged.selector, boardId, previous, operator)));
    }

    /// @inheritdoc IBallotBoard
    function checkpoint(bytes32 boardId, uint64 oldSize, uint64 size, bytes32 oldRoot, bytes32 root) external {
        Board storage board = _boards[boardId];
        _checkOperator(board, boardId);
        _checkWindow(board);
        _checkNewest(board, oldSize, oldRoot);
        if (root == 0) revert ZeroDigest();
        if (size < oldSize) revert BoardShrinks(oldSize, size);
        if (size == oldSize && root != oldRoot) revert RootChangesWithoutGrowth(oldRoot, root);
        uint32 number = board.checkpoints + 1;
        board.size = size;
        board.checkpoints = number;
        board.root = root;
        emit Checkpointed(boardId, number, oldSize, size, oldRoot, root);
        _extendLog(keccak256(abi.encode(Checkpointed.selector, boardId, number, oldSize, size, oldRoot, root)));
    }

    /// @inheritdoc IBallotBoard
    function seal(bytes32 boardId, uint64 size, bytes32 root, bytes32 tallyDigest) external {
        Board storage board = _boards[boardId];
        _checkOperator(board, boardId);
        uint40 time = uint40(block.timestamp);
        if (time < board.closes) revert NotClosed(time, board.closes);
        _checkNewest(board, size, root);
        if (tallyDigest == 0) revert ZeroDigest();
        board.isSealed = true;
        board.sealedAt = time;
        board.tallyDigest = tallyDigest;
        emit BoardSealed(boardId, root, size, tallyDigest);
        _extendLog(keccak256(abi.encode(BoardSealed.selector, boardId, root, size, tallyDigest)));
    }

    /// @inheritdoc IBallotBoard
    function boardOf(bytes32 boardId) external view returns (Board memory board) {
        board = _boards[boardId];
        // slither-disable-next-line incorrect-equality (a counter that only this contract sets)
        if (board.organiser != address(0) && board.checkpoints == 0) board.root = EMPTY_ROOT;
    }

    /// @inheritdoc IBallotBoard
    function boardIdOf(address organiser, bytes32 electionId) public pure returns (bytes32) {
        return keccak256(abi.encode(organiser, electionId));
    }

    function _logOpened(bytes32 boardId, bytes32 electionId) private {
        Board memory board = _boards[boardId];
        emit BoardOpened(
            boardId,
            board.organiser,
            electionId,
            board.operator,
            board.configDigest,
            board.opens,
            board.closes,
            board.flushUntil
        );
        _extendLog(
            keccak256(
                abi.encode(
                    BoardOpened.selector,
                    boardId,
                    board.organiser,
                    electionId,
                    board.operator,
                    board.configDigest,
                    board.opens,
                    board.closes,
                    board.flushUntil
                )
            )
        );
    }

    function _checkTimes(uint40 opens, uint40 closes, uint40 grace) private view {
        uint40 time = uint40(block.timestamp);
        if (opens < time || opens > time + MAX_LEAD_S) revert OpeningOutOfBounds(opens, time);
        if (closes <= opens || closes - opens > MAX_DURATION_S) revert ClosingOutOfBounds(opens, closes);
        if (grace > MAX_GRACE_S) revert GraceTooLong(grace);
    }

    function _checkOperator(Board storage board, bytes32 boardId) private view {
        address operator = board.operator;
        if (operator == address(0)) revert UnknownBoard(boardId);
        if (msg.sender != operator) revert NotOperator(msg.sender, boardId);
        if (board.isSealed) revert AlreadySealed(boardId);
    }

    function _checkWindow(Board storage board) private view {
        uint40 time = uint40(block.timestamp);
        if (time < board.opens || time >= board.flushUntil) {
            revert OutsideWindow(time, board.opens, board.flushUntil);
        }
    }

    function _checkNewest(Board storage board, uint64 size, bytes32 root) private view {
        bytes32 newest = board.checkpoints == 0 ? EMPTY_ROOT : board.root;
        if (size != board.size || root != newest) revert NotNewestCheckpoint(board.size, newest);
    }
}
