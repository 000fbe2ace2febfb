// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "../../src/interfaces/ILogChain.sol";
import {Vm} from "./Vm.sol";

/// @notice Assertions, senders and refusals, shared by all tests.
abstract contract Checks {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev What forge reads from targetSelectors().
    struct FuzzSelector {
        address target;
        bytes4[] selectors;
    }

    error NotEqual(bytes32 actual, bytes32 expected);
    error NotTrue(string what);

    function equal(bytes32 actual, bytes32 expected) internal pure {
        if (actual != expected) revert NotEqual(actual, expected);
    }

    function equal(uint256 actual, uint256 expected) internal pure {
        equal(bytes32(actual), bytes32(expected));
    }

    function equal(address actual, address expected) internal pure {
        equal(uint160(actual), uint160(expected));
    }

    function yes(bool condition, string memory what) internal pure {
        if (!condition) revert NotTrue(what);
    }

    function no(bool condition, string memory what) internal pure {
        yes(!condition, what);
    }

    /// @dev The next call comes from `sender` and reverts with exactly these bytes.
    function refused(address sender, bytes memory revertData) internal {
        vm.expectRevert(revertData);
        vm.prank(sender);
    }

    /// @dev 32 opaque bytes. Not sha256: that is a call, and a prank or an expectation would meet it.
    function id(string memory name) internal pure returns (bytes32) {
        return keccak256(bytes(name));
    }

    function someone(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    /// @dev A value from `low` to `high`, both included.
    function within(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + seed % (high - low + 1);
    }

    /// @dev The log head as a follower extends it, from nothing but topics and data.
    function extended(bytes32 head, Vm.Log[] memory logs, address emitter) internal pure returns (bytes32) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != emitter) continue;
            bytes memory joined;
            for (uint256 j = 0; j < logs[i].topics.length; ++j) joined = bytes.concat(joined, logs[i].topics[j]);
            head = keccak256(bytes.concat(head, keccak256(bytes.concat(joined, logs[i].data))));
        }
        return head;
    }

    /// @dev Call after vm.recordLogs() and some operations, with the head before them.
    function followed(ILogChain target, bytes32 before, uint256 events) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        equal(logs.length, events);
        equal(target.logHead(), extended(before, logs, address(target)));
        equal(vm.load(address(target), 0), target.logHead());
    }
}
