// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialAnchor} from "../../src/interfaces/ICredentialAnchor.sol";
import {ITrustRegistry} from "../../src/interfaces/ITrustRegistry.sol";
import {ScopeView} from "../../src/interfaces/ScopeView.sol";
import {Vm} from "./Vm.sol";
import {World} from "./World.sol";

/// @notice Drives the registry and the anchor with whatever forge thinks of, and compares everything
/// they say with what they said before. Calls that are refused are part of the game.
contract TrustHandler is World {
    uint256 internal constant ROOTS = 6;

    bytes32 public registryHead;
    bytes32 public anchorHead;
    bool public batchWasRewritten;
    bool public scopeWasRewritten;
    bool public suspensionWasRewritten;
    bool public anchoredUnaccredited;
    uint256 public anchored;
    uint256 public reopened;

    ICredentialAnchor.Batch[ROOTS] internal batches;
    ScopeView[] internal scopes;
    ITrustRegistry.Suspension[] internal suspensions;

    constructor() {
        vm.recordLogs();
        setUp();
        follow();
        compare();
    }

    modifier watched() {
        vm.recordLogs();
        _;
        follow();
        compare();
    }

    function accreditAgain(uint256 delay, uint256 length) external watched {
        uint40 from = uint40(block.timestamp + within(delay, 0, 30));
        vm.prank(accreditor);
        try registry.accreditIssuer(WELFARE, controller, FAMILY_CARD, from, from + uint40(within(length, 0, 300))) {
            ++reopened;
        } catch {}
    }

    function revokeScope(uint256 index, uint256 effectiveAt, bool byRoot) external watched {
        index = within(index, 0, scopes.length - 1);
        uint256 latest = block.timestamp < scopes[index].validFrom ? scopes[index].validFrom : block.timestamp;
        uint40 time = uint40(within(effectiveAt, scopes[index].validFrom, latest + 5));
        vm.prank(byRoot ? root : accreditor);
        try registry.revokeIssuerScope(WELFARE, FAMILY_CARD, index, time) {} catch {}
    }

    function revokeMandate(uint256 back) external watched {
        vm.prank(root);
        try registry.revokeAccreditor(accreditor, FAMILY_CARD, uint40(block.timestamp - within(back, 0, 50))) {
            mandate(accreditor, FAMILY_CARD);
        } catch {}
    }

    function suspendOrLift(bool lift) external watched {
        if (lift) {
            vm.prank(root);
            try registry.unsuspendIssuer(WELFARE) {} catch {}
        } else {
            vm.prank(suspender);
            try registry.suspendIssuer(WELFARE) {} catch {}
        }
    }

    function anchorBatch(uint256 which, uint64 size) external watched {
        bool allowed = accredited(block.timestamp);
        vm.prank(controller);
        try anchor.anchorBatch(WELFARE, FAMILY_CARD, rootAt(within(which, 0, ROOTS - 1)), size, MANIFEST) {
            ++anchored;
            if (!allowed) anchoredUnaccredited = true;
        } catch {}
    }

    function revokeBatch(uint256 which, bool byOutsider) external watched {
        vm.prank(byOutsider ? outsider : controller);
        try anchor.revokeBatch(WELFARE, rootAt(within(which, 0, ROOTS - 1))) {} catch {}
    }

    function publishStatus(uint64 version) external watched {
        vm.prank(controller);
        try anchor.publishStatus(WELFARE, MANIFEST, MANIFEST, version % 4, uint40(block.timestamp) + 9) {} catch {}
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + within(time, 1, 200));
    }

    function rootAt(uint256 index) internal pure returns (bytes32) {
        return keccak256(abi.encode("root", index));
    }

    function follow() internal {
        (registryHead, anchorHead) = extendedTwice();
    }

    function extendedTwice() private returns (bytes32, bytes32) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        return (extended(registryHead, logs, address(registry)), extended(anchorHead, logs, address(anchor)));
    }

    function compare() internal {
        compareBatches();
        compareScopes();
        compareSuspensions();
    }

    function compareBatches() private {
        for (uint256 i = 0; i < ROOTS; ++i) {
            ICredentialAnchor.Batch memory old = batches[i];
            ICredentialAnchor.Batch memory now_ = anchor.batchOf(WELFARE, rootAt(i));
            bool same = now_.anchoredAt == old.anchoredAt && now_.size == old.size && now_.mandateId == old.mandateId;
            bool kept = old.revokedAt == 0 || old.revokedAt == now_.revokedAt;
            if (old.anchoredAt != 0 && !(same && kept)) batchWasRewritten = true;
            batches[i] = now_;
        }
    }

    function compareScopes() private {
        ScopeView[] memory now_ = registry.issuerScopes(WELFARE, FAMILY_CARD);
        if (now_.length < scopes.length) scopeWasRewritten = true;
        for (uint256 i = 0; i < now_.length; ++i) {
            if (i < scopes.length) compareScope(scopes[i], now_[i]);
            else scopes.push(now_[i]);
            scopes[i] = now_[i];
            // what was in force does not overlap
            if (i > 0 && overlap(now_[i - 1], now_[i])) scopeWasRewritten = true;
        }
    }

    function compareScope(ScopeView memory old, ScopeView memory now_) private {
        bool same =
            now_.accreditor == old.accreditor && now_.validFrom == old.validFrom && now_.validUntil == old.validUntil;
        bool earlier = old.revokedAt == 0 || (now_.revokedAt != 0 && now_.revokedAt <= old.revokedAt);
        if (!(same && earlier)) scopeWasRewritten = true;
    }

    function overlap(ScopeView memory first, ScopeView memory second) private pure returns (bool) {
        uint40 end = first.revokedAt == 0 ? first.validUntil : first.revokedAt;
        return end > first.validFrom && second.validFrom < end;
    }

    function compareSuspensions() private {
        ITrustRegistry.Suspension[] memory now_ = registry.suspensions(WELFARE);
        if (now_.length < suspensions.length) suspensionWasRewritten = true;
        for (uint256 i = 0; i < now_.length; ++i) {
            if (i == suspensions.length) {
                suspensions.push(now_[i]);
                continue;
            }
            ITrustRegistry.Suspension memory old = suspensions[i];
            bool kept = old.until == 0 || old.until == now_[i].until;
            if (now_[i].since != old.since || !kept) suspensionWasRewritten = true;
            suspensions[i] = now_[i];
        }
    }

    function issuerId() external view returns (bytes32) {
        return WELFARE;
    }

    function anchorAt() external view returns (address) {
        return address(anchor);
    }

    function heads() external view returns (bytes32, bytes32) {
        return (registry.logHead(), anchor.logHead());
    }
}
