// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./ILogChain.sol";
import {ITrustRegistry} from "./ITrustRegistry.sol";

/// @title ICredentialAnchor
/// @notice What accredited issuers put on record: one RFC 9162 SHA-256 root per batch of issued
/// credentials, and the digest of each version of their status lists. Nothing about a single
/// credential or person. issuerId and schemaId are those of {ITrustRegistry}.
///
/// The leaf is the same for every credential format:
///
///   leaf = SHA-256(0x00 || salt32 || SHA-256(signed input))
///
/// where `signed input` is the JWS signing input, or the hash data of a Data Integrity proof, and
/// `salt32` is 32 random bytes of this credential alone, which travel with it. 0x00 is RFC 9162's
/// prefix of leaves; inner nodes are SHA-256(0x01 || left || right), so that no node passes for a
/// leaf. Derived presentations (BBS) show no leaf: it would link them.
///
/// A batch names the one schema of its credentials and `manifestDigest`, the SHA-256 of its
/// manifest (issuer, schema, root, size) signed with the assertion key of the issuer's DID: the
/// controller that sends the transaction and the key that signs credentials are different keys, and
/// whoever holds only the former cannot make a batch that a verifier accepts.
interface ICredentialAnchor is ILogChain {
    /// @notice An anchored batch. One storage slot.
    struct Batch {
        // block time of the anchoring; 0 when there is no such batch
        uint40 anchoredAt;
        // 0 while not revoked
        uint40 revokedAt;
        // leaves of the tree, padding included
        uint64 size;
        // the mandate of the trust registry the issuer was accredited under
        uint32 mandateId;
    }

    /// @notice The newest version of a status list.
    struct StatusList {
        // 1 for the first publication; 0 when there is none
        uint64 version;
        uint40 publishedAt;
        // from this second on the list is stale
        uint40 expires;
        // SHA-256 of the uncompressed list
        bytes32 digest;
    }

    // indexed arguments come first in every event: see ILogChain

    /// @notice An issuer anchored a batch.
    event BatchAnchored(
        bytes32 indexed issuerId,
        bytes32 indexed schemaId,
        bytes32 indexed root,
        uint64 size,
        uint32 mandateId,
        bytes32 manifestDigest
    );

    /// @notice A whole batch was revoked, at the time of the block.
    event BatchRevoked(bytes32 indexed issuerId, bytes32 indexed root, address indexed by);

    /// @notice An issuer published a version of a status list.
    event StatusPublished(
        bytes32 indexed issuerId, bytes32 indexed listId, uint64 version, uint40 expires, bytes32 digest
    );

    /// @notice Thrown at deployment when the trust registry's address holds no contract.
    error RegistryWithoutCode(address registry);
    /// @notice Thrown when a caller is not the issuer's controller.
    error NotController(address caller, bytes32 issuerId);
    /// @notice Thrown when the issuer is not accredited for the schema now: its own scope or its
    /// accreditor's is not in force, or it is suspended.
    error NotAccredited(bytes32 issuerId, bytes32 schemaId);
    /// @notice Thrown when a root, list id or digest is zero, which no SHA-256 value shown is.
    error ZeroDigest();
    /// @notice Thrown when a batch has no leaves.
    error EmptyBatch();
    /// @notice Thrown when an issuer anchors a root again: a batch never changes.
    error BatchExists(bytes32 issuerId, bytes32 root);
    /// @notice Thrown when an issuer never anchored such a root.
    error UnknownBatch(bytes32 issuerId, bytes32 root);
    /// @notice Thrown when a batch is revoked already.
    error BatchAlreadyRevoked(bytes32 issuerId, bytes32 root, uint40 revokedAt);
    /// @notice Thrown when a batch is revoked by anyone but the issuer's controller, the accreditor
    /// it was accredited by (unless expelled by root) or root.
    error NotAllowedToRevoke(address caller, bytes32 issuerId);
    /// @notice Thrown when a version is not the one after the newest.
    error VersionNotNext(uint64 version, uint64 expectedVersion);
    /// @notice Thrown when a status list is stale at its publication.
    error AlreadyExpired(uint40 expires, uint40 blockTime);

    /// @notice Anchors the root of a batch of issued credentials.
    /// @dev Only the issuer's controller, and only while the issuer is accredited for the schema.
    /// The root is taken as it is: neither the leaves nor the manifest are checked on chain.
    /// @param root RFC 9162 Merkle tree head over SHA-256
    /// @param size leaves of the tree, at least 1
    /// @param manifestDigest SHA-256 of the manifest signed with the issuer's assertion key
    function anchorBatch(bytes32 issuerId, bytes32 schemaId, bytes32 root, uint64 size, bytes32 manifestDigest)
        external;

    /// @notice Revokes every credential of a batch, for good.
    /// @dev Only the issuer's controller, the accreditor the issuer was accredited by when it
    /// anchored the batch, or root; also after the issuer's accreditation lapsed or was revoked. An
    /// accreditor whose newest scope root revoked may not.
    function revokeBatch(bytes32 issuerId, bytes32 root) external;

    /// @notice Records the digest of a new version of a status list.
    /// @dev Only the issuer's controller, also after its accreditations lapsed or were revoked: the
    /// right to revoke outlives the right to issue. Take it away with changeController.
    /// @param listId SHA-256(UTF-8 of the status list URI)
    /// @param digest SHA-256 of the uncompressed list
    /// @param version the previous version plus 1; the first is 1
    /// @param expires later than now; from this second on the list is stale
    function publishStatus(bytes32 issuerId, bytes32 listId, bytes32 digest, uint64 version, uint40 expires) external;

    /// @notice A batch; all zero when the issuer anchored no such root.
    function batchOf(bytes32 issuerId, bytes32 root) external view returns (Batch memory);

    /// @notice The newest version of a status list; all zero when there is none.
    function statusListOf(bytes32 issuerId, bytes32 listId) external view returns (StatusList memory);

    /// @notice The trust registry that says who is accredited. It never changes.
    function registry() external view returns (ITrustRegistry);
}
