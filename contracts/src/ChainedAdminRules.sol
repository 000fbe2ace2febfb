// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {LogChain} from "./LogChain.sol";

/// @title ChainedAdminRules
/// @notice OpenZeppelin's AccessControlDefaultAdminRules with its own events in the log chain too:
/// who held which role when can be proved like everything else.
/// @dev Each override repeats, in the order of emission, the events that the base function emits.
/// RoleAdminChanged is never emitted: nothing calls _setRoleAdmin.
abstract contract ChainedAdminRules is LogChain, AccessControlDefaultAdminRules {
    /// @param handOverDelay seconds between the announcement of a new root and its acceptance
    /// @param root the root authority: a multisignature or timelock contract in production
    constructor(uint48 handOverDelay, address root) AccessControlDefaultAdminRules(handOverDelay, root) {}

    function _grantRole(bytes32 role, address account) internal override returns (bool granted) {
        granted = super._grantRole(role, account);
        if (granted) _extendLog(keccak256(abi.encode(RoleGranted.selector, role, account, _msgSender())));
    }

    function _revokeRole(bytes32 role, address account) internal override returns (bool revoked) {
        revoked = super._revokeRole(role, account);
        if (revoked) _extendLog(keccak256(abi.encode(RoleRevoked.selector, role, account, _msgSender())));
    }

    function _beginDefaultAdminTransfer(address newAdmin) internal override {
        bool replaces = _isTransferPending();
        super._beginDefaultAdminTransfer(newAdmin);
        if (replaces) _extendLog(keccak256(abi.encode(DefaultAdminTransferCanceled.selector)));
        (, uint48 schedule) = pendingDefaultAdmin();
        _extendLog(keccak256(abi.encode(DefaultAdminTransferScheduled.selector, newAdmin, schedule)));
    }

    function _cancelDefaultAdminTransfer() internal override {
        bool cancels = _isTransferPending();
        super._cancelDefaultAdminTransfer();
        if (cancels) _extendLog(keccak256(abi.encode(DefaultAdminTransferCanceled.selector)));
    }

    function _changeDefaultAdminDelay(uint48 newDelay) internal override {
        bool replaces = _isDelayChangePending();
        super._changeDefaultAdminDelay(newDelay);
        if (replaces) _extendLog(keccak256(abi.encode(DefaultAdminDelayChangeCanceled.selector)));
        (, uint48 schedule) = pendingDefaultAdminDelay();
        _extendLog(keccak256(abi.encode(DefaultAdminDelayChangeScheduled.selector, newDelay, schedule)));
    }

    function _rollbackDefaultAdminDelay() internal override {
        bool cancels = _isDelayChangePending();
        super._rollbackDefaultAdminDelay();
        if (cancels) _extendLog(keccak256(abi.encode(DefaultAdminDelayChangeCanceled.selector)));
    }

    function _isTransferPending() private view returns (bool) {
        (, uint48 schedule) = pendingDefaultAdmin();
        return schedule != 0;
    }

    function _isDelayChangePending() private view returns (bool) {
        (, uint48 schedule) = pendingDefaultAdminDelay();
        return schedule != 0;
    }
}
