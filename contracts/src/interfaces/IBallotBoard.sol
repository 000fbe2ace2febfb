// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./ILogChain.sol";

/// @title IBallotBoard
/// @notice One public order of the states of an election's append-only ballot board: checkpoints of
/// an RFC 9162 SHA-256 tree, so that no two readers can be shown two boards. Never a ballot, a voter
/// or a time of arrival: the operator checkpoints on a clock.
///
/// That a checkpoint extends the one before is proved off chain, by a consistency proof between the
/// two roots; the contract sees to it that sizes never shrink and that nothing is rewritten.
///
/// An election belongs to the organiser that opened it: boardId = keccak256(abi.encode(organiser,
/// electionId)). Whoever copies an opening opens a board of its own, never this one. Readers take
/// organiser and electionId from the signed manifest of the election, which is what `configDigest`
/// commits to (questions, eligibility root, keys of the trustees).
///
///   before `opens`                 nothing but a change of the operator
///   [opens, closes)                checkpoints
///   [closes, flushUntil)           checkpoints of ballots accepted before the close; the seal
///   from flushUntil on             the seal, once, of the last checkpoint
interface IBallotBoard is ILogChain {
    /// @notice The state of a board.
    struct Board {
        // the address that checkpoints and seals
        address operator;
        uint40 opens;
        uint40 flushUntil;
        bool isSealed;
        // the address that opened it; zero when there is no such board
        address organiser;
        uint40 closes;
        uint40 sealedAt;
        // leaves of the newest checkpoint, and how many checkpoints there were
        uint64 size;
        uint32 checkpoints;
        // of the newest checkpoint; EMPTY_ROOT while there is none
        bytes32 root;
        bytes32 configDigest;
        // zero until sealed
        bytes32 tallyDigest;
    }

    // indexed arguments come first in every event: see ILogChain

    /// @notice An organiser opened a board for an election.
    event BoardOpened(
        bytes32 indexed boardId,
        address indexed organiser,
        bytes32 indexed electionId,
        address operator,
        bytes32 configDigest,
        uint40 opens,
        uint40 closes,
        uint40 flushUntil
    );

    /// @notice The organiser replaced the operator.
    event OperatorChanged(bytes32 indexed boardId, address indexed previousOperator, address indexed operator);

    /// @notice The operator put the state of the board on record.
    event Checkpointed(
        bytes32 indexed boardId, uint32 indexed number, uint64 oldSize, uint64 size, bytes32 oldRoot, bytes32 root
    );

    /// @notice The operator ended the board with the digest of the tally.
    event BoardSealed(bytes32 indexed boardId, bytes32 indexed root, uint64 size, bytes32 tallyDigest);

    /// @notice Thrown when an election id or a digest is zero.
    error ZeroDigest();
    /// @notice Thrown when the operator is the zero address.
    error ZeroAddress();
    /// @notice Thrown when the organiser opened a board for this election already.
    error BoardExists(bytes32 boardId);
    /// @notice Thrown when there is no such board.
    error UnknownBoard(bytes32 boardId);
    /// @notice Thrown when a board would open in the past or later than MAX_LEAD_S from now.
    error OpeningOutOfBounds(uint40 opens, uint40 blockTime);
    /// @notice Thrown when a board would close before it opens or after MAX_DURATION_S.
    error ClosingOutOfBounds(uint40 opens, uint40 closes);
    /// @notice Thrown when the time for late flushes is longer than MAX_GRACE_S.
    error GraceTooLong(uint40 grace);
    /// @notice Thrown when a caller is not the organiser.
    error NotOrganiser(address caller, bytes32 boardId);
    /// @notice Thrown when a caller is not the operator.
    error NotOperator(address caller, bytes32 boardId);
    /// @notice Thrown when a checkpoint comes before `opens` or from `flushUntil` on.
    error OutsideWindow(uint40 blockTime, uint40 opens, uint40 flushUntil);
    /// @notice Thrown when the state named as old, or sealed, is not the newest checkpoint.
    error NotNewestCheckpoint(uint64 newestSize, bytes32 newestRoot);
    /// @notice Thrown when a board would shrink.
    error BoardShrinks(uint64 oldSize, uint64 size);
    /// @notice Thrown when a board would change without growing.
    error RootChangesWithoutGrowth(bytes32 oldRoot, bytes32 root);
    /// @notice Thrown when a board is sealed before it closes.
    error NotClosed(uint40 blockTime, uint40 closes);
    /// @notice Thrown when a board is sealed: it never changes again.
    error AlreadySealed(bytes32 boardId);

    /// @notice Opens a board; the caller becomes its organiser.
    /// @param electionId SHA-256(UTF-8 of the election's identifier)
    /// @param configDigest SHA-256 of the signed manifest of the election
    /// @param opens not in the past, at most MAX_LEAD_S ahead
    /// @param closes later than `opens`, by at most MAX_DURATION_S
    /// @param grace seconds after `closes` in which late batches may still be flushed, at most
    /// MAX_GRACE_S
    function openBoard(
        bytes32 electionId,
        address operator,
        bytes32 configDigest,
        uint40 opens,
        uint40 closes,
        uint40 grace
    ) external;

    /// @notice Replaces the operator, whose key is in daily use.
    /// @dev Only the organiser, until the board is sealed.
    function changeOperator(bytes32 boardId, address operator) external;

    /// @notice Puts the next state of the board on record.
    /// @dev Only the operator. The state before is named too, so that a transaction sent twice or
    /// built on another state is refused. The same size repeats the same root: nothing new since.
    /// @param root RFC 9162 Merkle tree head over SHA-256; not checked on chain
    function checkpoint(bytes32 boardId, uint64 oldSize, uint64 size, bytes32 oldRoot, bytes32 root) external;

    /// @notice Ends the board: no checkpoint follows.
    /// @dev Only the operator, from `closes` on, once.
    /// @param size of the newest checkpoint
    /// @param root of the newest checkpoint; EMPTY_ROOT when there was none
    /// @param tallyDigest SHA-256 of the published record of the tally
    function seal(bytes32 boardId, uint64 size, bytes32 root, bytes32 tallyDigest) external;

    /// @notice The state of a board; all zero when there is no such board.
    function boardOf(bytes32 boardId) external view returns (Board memory);

    /// @notice The identifier of the board of an election.
    function boardIdOf(address organiser, bytes32 electionId) external pure returns (bytes32);
}
