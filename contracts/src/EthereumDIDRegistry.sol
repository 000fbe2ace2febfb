// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {IEthereumDIDRegistry} from "./interfaces/IEthereumDIDRegistry.sol";
import {LogChain} from "./LogChain.sol";

/// @title EthereumDIDRegistry
/// @notice A registry of did:ethr identifiers after ERC-1056: see {IEthereumDIDRegistry}.
/// @dev Immutable: no proxy, no owner.
contract EthereumDIDRegistry is IEthereumDIDRegistry, LogChain, EIP712, Nonces {
    // One slot. `changedAt` is a block number.
    struct Identity {
        address owner;
        uint64 changedAt;
        bool deactivated;
    }

    /// @notice The longest validity of a delegate or attribute: a century.
    uint256 public constant MAX_VALIDITY_S = 36_525 days;
    /// @notice The longest value of an attribute.
    uint256 public constant MAX_VALUE_BYTES = 2048;

    bytes32 private constant CHANGE_OWNER =
        keccak256("ChangeOwner(address identity,address newOwner,uint256 nonce,uint256 deadline)");
    bytes32 private constant ADD_DELEGATE = keccak256(
        "AddDelegate(address identity,bytes32 delegateType,address delegate,uint256 validity,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant REVOKE_DELEGATE = keccak256(
        "RevokeDelegate(address identity,bytes32 delegateType,address delegate,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant SET_ATTRIBUTE = keccak256(
        "SetAttribute(address identity,bytes32 name,bytes value,uint256 validity,uint256 nonce,uint256 deadline)"
    );
    bytes32 private constant REVOKE_ATTRIBUTE = keccak256(
        "RevokeAttribute(address identity,bytes32 name,bytes value,uint256 nonce,uint256 deadline)"
    );

    mapping(address identity => Identity) private _identities;
    mapping(address identity => mapping(bytes32 delegateType => mapping(address delegate => uint256))) private
        _delegateValidTo;

    constructor() EIP712("EthereumDIDRegistry", "1") {}

    /// @inheritdoc IEthereumDIDRegistry
    function changeOwner(address identity, address newOwner) external {
        _requireOwner(identity);
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function addDelegate(address identity, bytes32 delegateType, address delegate, uint256 validity) external {
        _requireOwner(identity);
        _setDelegate(identity, delegateType, delegate, _end(validity));
    }

    /// @inheritdoc IEthereumDIDRegistry
    function revokeDelegate(address identity, bytes32 delegateType, address delegate) external {
        _requireOwner(identity);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function setAttribute(address identity, bytes32 name, bytes calldata value, uint256 validity) external {
        _requireOwner(identity);
        _logAttribute(identity, name, value, _end(validity));
    }

    /// @inheritdoc IEthereumDIDRegistry
    function revokeAttribute(address identity, bytes32 name, bytes calldata value) external {
        _requireOwner(identity);
        _logAttribute(identity, name, value, 0);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function changeOwnerSigned(address identity, address newOwner, uint256 deadline, bytes calldata signature)
        external
    {
        bytes memory fields = abi.encode(CHANGE_OWNER, identity, newOwner);
        _requireSignature(identity, fields, deadline, signature);
        _changeOwner(identity, newOwner);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function addDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory fields = abi.encode(ADD_DELEGATE, identity, delegateType, delegate, validity);
        _requireSignature(identity, fields, deadline, signature);
        _setDelegate(identity, delegateType, delegate, _end(validity));
    }

    /// @inheritdoc IEthereumDIDRegistry
    function revokeDelegateSigned(
        address identity,
        bytes32 delegateType,
        address delegate,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory fields = abi.encode(REVOKE_DELEGATE, identity, delegateType, delegate);
        _requireSignature(identity, fields, deadline, signature);
        _setDelegate(identity, delegateType, delegate, block.timestamp);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function setAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 validity,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory fields = abi.encode(SET_ATTRIBUTE, identity, name, keccak256(value), validity);
        _requireSignature(identity, fields, deadline, signature);
        _logAttribute(identity, name, value, _end(validity));
    }

    /// @inheritdoc IEthereumDIDRegistry
    function revokeAttributeSigned(
        address identity,
        bytes32 name,
        bytes calldata value,
        uint256 deadline,
        bytes calldata signature
    ) external {
        bytes memory fields = abi.encode(REVOKE_ATTRIBUTE, identity, name, keccak256(value));
        _requireSignature(identity, fields, deadline, signature);
        _logAttribute(identity, name, value, 0);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function validDelegate(address identity, bytes32 delegateType, address delegate) external view returns (bool) {
        return !_identities[identity].deactivated
            && _delegateValidTo[identity][delegateType][delegate] > block.timestamp;
    }

    /// @inheritdoc IEthereumDIDRegistry
    function changed(address identity) external view returns (uint256) {
        return _identities[identity].changedAt;
    }

    /// @inheritdoc IEthereumDIDRegistry
    function nonce(address owner) external view returns (uint256) {
        return nonces(owner);
    }

    /// @inheritdoc IEthereumDIDRegistry
    function identityOwner(address identity) public view returns (address) {
        Identity memory stored = _identities[identity];
        if (stored.deactivated) return address(0);
        return stored.owner == address(0) ? identity : stored.owner;
    }

    function _changeOwner(address identity, address newOwner) private {
        _identities[identity].owner = newOwner;
        if (newOwner == address(0)) _identities[identity].deactivated = true;
        uint256 previous = _markChanged(identity);
        emit DIDOwnerChanged(identity, newOwner, previous);
        _extendLog(keccak256(abi.encode(DIDOwnerChanged.selector, identity, newOwner, previous)));
    }

    function _setDelegate(address identity, bytes32 delegateType, address delegate, uint256 validTo) private {
        _delegateValidTo[identity][delegateType][delegate] = validTo;
        uint256 previous = _markChanged(identity);
        emit DIDDelegateChanged(identity, delegateType, delegate, validTo, previous);
        _extendLog(
            keccak256(
                abi.encode(DIDDelegateChanged.selector, identity, delegateType, delegate, validTo, previous)
            )
        );
    }

    function _logAttribute(address identity, bytes32 name, bytes calldata value, uint256 validTo) private {
        if (value.length > MAX_VALUE_BYTES) revert ValueTooLong(value.length);
        uint256 previous = _markChanged(identity);
        emit DIDAttributeChanged(identity, name, value, validTo, previous);
        bytes memory data = abi.encode(name, value, validTo, previous);
        _extendLog(keccak256(bytes.concat(abi.encode(DIDAttributeChanged.selector, identity), data)));
    }

    /// @dev Returns the block of the change before this one.
    function _markChanged(address identity) private returns (uint256 previous) {
        previous = _identities[identity].changedAt;
        _identities[identity].changedAt = uint64(block.number);
    }

    /// @dev Uses a nonce up. `fields` are the encoded members of the EIP-712 struct before the nonce.
    function _requireSignature(address identity, bytes memory fields, uint256 deadline, bytes calldata signature)
        private
    {
        if (block.timestamp > deadline) revert SignatureExpired(deadline, block.timestamp);
        address owner = _activeOwner(identity);
        bytes memory members = bytes.concat(fields, abi.encode(_useNonce(owner), deadline));
        bytes32 digest = _hashTypedDataV4(keccak256(members));
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, digest, signature)) {
            revert SignatureNotOwners(owner, identity);
        }
    }

    function _requireOwner(address identity) private view {
        if (msg.sender != _activeOwner(identity)) revert NotOwner(msg.sender, identity);
    }

    function _activeOwner(address identity) private view returns (address owner) {
        owner = identityOwner(identity);
        if (owner == address(0)) revert Deactivated(identity);
    }

    function _end(uint256 validity) private view returns (uint256) {
        if (validity > MAX_VALIDITY_S) revert ValidityTooLong(validity);
        return block.timestamp + validity;
    }
}
