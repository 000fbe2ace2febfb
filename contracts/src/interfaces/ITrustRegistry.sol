// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILogChain} from "./ILogChain.sol";
import {IVerifierRegistry} from "./IVerifierRegistry.sol";
import {ScopeView} from "./ScopeView.sol";

/// @title ITrustRegistry
/// @notice Who may issue what, since when and until when: the root authority accredits accreditors
/// per schema, an accreditor accredits issuers for its schema, a suspender stops an issuer at once.
/// Verifiers are registered here too: see {IVerifierRegistry}. Legal entities only.
///
/// Identifiers are computed off chain:
///   issuerId = SHA-256(UTF-8 of the issuer's DID)
///   schemaId = SHA-256(UTF-8 of the credential type, `vct`)
///
/// Times are Unix seconds. Periods are half-open, [validFrom, validUntil). They are never
/// overwritten: a new accreditation adds a scope to the history, and of one history at most one
/// scope is open (in force or still to begin). A mandate is the pair (accreditor, schema), numbered
/// from 1, with its own history of scopes; each issuer scope names the mandate it was given under.
/// An issuer is accredited at a time when its scope and a scope of that mandate both cover it and
/// no suspension of the issuer does.
///
/// A suspension holds for all schemas of an issuer, from the second of its block until root lifts
/// it: half-open, [since, until), kept for good like the scopes.
interface ITrustRegistry is ILogChain, IVerifierRegistry {
    /// @notice A suspension of an issuer.
    struct Suspension {
        uint40 since;
        // 0 while it lasts
        uint40 until;
    }

    // indexed arguments come first in every event: see ILogChain

    /// @notice The root authority accredited an accreditor for a schema.
    event AccreditorAccredited(
        address indexed accreditor,
        bytes32 indexed schemaId,
        uint32 mandateId,
        uint32 scopeIndex,
        uint40 validFrom,
        uint40 validUntil
    );

    /// @notice The root authority ended an accreditor's scope from `revokedAt` on.
    event AccreditorRevoked(
        address indexed accreditor, bytes32 indexed schemaId, uint32 mandateId, uint32 scopeIndex, uint40 revokedAt
    );

    /// @notice An accreditor accredited an issuer. The first such event of an issuer binds its
    /// controller; later ones repeat it.
    event IssuerAccredited(
        bytes32 indexed issuerId,
        bytes32 indexed schemaId,
        address indexed controller,
        uint32 mandateId,
        uint32 scopeIndex,
        uint40 validFrom,
        uint40 validUntil
    );

    /// @notice An issuer's scope was ended from `revokedAt` on.
    event IssuerRevoked(
        bytes32 indexed issuerId, bytes32 indexed schemaId, address indexed by, uint32 scopeIndex, uint40 revokedAt
    );

    /// @notice An issuer's controller was replaced, by root or by the controller itself.
    event ControllerChanged(
        bytes32 indexed issuerId, address indexed previousController, address indexed controller, address by
    );

    /// @notice A suspender stopped an issuer, at the time of the block.
    event IssuerSuspended(bytes32 indexed issuerId, address indexed by, uint32 suspensionIndex, uint40 since);

    /// @notice Root lifted a suspension, at the time of the block.
    event IssuerUnsuspended(bytes32 indexed issuerId, address indexed by, uint32 suspensionIndex, uint40 until);

    /// @notice Thrown when an accreditor or controller is the zero address.
    error ZeroAddress();
    /// @notice Thrown when the caller's mandate for the schema is not in force now.
    error NotAccreditor(address caller, bytes32 schemaId);
    /// @notice Thrown when an accreditation names another controller than the bound one.
    error ControllerMismatch(bytes32 issuerId, address controller);
    /// @notice Thrown when an issuer was never accredited and so has no controller.
    error UnknownIssuer(bytes32 issuerId);
    /// @notice Thrown when a controller is changed by anyone but root or the present controller.
    error NotRootNorController(address caller, bytes32 issuerId);
    /// @notice Thrown when a suspended issuer is suspended again, or its controller is changed by
    /// the controller.
    error IssuerIsSuspended(bytes32 issuerId);
    /// @notice Thrown when a suspension is lifted that is not there.
    error IssuerNotSuspended(bytes32 issuerId);
    /// @notice Thrown when a scope is revoked by anyone but root or the accreditor that gave it,
    /// or by that accreditor after root revoked its own latest scope.
    error NotRootNorGivingAccreditor(address caller, uint32 mandateId);

    /// @notice Gives an accreditor the right to accredit issuers for a schema.
    /// @dev Only root.
    /// @param validFrom 0 means now; otherwise not earlier than now.
    function accreditAccreditor(address accreditor, bytes32 schemaId, uint40 validFrom, uint40 validUntil) external;

