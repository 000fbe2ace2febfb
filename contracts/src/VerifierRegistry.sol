// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChainedAdminRules} from "./ChainedAdminRules.sol";
import {IVerifierRegistry} from "./interfaces/IVerifierRegistry.sol";
import {ScopeView} from "./interfaces/ScopeView.sol";
import {Scope, ScopeHistory} from "./libraries/ScopeHistory.sol";

/// @title VerifierRegistry
/// @notice The part of the trust registry about verifiers: see {IVerifierRegistry}.
abstract contract VerifierRegistry is IVerifierRegistry, ChainedAdminRules {
    using ScopeHistory for ScopeHistory.History;

    /// @notice The role that may register verifiers; root gives and takes it.
    bytes32 public constant REGISTRAR_ROLE = keccak256("REGISTRAR");

    uint32 private constant NO_MANDATE = 0;

    mapping(bytes32 verifierId => mapping(bytes32 serviceId => ScopeHistory.History)) private _serviceHistories;

    /// @inheritdoc IVerifierRegistry
    function registerVerifier(
        bytes32 verifierId,
        bytes32 schemaId,
        bytes32 purposeDigest,
        bytes32 claimsDigest,
        uint40 validFrom,
        uint40 validUntil
    ) external onlyRole(REGISTRAR_ROLE) {
        if (verifierId == 0 || schemaId == 0 || purposeDigest == 0 || claimsDigest == 0) revert ZeroIdentifier();
        bytes32 serviceId = serviceIdOf(schemaId, purposeDigest, claimsDigest);
        uint32 index;
        (index, validFrom) = _serviceHistories[verifierId][serviceId].open(validFrom, validUntil, NO_MANDATE);
        emit VerifierRegistered(
            verifierId, serviceId, schemaId, purposeDigest, claimsDigest, index, validFrom, validUntil
        );
        bytes memory period = abi.encode(index, validFrom, validUntil);
        _extendLog(
            keccak256(
                bytes.concat(
                    abi.encode(
                        VerifierRegistered.selector, verifierId, serviceId, schemaId, purposeDigest, claimsDigest
                    ),
                    period
                )
            )
        );
    }

    /// @inheritdoc IVerifierRegistry
    function revokeVerifier(bytes32 verifierId, bytes32 serviceId, uint40 effectiveAt) external {
        uint256 newest = _serviceHistories[verifierId][serviceId].newestIndex();
        revokeVerifierScope(verifierId, serviceId, newest, effectiveAt);
    }

    /// @inheritdoc IVerifierRegistry
    function revokeVerifierScope(bytes32 verifierId, bytes32 serviceId, uint256 scopeIndex, uint40 effectiveAt)
        public
    {
        if (!hasRole(REGISTRAR_ROLE, msg.sender) && !hasRole(DEFAULT_ADMIN_ROLE, msg.sender)) {
            revert NotRootNorRegistrar(msg.sender);
        }
        uint40 revokedAt = _serviceHistories[verifierId][serviceId].revoke(scopeIndex, effectiveAt);
        uint32 index = uint32(scopeIndex); // it is less than the count, which has 32 bits
        emit VerifierRevoked(verifierId, serviceId, msg.sender, index, revokedAt);
        _extendLog(
            keccak256(abi.encode(VerifierRevoked.selector, verifierId, serviceId, msg.sender, index, revokedAt))
        );
    }

    /// @inheritdoc IVerifierRegistry
    function isRegistered(bytes32 verifierId, bytes32 serviceId, uint40 time) external view returns (bool) {
        return _serviceHistories[verifierId][serviceId].inForceAt(time).validUntil != 0;
    }

    /// @inheritdoc IVerifierRegistry
    function verifierScopes(bytes32 verifierId, bytes32 serviceId) external view returns (ScopeView[] memory scopes) {
        ScopeHistory.History storage history = _serviceHistories[verifierId][serviceId];
        scopes = new ScopeView[](history.count());
        for (uint256 i = 0; i < scopes.length; ++i) {
            Scope memory scope = history.scopeAt(i);
            scopes[i] = ScopeView(address(0), scope.validFrom, scope.validUntil, scope.revokedAt);
        }
    }

    /// @inheritdoc IVerifierRegistry
    function serviceIdOf(bytes32 schemaId, bytes32 purposeDigest, bytes32 claimsDigest)
        public
        pure
        returns (bytes32)
    {
        return sha256(abi.encode(schemaId, purposeDigest, claimsDigest));
    }
}
