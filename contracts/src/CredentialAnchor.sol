// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialAnchor} from "./interfaces/ICredentialAnchor.sol";
import {ITrustRegistry} from "./interfaces/ITrustRegistry.sol";
import {LogChain} from "./LogChain.sol";

/// @title CredentialAnchor
/// @notice Batch roots and status digests of accredited issuers: see {ICredentialAnchor}.
/// @dev Immutable: no proxy, no owner; the trust registry is fixed at deployment.
contract CredentialAnchor is ICredentialAnchor, LogChain {
    /// @inheritdoc ICredentialAnchor
    ITrustRegistry public immutable registry;

    mapping(bytes32 issuerId => mapping(bytes32 root => Batch)) private _batches;
    mapping(bytes32 issuerId => mapping(bytes32 listId => StatusList)) private _statusLists;

    constructor(ITrustRegistry trustRegistry) {
        if (address(trustRegistry).code.length == 0) revert RegistryWithoutCode(address(trustRegistry));
        registry = trustRegistry;
    }

    /// @inheritdoc ICredentialAnchor
    function anchorBatch(bytes32 issuerId, bytes32 schemaId, bytes32 root, uint64 size, bytes32 manifestDigest)
        external
    {
        if (root == 0 || manifestDigest == 0) revert ZeroDigest();
        if (size == 0) revert EmptyBatch();
        (address controller, uint32 mandateId) = registry.currentAccreditation(issuerId, schemaId);
        if (msg.sender != controller) revert NotController(msg.sender, issuerId);
        if (mandateId == 0) revert NotAccredited(issuerId, schemaId);
        if (_batches[issuerId][root].anchoredAt != 0) revert BatchExists(issuerId, root);
        _batches[issuerId][root] = Batch(uint40(block.timestamp), 0, size, mandateId);
        emit BatchAnchored(issuerId, schemaId, root, size, mandateId, manifestDigest);
        _extendLog(
            keccak256(
                abi.encode(BatchAnchored.selector, issuerId, schemaId, root, size, mandateId, manifestDigest)
            )
        );
    }

    /// @inheritdoc ICredentialAnchor
    function revokeBatch(bytes32 issuerId, bytes32 root) external {
        Batch storage batch = _batches[issuerId][root];
        if (batch.anchoredAt == 0) revert UnknownBatch(issuerId, root);
        if (msg.sender != registry.controllerOf(issuerId) && !registry.mayRevokeUnder(batch.mandateId, msg.sender)) {
            revert NotAllowedToRevoke(msg.sender, issuerId);
        }
        if (batch.revokedAt != 0) revert BatchAlreadyRevoked(issuerId, root, batch.revokedAt);
        batch.revokedAt = uint40(block.timestamp);
        emit BatchRevoked(issuerId, root, msg.sender);
        _extendLog(keccak256(abi.encode(BatchRevoked.selector, issuerId, root, msg.sender)));
    }

    /// @inheritdoc ICredentialAnchor
    function publishStatus(bytes32 issuerId, bytes32 listId, bytes32 digest, uint64 version, uint40 expires) external {
        if (listId == 0 || digest == 0) revert ZeroDigest();
        if (msg.sender != registry.controllerOf(issuerId)) revert NotController(msg.sender, issuerId);
        StatusList storage list = _statusLists[issuerId][listId];
        uint64 expectedVersion = list.version + 1;
        if (version != expectedVersion) revert VersionNotNext(version, expectedVersion);
        uint40 time = uint40(block.timestamp);
        if (expires <= time) revert AlreadyExpired(expires, time);
        _statusLists[issuerId][listId] = StatusList(version, time, expires, digest);
        emit StatusPublished(issuerId, listId, version, expires, digest);
        _extendLog(keccak256(abi.encode(StatusPublished.selector, issuerId, listId, version, expires, digest)));
    }

    /// @inheritdoc ICredentialAnchor
    function batchOf(bytes32 issuerId, bytes32 root) external view returns (Batch memory) {
        return _batches[issuerId][root];
    }

    /// @inheritdoc ICredentialAnchor
    function statusListOf(bytes32 issuerId, bytes32 listId) external view returns (StatusList memory) {
        return _statusLists[issuerId][listId];
    }
}
