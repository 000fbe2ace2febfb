// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./interfaces/ILogChain.sol";

/// @title LogChain
/// @notice Keeps the hash-chained log head that {ILogChain} describes.
abstract contract LogChain is ILogChain {
    bytes32 private _logHead;

    /// @inheritdoc ILogChain
    function logHead() external view returns (bytes32) {
        return _logHead;
    }

    /// @dev Call once for every event, in the order of emission.
    /// @param entry keccak256 of the log's topics and data joined: see {ILogChain}. For an event
    /// whose arguments are all of fixed size and the indexed ones first, that is
    /// keccak256(abi.encode(topic 0, all arguments in declaration order)).
    function _extendLog(bytes32 entry) internal {
        _logHead = keccak256(abi.encode(_logHead, entry));
    }
}
