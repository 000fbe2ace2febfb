// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./ILogChain.sol";

/// @title IDirectory
/// @notice The contracts that governance put in force on this chain: per name, a list of versions
/// that only grows. Contracts are immutable; a new version is a new address, and what was anchored
/// at an old one keeps its meaning.
///
/// A name is ASCII, left-aligned and padded with zeros, for example "CredentialAnchor". The code
/// hash is keccak256 of the runtime code; immutable variables are part of it, so it also fixes the
/// contracts that a contract was deployed with.
interface IDirectory is ILogChain {
    /// @notice One version of a contract.
    struct Entry {
        address location;
        uint40 listedAt;
        // 0 while the version is in force
        uint40 deprecatedAt;
        // as it was when listed
        bytes32 codeHash;
    }

    // indexed arguments come first in every event: see ILogChain

    /// @notice A version was listed. The first version of a name is 1.
    event ContractListed(bytes32 indexed name, uint32 indexed version, address indexed location, bytes32 codeHash);

    /// @notice A version was marked as no longer to be used for new records.
    event ContractDeprecated(bytes32 indexed name, uint32 indexed version);

    /// @notice Thrown when a name is empty.
    error EmptyName();
    /// @notice Thrown when an address holds no contract.
    error NoCode(address location);
    /// @notice Thrown when the code at an address is not the one that was approved.
    error CodeHashMismatch(address location, bytes32 codeHash);
    /// @notice Thrown when an address is listed twice under a name.
    error AlreadyListed(bytes32 name, address location);
    /// @notice Thrown when there is no such version.
    error UnknownVersion(bytes32 name, uint32 version);
    /// @notice Thrown when a version is deprecated already.
    error AlreadyDeprecated(bytes32 name, uint32 version);

    /// @notice Lists the next version of a contract.
    /// @dev Only root. The versions before stay as they are: deprecate them apart.
    /// @param codeHash the code hash that was approved; that of the address must be the same
    function list(bytes32 name, address location, bytes32 codeHash) external;

    /// @notice Marks a version as deprecated, for good.
    /// @dev Only root.
    function deprecate(bytes32 name, uint32 version) external;

    /// @notice How many versions of a name there are; the newest has this number.
    function versionsOf(bytes32 name) external view returns (uint32);

    /// @notice A version of a contract; reverts when there is none.
    function entryOf(bytes32 name, uint32 version) external view returns (Entry memory);

    /// @notice All names, in the order of their first listing. For off-chain callers.
    function names() external view returns (bytes32[] memory);
}
