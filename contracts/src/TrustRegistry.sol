// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChainedAdminRules} from "./ChainedAdminRules.sol";
import {ITrustRegistry} from "./interfaces/ITrustRegistry.sol";
import {ScopeView} from "./interfaces/ScopeView.sol";
import {Scope, ScopeHistory} from "./libraries/ScopeHistory.sol";
import {VerifierRegistry} from "./VerifierRegistry.sol";

/// @title TrustRegistry
/// @notice The accreditations behind every issuer: see {ITrustRegistry} for the rules.
/// @dev Immutable: no proxy and no owner of the code. The root authority is the default admin of
/// AccessControlDefaultAdminRules: exactly one address, handed over in two steps after a delay.
contract TrustRegistry is ITrustRegistry, VerifierRegistry {
    using ScopeHistory for ScopeHistory.History;
    using ScopeHistory for Scope;

    struct Mandate {
        address accreditor;
        ScopeHistory.History history;
    }

    // One slot, so that asking for the suspension costs nothing beside the controller.
    struct Issuer {
        address controller;
        uint32 suspensionCount;
        bool suspended;
    }

    /// @notice The role that may suspend issuers; root gives and takes it.
    bytes32 public constant SUSPENDER_ROLE = keccak256("SUSPENDER");

    uint32 private _lastMandateId;
    mapping(uint32 mandateId => Mandate) private _mandates;
    mapping(address accreditor => mapping(bytes32 schemaId => uint32)) private _mandateOf;
    mapping(bytes32 issuerId => Issuer) private _issuers;
    mapping(bytes32 issuerId => mapping(uint256 index => Suspension)) private _suspensions;
    mapping(bytes32 issuerId => mapping(bytes32 schemaId => ScopeHistory.History)) private _issuerHistories;

    /// @param handOverDelay seconds between the announcement of a new root and its acceptance
    /// @param root the root authority: a multisignature or timelock contract in production
    constructor(uint48 handOverDelay, address root) ChainedAdminRules(handOverDelay, root) {}

    /// @inheritdoc ITrustRegistry
    function accreditAccreditor(address accreditor, bytes32 schemaId, uint40 validFrom, uint40 validUntil)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        if (accreditor == address(0)) revert ZeroAddress();
        if (schemaId == 0) revert ZeroIdentifier();
        uint32 mandateId = _mandateOf[accreditor][schemaId];
        if (mandateId == 0) {
            mandateId = ++_lastMandateId;
            _mandateOf[accreditor][schemaId] = mandateId;
            _mandates[mandateId].accreditor = accreditor;
        }
        uint32 index;
        (index, validFrom) = _mandates[mandateId].history.open(validFrom, validUntil, mandateId);
        emit AccreditorAccredited(accreditor, schemaId, mandateId, index, validFrom, validUntil);
        _extendLog(
            keccak256(
                abi.encode(
                    AccreditorAccredited.selector, accreditor, schemaId, mandateId, index, validFrom, validUntil
                )
            )
        );
    }

    /// @inheritdoc ITrustRegistry
    function revokeAccreditor(address accreditor, bytes32 schemaId, uint40 effectiveAt)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        uint256 newest = _mandates[_mandateOf[accreditor][schemaId]].history.newestIndex();
        revokeAccreditorScope(accreditor, schemaId, newest, effectiveAt);
    }

    /// @inheritdoc ITrustRegistry
    function revokeAccreditorScope(address accreditor, bytes32 schemaId, uint256 scopeIndex, uint40 effectiveAt)
        public
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        uint32 mandateId = _mandateOf[accreditor][schemaId];
        uint40 revokedAt = _mandates[mandateId].history.revoke(scopeIndex, effectiveAt);
        uint32 index = uint32(scopeIndex); // it is less than the count, which has 32 bits
        emit AccreditorRevoked(accreditor, schemaId, mandateId, index, revokedAt);
        _extendLog(
            keccak256(abi.encode(AccreditorRevoked.selector, accreditor, schemaId, mandateId, index, revokedAt))
        );
    }

    /// @inheritdoc ITrustRegistry
    function accreditIssuer(
        bytes32 issuerId,
        address controller,
        bytes32 schemaId,
        uint40 validFrom,
        uint40 validUntil
    ) external {
        if (issuerId == 0) revert ZeroIdentifier();
        uint32 mandateId = _mandateOf[msg.sender][schemaId];
        if (!_isMandateInForce(mandateId)) revert NotAccreditor(msg.sender, schemaId);
        _bindController(issuerId, controller);
        uint32 index;
        (index, validFrom) = _issuerHistories[issuerId][schemaId].open(validFrom, validUntil, mandateId);
        emit IssuerAccredited(issuerId, schemaId, controller, mandateId, index, validFrom, validUntil);
        _extendLog(
            keccak256(
                abi.encode(
                    IssuerAccredited.selector,
                    issuerId,
                    schemaId,
                    controller,
                    mandateId,
                    index,
                    validFrom,
                    validUntil
                )
            )
        );
    }

    /// @inheritdoc ITrustRegistry
    function revokeIssuer(bytes32 issuerId, bytes32 schemaId, uint40 effectiveAt) external {
        uint256 newest = _issuerHistories[issuerId][schemaId].newestIndex();
        revokeIssuerScope(issuerId, schemaId, newest, effectiveAt);
    }

    /// @inheritdoc ITrustRegistry
    function revokeIssuerScope(bytes32 issuerId, bytes32 schemaId, uint256 scopeIndex, uint40 effectiveAt) public {
        ScopeHistory.History storage history = _issuerHistories[issuerId][schemaId];
        uint32 mandateId = history.scopeAt(scopeIndex).mandateId;
        if (!mayRevokeUnder(mandateId, msg.sender)) revert NotRootNorGivingAccreditor(msg.sender, mandateId);
        uint40 revokedAt = history.revoke(scopeIndex, effectiveAt);
        uint32 index = uint32(scopeIndex); // it is less than the count, which has 32 bits
        emit IssuerRevoked(issuerId, schemaId, msg.sender, index, revokedAt);
        _extendLog(keccak256(abi.encode(IssuerRevoked.selector, issuerId, schemaId, msg.sender, index, revokedAt)));
    }

    /// @inheritdoc ITrustRegistry
    function changeController(bytes32 issuerId, address controller) external {
        Issuer storage issuer = _knownIssuer(issuerId);
        address previous = issuer.controller;
        if (!hasRole(DEFAULT_ADMIN_ROLE, msg.sender)) {
            if (msg.sender != previous) revert NotRootNorController(msg.sender, issuerId);
            if (issuer.suspended) revert IssuerIsSuspended(issuerId);
        }
        if (controller == address(0)) revert ZeroAddress();
        issuer.controller = controller;
        emit ControllerChanged(issuerId, previous, controller, msg.sender);
        _extendLog(keccak256(abi.encode(ControllerChanged.selector, issuerId, previous, controller, msg.sender)));
    }

    /// @inheritdoc ITrustRegistry
    function suspendIssuer(bytes32 issuerId) external onlyRole(SUSPENDER_ROLE) {
        Issuer storage issuer = _knownIssuer(issuerId);
        if (issuer.suspended) revert IssuerIsSuspended(issuerId);
        uint32 index = issuer.suspensionCount;
        uint40 since = uint40(block.timestamp);
        issuer.suspended = true;
        issuer.suspensionCount = index + 1;
        _suspensions[issuerId][index] = Suspension(since, 0);
        emit IssuerSuspended(issuerId, msg.sender, index, since);
        _extendLog(keccak256(abi.encode(IssuerSuspended.selector, issuerId, msg.sender, index, since)));
    }

    /// @inheritdoc ITrustRegistry
    function unsuspendIssuer(bytes32 issuerId) external onlyRole(DEFAULT_ADMIN_ROLE) {
        Issuer storage issuer = _knownIssuer(issuerId);
        if (!issuer.suspended) revert IssuerNotSuspended(issuerId);
        uint32 index = issuer.suspensionCount - 1;
        uint40 until = uint40(block.timestamp);
        issuer.suspended = false;
        _suspensions[issuerId][index].until = until;
        emit IssuerUnsuspended(issuerId, msg.sender, index, until);
        _extendLog(keccak256(abi.encode(IssuerUnsuspended.selector, issuerId, msg.sender, index, until)));
    }

    /// @inheritdoc ITrustRegistry
    function currentAccreditation(bytes32 issuerId, bytes32 schemaId)
        external
        view
        returns (address controller, uint32 mandateId)
    {
        Issuer memory issuer = _issuers[issuerId];
        controller = issuer.controller;
        Scope memory scope = _issuerHistories[issuerId][schemaId].newest();
        bool inForce = !issuer.suspended && scope.covers(block.timestamp) && _isMandateInForce(scope.mandateId);
        if (inForce) mandateId = scope.mandateId;
    }

    /// @inheritdoc ITrustRegistry
    function isAccredited(bytes32 issuerId, bytes32 schemaId, uint40 time) external view returns (bool) {
        Scope memory scope = _issuerHistories[issuerId][schemaId].inForceAt(time);
        // no scope means mandate 0, which never has a scope either
        return _mandates[scope.mandateId].history.inForceAt(time).validUntil != 0
            && !_isSuspendedAt(issuerId, time);
    }

    /// @inheritdoc ITrustRegistry
    function isAccreditor(address accreditor, bytes32 schemaId, uint40 time) external view returns (bool) {
        return _mandates[_mandateOf[accreditor][schemaId]].history.inForceAt(time).validUntil != 0;
    }

    /// @inheritdoc ITrustRegistry
    function issuerScopes(bytes32 issuerId, bytes32 schemaId) external view returns (ScopeView[] memory) {
        return _view(_issuerHistories[issuerId][schemaId]);
    }

    /// @inheritdoc ITrustRegistry
    function accreditorScopes(address accreditor, bytes32 schemaId) external view returns (ScopeView[] memory scopes) {
        scopes = _view(_mandates[_mandateOf[accreditor][schemaId]].history);
        for (uint256 i = 0; i < scopes.length; ++i) scopes[i].accreditor = address(0);
    }

    /// @inheritdoc ITrustRegistry
    function mandateOf(address accreditor, bytes32 schemaId) external view returns (uint32) {
        return _mandateOf[accreditor][schemaId];
    }

    /// @inheritdoc ITrustRegistry
    function accreditorOf(uint32 mandateId) external view returns (address) {
        return _mandates[mandateId].accreditor;
    }

    /// @inheritdoc ITrustRegistry
    function controllerOf(bytes32 issuerId) external view returns (address) {
        return _issuers[issuerId].controller;
    }

    /// @inheritdoc ITrustRegistry
    function isSuspended(bytes32 issuerId) external view returns (bool) {
        return _issuers[issuerId].suspended;
    }

    /// @inheritdoc ITrustRegistry
    function suspensions(bytes32 issuerId) external view returns (Suspension[] memory all) {
        all = new Suspension[](_issuers[issuerId].suspensionCount);
        for (uint256 i = 0; i < all.length; ++i) all[i] = _suspensions[issuerId][i];
    }

    /// @inheritdoc ITrustRegistry
    function mayRevokeUnder(uint32 mandateId, address caller) public view returns (bool) {
        if (hasRole(DEFAULT_ADMIN_ROLE, caller)) return true;
        Mandate storage mandate = _mandates[mandateId];
        // caller is never zero in a transaction, but it may be in a call
        return caller != address(0) && mandate.accreditor == caller && mandate.history.newest().revokedAt == 0;
    }

    /// @dev Binds the controller of an issuer not known yet; of a known one it must be the same.
    function _bindController(bytes32 issuerId, address controller) private {
        address bound = _issuers[issuerId].controller;
        if (bound != address(0)) {
            if (bound != controller) revert ControllerMismatch(issuerId, bound);
            return;
        }
        if (controller == address(0)) revert ZeroAddress();
        _issuers[issuerId].controller = controller;
    }

    function _knownIssuer(bytes32 issuerId) private view returns (Issuer storage issuer) {
        issuer = _issuers[issuerId];
        if (issuer.controller == address(0)) revert UnknownIssuer(issuerId);
    }

    function _isMandateInForce(uint32 mandateId) private view returns (bool) {
        return _mandates[mandateId].history.newest().covers(block.timestamp);
    }

    /// @dev Walks all suspensions: for views.
    function _isSuspendedAt(bytes32 issuerId, uint40 time) private view returns (bool) {
        for (uint256 i = _issuers[issuerId].suspensionCount; i > 0; --i) {
            Suspension memory suspension = _suspensions[issuerId][i - 1];
            if (suspension.since <= time) return suspension.until == 0 || time < suspension.until;
        }
        return false;
    }

    function _view(ScopeHistory.History storage history) private view returns (ScopeView[] memory scopes) {
        scopes = new ScopeView[](history.count());
        for (uint256 i = 0; i < scopes.length; ++i) {
            Scope memory scope = history.scopeAt(i);
            scopes[i] = ScopeView(
                _mandates[scope.mandateId].accreditor, scope.validFrom, scope.validUntil, scope.revokedAt
            );
        }
    }
}
