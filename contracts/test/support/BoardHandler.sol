// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BallotBoard} from "../../src/BallotBoard.sol";
import {IBallotBoard} from "../../src/interfaces/IBallotBoard.sol";
import {Checks} from "./Checks.sol";

/// @notice Drives two boards, and compares every state with the one before.
contract BoardHandler is Checks {
    address internal immutable ORGANISER = someone("organiser");
    address internal immutable OPERATOR = someone("operator");

    BallotBoard public boards = new BallotBoard();
    bytes32 public head;
    bool public sizeShrank;
    bool public sealedChanged;
    bool public termsChanged;
    uint256 public checkpoints;

    bytes32[2] internal ids;
    IBallotBoard.Board[2] internal states;

    constructor() {
        vm.warp(2_000_000_000);
        for (uint256 i = 0; i < 2; ++i) {
            ids[i] = boards.boardIdOf(ORGANISER, bytes32(i + 1));
            openBoard(i, 0);
        }
    }

    modifier watched() {
        vm.recordLogs();
        _;
        head = extended(head, vm.getRecordedLogs(), address(boards));
        compare(0);
        compare(1);
    }

    function openBoard(uint256 which, uint256 lead) public watched {
        uint40 opens = uint40(block.timestamp + within(lead, 0, 10));
        vm.prank(ORGANISER);
        try boards.openBoard(bytes32(which % 2 + 1), OPERATOR, id("config"), opens, opens + 3000, 500) {} catch {}
    }

    function checkpoint(uint256 which, uint256 growth, bytes32 root) external watched {
        IBallotBoard.Board memory state = states[which % 2];
        uint64 size = uint64(state.size + within(growth, 0, 5)); // 0 changes the root without growth
        attempt(which % 2, state.size, size, state.root, root);
    }

    function checkpointAnything(uint256 which, uint64 oldSize, uint64 size, bytes32 root) external watched {
        IBallotBoard.Board memory state = states[which % 2];
        attempt(which % 2, oldSize % 3 == 0 ? state.size : oldSize, size % 20, state.root, root);
    }

    function seal(uint256 which, bytes32 tally) external watched {
        IBallotBoard.Board memory state = states[which % 2];
        vm.prank(OPERATOR);
        try boards.seal(ids[which % 2], state.size, state.root, tally) {} catch {}
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + within(time, 1, 300));
    }

    function attempt(uint256 which, uint64 oldSize, uint64 size, bytes32 oldRoot, bytes32 root) private {
        vm.prank(OPERATOR);
        try boards.checkpoint(ids[which], oldSize, size, oldRoot, root) {
            ++checkpoints;
        } catch {}
    }

    function compare(uint256 which) private {
        IBallotBoard.Board memory old = states[which];
        IBallotBoard.Board memory state = boards.boardOf(ids[which]);
        if (old.organiser != address(0)) {
            if (state.size < old.size || (state.size == old.size && state.root != old.root)) sizeShrank = true;
            if (old.isSealed && keccak256(abi.encode(old)) != keccak256(abi.encode(state))) sealedChanged = true;
            if (terms(old) != terms(state)) termsChanged = true;
        }
        states[which] = state;
    }

    function terms(IBallotBoard.Board memory state) private pure returns (bytes32) {
        return keccak256(
            abi.encode(state.organiser, state.opens, state.closes, state.flushUntil, state.configDigest)
        );
    }
}
