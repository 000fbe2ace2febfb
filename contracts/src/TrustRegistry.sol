// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ITrustRegistry} from "./interfaces/ITrustRegistry.sol";
import {Scope, ScopeHistory} from "./libraries/ScopeHistory.sol";
import {LogChain} from "./LogChain.sol";

/// @title TrustRegistry
/// @notice The accreditations behind every issuer: see {ITrustRegistry} for the rules.
/// @dev Immutable: no proxy and no owner of the code. The root authority is the default admin of
/// AccessControlDefaultAdminRules: exactly one address, handed over in two steps after a delay.
contract TrustRegistry is ITrustRegistry, LogChain, AccessControlDefaultAdminRules {
    using ScopeHistory for ScopeHistory.History;
    using ScopeHistory for Scope;

    struct Mandate {
        address accreditor;
        ScopeHistory.History history;
    }

    uint32 private _lastMandateId;
    mapping(uint32 mandateId => Mandate) private _mandates;
    mapping(address accreditor => mapping(bytes32 schemaId => uint32)) private _mandateOf;
    mapping(bytes32 issuerId => address) private _controllerOf;
    mapping(address controller => bytes32) private _issuerOf;
    mapping(bytes32 issuerId => mapping(bytes32 schemaId => ScopeHistory.History)) private _issuerHistories;

    /// @param handOverDelay seconds between the announcement of a new root and its acceptance
    /// @param root the root authority: a multisignature or timelock contract in production
    constructor(uint48 handOverDelay, address root) AccessControlDefaultAdminRules(handOverDelay, root) {}

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
        (index, validFrom) = _open(_mandates[mandateId].history, validFrom, validUntil, mandateId);
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
        uint256 newest = _newestIndex(_mandates[_mandateOf[accreditor][schemaId]].history);
        revokeAccreditorScope(accreditor, schemaId, newest, effectiveAt);
    }

    /// @inheritdoc ITrustRegistry
    function revokeAccreditorScope(address accreditor, bytes32 schemaId, uint256 scopeIndex, uint40 effectiveAt)
        public
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        uint32 mandateId = _mandateOf[accreditor][schemaId];
        Scope storage scope = _scopeAt(_mandates[mandateId].history, scopeIndex);
        uint40 revokedAt = _end(scope, effectiveAt);
        uint32 index = uint32(scopeIndex);
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
        address bound = _controllerOf[issuerId];
        if (bound == address(0)) _bindController(issuerId, controller);
        else if (bound != controller) revert ControllerMismatch(issuerId, bound);
        uint32 index;
        (index, validFrom) = _open(_issuerHistories[issuerId][schemaId], validFrom, validUntil, mandateId);
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
        revokeIssuerScope(issuerId, schemaId, _newestIndex(_issuerHistories[issuerId][schemaId]), effectiveAt);
    }

    /// @inheritdoc ITrustRegistry
    function revokeIssuerScope(bytes32 issuerId, bytes32 schemaId, uint256 scopeIndex, uint40 effectiveAt) public {
        Scope storage scope = _scopeAt(_issuerHistories[issuerId][schemaId], scopeIndex);
        uint32 mandateId = scope.mandateId;
        if (!mayRevokeUnder(mandateId, msg.sender)) revert NotRootNorGivingAccreditor(msg.sender, mandateId);
        uint40 revokedAt = _end(scope, effectiveAt);
        uint32 index = uint32(scopeIndex);
        emit IssuerRevoked(issuerId, schemaId, msg.sender, index, revokedAt);
        _extendLog(keccak256(abi.encode(IssuerRevoked.selector, issuerId, schemaId, msg.sender, index, revokedAt)));
    }

    /// @inheritdoc ITrustRegistry
    function changeController(bytes32 issuerId, address controller) external {
        address previous = _controllerOf[issuerId];
        if (previous == address(0)) revert UnknownIssuer(issuerId);
        if (msg.sender != previous && !hasRole(DEFAULT_ADMIN_ROLE, msg.sender)) {
            revert NotRootNorController(msg.sender, issuerId);
        }
        _bindController(issuerId, controller);
        delete _issuerOf[previous];
        emit ControllerChanged(issuerId, previous, controller, msg.sender);
        _extendLog(keccak256(abi.encode(ControllerChanged.selector, issuerId, previous, controller, msg.sender)));
    }

    /// @inheritdoc ITrustRegistry
    function currentAccreditation(bytes32 issuerId, bytes32 schemaId)
        external
        view
        returns (address controller, uint32 mandateId)
    {
        controller = _controllerOf[issuerId];
        Scope memory scope = _issuerHistories[issuerId][schemaId].newest();
        if (scope.covers(block.timestamp) && _isMandateInForce(scope.mandateId)) mandateId = scope.mandateId;
    }

    /// @inheritdoc ITrustRegistry
    function isAccredited(bytes32 issuerId, bytes32 schemaId, uint40 time) external view returns (bool) {
        Scope memory scope = _issuerHistories[issuerId][schemaId].inForceAt(time);
        // no scope means mandate 0, which never has a scope either
        return _mandates[scope.mandateId].history.inForceAt(time).validUntil != 0;
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
        return _controllerOf[issuerId];
    }

    /// @inheritdoc ITrustRegistry
    function issuerOf(address controller) external view returns (bytes32) {
        return _issuerOf[controller];
    }

    /// @inheritdoc ITrustRegistry
    function mayRevokeUnder(uint32 mandateId, address caller) public view returns (bool) {
        if (hasRole(DEFAULT_ADMIN_ROLE, caller)) return true;
        Mandate storage mandate = _mandates[mandateId];
        // caller is never zero in a transaction, but it may be in a call
        return caller != address(0) && mandate.accreditor == caller && mandate.history.newest().revokedAt == 0;
    }

    function _bindController(bytes32 issuerId, address controller) private {
        if (controller == address(0)) revert ZeroAddress();
        bytes32 other = _issuerOf[controller];
        if (other != 0) revert ControllerTaken(controller, other);
        _controllerOf[issuerId] = controller;
        _issuerOf[controller] = issuerId;
    }

    /// @dev Adds a scope after checking its period; returns its index and when it begins.
    function _open(ScopeHistory.History storage history, uint40 validFrom, uint40 validUntil, uint32 mandateId)
        private
        returns (uint32, uint40)
    {
        uint40 time = uint40(block.timestamp);
        if (validFrom == 0) validFrom = time;
        // A back-dated scope could cover again what a back-dated revocation has uncovered.
        if (validFrom < time) revert BackdatedAccreditation(validFrom, time);
        if (validUntil <= validFrom) revert EmptyPeriod(validFrom, validUntil);
        if (history.isOpen(time)) revert ScopeStillOpen(uint32(history.count() - 1));
        return (history.append(validFrom, validUntil, mandateId), validFrom);
    }

    /// @dev Ends a scope earlier; returns from when on it is not in force.
    function _end(Scope storage stored, uint40 effectiveAt) private returns (uint40) {
        Scope memory scope = stored;
        uint40 time = uint40(block.timestamp);
        uint40 latest = time < scope.validFrom ? scope.validFrom : time;
        if (effectiveAt == 0) effectiveAt = latest;
        if (effectiveAt > latest) revert RevocationInFuture(effectiveAt, time);
        if (effectiveAt < scope.validFrom) revert RevocationBeforeScope(effectiveAt, scope.validFrom);
        if (effectiveAt >= scope.end()) revert RevocationNotEarlier(effectiveAt, scope.end());
        stored.revokedAt = effectiveAt;
        return effectiveAt;
    }

    function _isMandateInForce(uint32 mandateId) private view returns (bool) {
        return _mandates[mandateId].history.newest().covers(block.timestamp);
    }

    function _newestIndex(ScopeHistory.History storage history) private view returns (uint256) {
        uint256 count = history.count();
        if (count == 0) revert UnknownScope(0);
        return count - 1;
    }

    function _scopeAt(ScopeHistory.History storage history, uint256 index) private view returns (Scope storage) {
        if (index >= history.count()) revert UnknownScope(index);
        return history.scopeAt(index);
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
