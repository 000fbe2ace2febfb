// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./ILogChain.sol";
import {ScopeView} from "./ScopeView.sol";

/// @title IVerifierRegistry
/// @notice Which verifier may ask for which claims, for which purpose, since when and until when. A
/// wallet compares a request with it and warns or refuses before it shows anything.
///
/// Identifiers are computed off chain:
///   verifierId    = SHA-256(UTF-8 of the verifier's DID)
///   schemaId      = SHA-256(UTF-8 of the credential type, `vct`)
///   purposeDigest = SHA-256(UTF-8 of the purpose as it is shown to the holder)
///   claimsDigest  = SHA-256(JCS (RFC 8785) of the array of the claim paths, each an array as in
///                   OpenID4VP's DCQL, the paths sorted by the bytes of their own JCS)
///   serviceId     = SHA-256(schemaId || purposeDigest || claimsDigest)
///
/// A service is thus exactly what it may ask for: other claims or another purpose are another
/// service. Its scopes are a history under the rules of {ITrustRegistry}'s scopes: half-open, never
/// back-dated or overwritten, revocable with effect in the past, at most one open.
interface IVerifierRegistry is ILogChain {
    /// @notice A registrar registered a service of a verifier.
    event VerifierRegistered(
        bytes32 indexed verifierId,
        bytes32 indexed serviceId,
        bytes32 indexed schemaId,
        bytes32 purposeDigest,
        bytes32 claimsDigest,
        uint32 scopeIndex,
        uint40 validFrom,
        uint40 validUntil
    );

    /// @notice A service's scope was ended from `revokedAt` on.
    event VerifierRevoked(
        bytes32 indexed verifierId,
        bytes32 indexed serviceId,
        address indexed by,
        uint32 scopeIndex,
        uint40 revokedAt
    );

    /// @notice Thrown when an identifier is zero, which no SHA-256 value of a real name is.
    error ZeroIdentifier();
    /// @notice Thrown when a registration is revoked by anyone but root or a registrar.
    error NotRootNorRegistrar(address caller);

    /// @notice Lets a verifier ask for claims of a schema for a purpose.
    /// @dev Only a holder of REGISTRAR_ROLE.
    /// @param validFrom 0 means now; otherwise not earlier than now
    function registerVerifier(
        bytes32 verifierId,
        bytes32 schemaId,
        bytes32 purposeDigest,
        bytes32 claimsDigest,
        uint40 validFrom,
        uint40 validUntil
    ) external;

    /// @notice Ends the newest scope of a service.
    /// @dev Only a holder of REGISTRAR_ROLE, whoever registered it, or root. A revocation can be
    /// repeated to take effect still earlier, never later.
    /// @param effectiveAt the second from which the scope is not in force: not later than now, not
    /// before the scope began. 0 means at once, which is the beginning of a scope still to begin.
    function revokeVerifier(bytes32 verifierId, bytes32 serviceId, uint40 effectiveAt) external;

    /// @notice As {revokeVerifier}, for the scope of that index in the history.
    function revokeVerifierScope(bytes32 verifierId, bytes32 serviceId, uint256 scopeIndex, uint40 effectiveAt)
        external;

    /// @notice True when a scope of the service covers `time`, as known now.
    function isRegistered(bytes32 verifierId, bytes32 serviceId, uint40 time) external view returns (bool);

    /// @notice All scopes a service ever had, oldest first. For off-chain callers.
    function verifierScopes(bytes32 verifierId, bytes32 serviceId) external view returns (ScopeView[] memory);

    /// @notice The identifier of the service that may ask for these claims.
    function serviceIdOf(bytes32 schemaId, bytes32 purposeDigest, bytes32 claimsDigest)
        external
        pure
        returns (bytes32);
}