    /// @notice Ends the newest scope of an accreditor; its issuers are not accredited from then on.
    /// @dev Only root. While an accreditor's newest scope is revoked it may revoke nothing itself.
    /// A later accreditation puts the scopes it gave back in force from that later time on.
    /// @param effectiveAt as in {revokeIssuer}.
    function revokeAccreditor(address accreditor, bytes32 schemaId, uint40 effectiveAt) external;

    /// @notice As {revokeAccreditor}, for the scope of that index in the history.
    function revokeAccreditorScope(address accreditor, bytes32 schemaId, uint256 scopeIndex, uint40 effectiveAt)
        external;

    /// @notice Gives an issuer the right to issue a schema.
    /// @dev Only an accreditor whose mandate for the schema is in force now. The first accreditation
    /// of an issuer, by whomever, binds its controller; every later one must name the same. An
    /// address may control several issuers: several DIDs of one entity.
    /// @param validFrom 0 means now; otherwise not earlier than now.
    function accreditIssuer(
        bytes32 issuerId,
        address controller,
        bytes32 schemaId,
        uint40 validFrom,
        uint40 validUntil
    ) external;

    /// @notice Ends the newest scope of an issuer for a schema.
    /// @dev Only root or the accreditor that gave the scope, also after its own mandate lapsed. A
    /// revocation can be repeated to take effect still earlier, never later.
    /// @param effectiveAt the second from which the scope is not in force: not later than now, not
    /// before the scope began. 0 means at once, which is the beginning of a scope still to begin.
    function revokeIssuer(bytes32 issuerId, bytes32 schemaId, uint40 effectiveAt) external;

    /// @notice As {revokeIssuer}, for the scope of that index in the history.
    function revokeIssuerScope(bytes32 issuerId, bytes32 schemaId, uint256 scopeIndex, uint40 effectiveAt) external;

    /// @notice Replaces the controller of an issuer.
    /// @dev Only root or the present controller, whatever became of the accreditations; while the
    /// issuer is suspended only root, because a stolen key is a reason to suspend.
    function changeController(bytes32 issuerId, address controller) external;

    /// @notice Stops an issuer at once: it is accredited for nothing until root lifts it.
    /// @dev Only a holder of SUSPENDER_ROLE, which cannot lift it. What was anchored before stays
    /// valid; the right to revoke batches and to publish status stays too.
    function suspendIssuer(bytes32 issuerId) external;

    /// @notice Lifts the suspension of an issuer. The suspended time stays suspended.
    /// @dev Only root.
    function unsuspendIssuer(bytes32 issuerId) external;

    /// @notice True when the issuer's scope and its accreditor's both cover `time` and no suspension
    /// does.
    /// @dev As known now: a later back-dated revocation changes the answer about the past.
    function isAccredited(bytes32 issuerId, bytes32 schemaId, uint40 time) external view returns (bool);

    /// @notice True when the accreditor's mandate for the schema covers `time`, as known now.
    function isAccreditor(address accreditor, bytes32 schemaId, uint40 time) external view returns (bool);

    /// @notice The mandate under which the issuer is accredited at this moment; 0 when it is not.
    /// @return controller the issuer's controller; zero when the issuer is unknown.
    function currentAccreditation(bytes32 issuerId, bytes32 schemaId)
        external
        view
        returns (address controller, uint32 mandateId);

    /// @notice True for root, and for the accreditor of the mandate unless root revoked its newest
    /// scope. A mandate that only lapsed still allows to revoke.
    function mayRevokeUnder(uint32 mandateId, address caller) external view returns (bool);

    /// @notice All scopes an issuer ever had for a schema, oldest first. For off-chain callers.
    function issuerScopes(bytes32 issuerId, bytes32 schemaId) external view returns (ScopeView[] memory);

    /// @notice All scopes an accreditor ever had for a schema, oldest first. For off-chain callers.
    function accreditorScopes(address accreditor, bytes32 schemaId) external view returns (ScopeView[] memory);

    /// @notice The number of the mandate (accreditor, schema); 0 when there never was one.
    function mandateOf(address accreditor, bytes32 schemaId) external view returns (uint32);

    /// @notice The accreditor of a mandate; zero when there is no such mandate.
    function accreditorOf(uint32 mandateId) external view returns (address);

    /// @notice The address that acts for an issuer; zero when the issuer is unknown.
    function controllerOf(bytes32 issuerId) external view returns (address);

    /// @notice True while the issuer is suspended.
    function isSuspended(bytes32 issuerId) external view returns (bool);

    /// @notice All suspensions an issuer ever had, oldest first. For off-chain callers.
    function suspensions(bytes32 issuerId) external view returns (Suspension[] memory);
}
