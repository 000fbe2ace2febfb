// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChainedAdminRules} from "./ChainedAdminRules.sol";
import {IDirectory} from "./interfaces/IDirectory.sol";

/// @title Directory
/// @notice The contracts in force, by name and version: see {IDirectory}.
/// @dev Immutable: no proxy. The root authority is the default admin, handed over after a delay.
contract Directory is IDirectory, ChainedAdminRules {
    bytes32[] private _names;
    // slither-disable-next-line uninitialized-state (a mapping of arrays begins empty, and list() pushes)
    mapping(bytes32 name => Entry[]) private _entries;
    mapping(bytes32 name => mapping(address location => bool)) private _isListed;

    /// @param handOverDelay seconds between the announcement of a new root and its acceptance
    /// @param root the root authority: a multisignature or timelock contract in production
    constructor(uint48 handOverDelay, address root) ChainedAdminRules(handOverDelay, root) {}

    /// @inheritdoc IDirectory
    function list(bytes32 name, address location, bytes32 codeHash) external onlyRole(DEFAULT_ADMIN_ROLE) {
        if (name == 0) revert EmptyName();
        if (location.code.length == 0) revert NoCode(location);
        if (location.codehash != codeHash) revert CodeHashMismatch(location, location.codehash);
        if (_isListed[name][location]) revert AlreadyListed(name, location);
        Entry[] storage entries = _entries[name];
        if (entries.length == 0) _names.push(name);
        _isListed[name][location] = true;
        entries.push(Entry(location, uint40(block.timestamp), 0, codeHash));
        uint32 version = uint32(entries.length);
        emit ContractListed(name, version, location, codeHash);
        _extendLog(keccak256(abi.encode(ContractListed.selector, name, version, location, codeHash)));
    }

    /// @inheritdoc IDirectory
    function deprecate(bytes32 name, uint32 version) external onlyRole(DEFAULT_ADMIN_ROLE) {
        Entry storage entry = _entryOf(name, version);
        if (entry.deprecatedAt != 0) revert AlreadyDeprecated(name, version);
        entry.deprecatedAt = uint40(block.timestamp);
        emit ContractDeprecated(name, version);
        _extendLog(keccak256(abi.encode(ContractDeprecated.selector, name, version)));
    }

    /// @inheritdoc IDirectory
    function versionsOf(bytes32 name) external view returns (uint32) {
        return uint32(_entries[name].length);
    }

    /// @inheritdoc IDirectory
    function entryOf(bytes32 name, uint32 version) external view returns (Entry memory) {
        return _entryOf(name, version);
    }

    /// @inheritdoc IDirectory
    function names() external view returns (bytes32[] memory) {
        return _names;
    }

    function _entryOf(bytes32 name, uint32 version) private view returns (Entry storage) {
        Entry[] storage entries = _entries[name];
        if (version == 0 || version > entries.length) revert UnknownVersion(name, version);
        return entries[version - 1];
    }
}
