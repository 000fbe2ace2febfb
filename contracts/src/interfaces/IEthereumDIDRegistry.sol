// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./ILogChain.sol";

/// @title IEthereumDIDRegistry
/// @notice Keys and services of `did:ethr` identifiers, with the events and views of ERC-1056, so
/// that its resolvers work unchanged. For legal entities; citizens have no DID on chain.
///
/// Every address is an identity, owned by itself until it names another owner. Events link back:
/// `previousChange` is the block of the identity's previous event, `changed` that of the newest.
///
/// What is stricter than the ERC-1056 registry in use:
///
/// - An identity whose owner was set to zero is deactivated for good: identityOwner is zero, no
///   delegate is valid, and nothing changes any more.
/// - The signed variants take an EIP-712 signature (name "EthereumDIDRegistry", version "1", chain
///   id, this address) over the arguments in the order of the function, then `nonce` of the owner
///   and `deadline`; the types are named after the functions without "Signed", for example
///   ChangeOwner(address identity,address newOwner,uint256 nonce,uint256 deadline). An owner that
///   is a contract signs by ERC-1271.
/// - validity and the length of a value are bounded.
///
/// Log chain: DIDOwnerChanged and DIDDelegateChanged follow the rule for arguments of fixed size.
/// DIDAttributeChanged has a dynamic one, and its entry is, by the same `topics || data`,
///
///   entry = keccak256(topic0 || abi.encode(identity) || abi.encode(name, value, validTo, previousChange))
///
/// with abi.encode of the four data arguments as one tuple: name, 0x80, validTo, previousChange,
/// the length of value, and value padded with zeros to a multiple of 32 bytes.
interface IEthereumDIDRegistry is ILogChain {
    // The three events are ERC-1056's, to the letter.

    /// @notice The owner of an identity was replaced; zero means deactivated.
    event DIDOwnerChanged(address indexed identity, address owner, uint256 previousChange);

    /// @notice A delegate was added until `validTo`, or revoked, when `validTo` is the block's time.
    event DIDDelegateChanged(
        address indexed identity, bytes32 delegateType, address delegate, uint256 validTo, uint256 previousChange
    );

    /// @notice An attribute was set until `validTo`, or revoked, when `validTo` is 0.
    event DIDAttributeChanged(
        address indexed identity, bytes32 name, bytes value, uint256 validTo, uint256 previousChange
    );

    /// @notice Thrown when a change is sent by anyone but the owner of the identity.
    error NotOwner(address caller, address identity);
    /// @notice Thrown when an identity is deactivated: it never changes again.
    error Deactivated(address identity);
    /// @notice Thrown when a signed change comes after its deadline.
    error SignatureExpired(uint256 deadline, uint256 blockTime);
    /// @notice Thrown when a signature is not the owner's over these arguments, this nonce, this
    /// contract and this chain.
    error SignatureNotOwners(address owner, address identity);
    /// @notice Thrown when a validity is longer than MAX_VALIDITY_S.
    error ValidityTooLong(uint256 validity);
    /// @notice Thrown when the value of an attribute is longer than MAX_VALUE_BYTES.
    error ValueTooLong(uint256 length);

    /// @notice Replaces the owner of an identity; zero deactivates it for good.
    /// @dev Only the owner.
    function changeOwner(address identity, address newOwner) external;

    /// @notice Adds a delegate for `validity` seconds from now on.
    /// @dev Only the owner. Adding it again replaces its validity.
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external;

    /// @notice Ends the validity of a delegate now.
    /// @dev Only the owner.
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external;

    /// @notice Sets an attribute, a key or a service, for `validity` seconds from now on.
    /// @dev Only the owner. Attributes are kept in events alone.
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity) external;

    /// @notice Ends an attribute of that name and value now.
    /// @dev Only the owner.
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external;

    /// @notice As {changeOwner}, with the owner's signature, sent by anyone.
    function changeOwnerSigned(address identity, address newOwner, uint256 deadline, bytes calldata signature)
        external;

    /// @notice As {addDelegate}, with the owner's signature, sent by anyone.
    function addDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice As {revokeDelegate}, with the owner's signature, sent by anyone.
    function revokeDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice As {setAttribute}, with the owner's signature, sent by anyone.
    function setAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice As {revokeAttribute}, with the owner's signature, sent by anyone.
    function revokeAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 deadline,
        bytes calldata signature
    ) external;

    /// @notice The owner of an identity: itself until changed, zero when deactivated.
    function identityOwner(address identity) external view returns (address);

    /// @notice True while the delegate is valid and the identity is not deactivated.
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool);

    /// @notice The block of the newest event of an identity; 0 when it has none.
    function changed(address identity) external view returns (uint256);

    /// @notice The nonce for the next change that this owner signs, of whichever identity.
    function nonce(address owner) external view returns (uint256);
}
