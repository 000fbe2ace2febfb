// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredentialAnchor} from "../src/interfaces/ICredentialAnchor.sol";
import {ITrustRegistry} from "../src/interfaces/ITrustRegistry.sol";
import {World} from "./support/World.sol";

contract SuspensionTest is World {
    function test_suspendIssuer_stopsAnchoringAtOnceAndForEverySchema() external {
        accredit(WELFARE, RESIDENCE);
        suspend(WELFARE);
        yes(registry.isSuspended(WELFARE), "suspended");
        bytes32 batchRoot = id("root");
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.NotAccredited.selector, WELFARE, FAMILY_CARD));
        anchor.anchorBatch(WELFARE, FAMILY_CARD, batchRoot, 1, MANIFEST);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.NotAccredited.selector, WELFARE, RESIDENCE));
        anchor.anchorBatch(WELFARE, RESIDENCE, batchRoot, 1, MANIFEST);
    }

    function test_suspendIssuer_leavesTheRightToRevokeAndToPublishStatus() external {
        anchorRoot(id("root"), 1);
        suspend(WELFARE);
        vm.prank(controller);
        anchor.revokeBatch(WELFARE, id("root"));
        vm.prank(controller);
        anchor.publishStatus(WELFARE, id("list"), id("bits"), 1, GENESIS + YEAR);
        equal(anchor.batchOf(WELFARE, id("root")).revokedAt, GENESIS);
        equal(anchor.statusListOf(WELFARE, id("list")).version, 1);
    }

    function test_suspendIssuer_refusesEverybodyWithoutTheRole() external {
        bytes32 role = registry.SUSPENDER_ROLE();
        address[4] memory callers = [root, accreditor, controller, outsider];
        for (uint256 i = 0; i < callers.length; ++i) {
            refused(callers[i], unauthorized(callers[i], role));
            registry.suspendIssuer(WELFARE);
        }
    }

    function test_suspendIssuer_refusesAnUnknownAndASuspendedIssuer() external {
        refused(suspender, abi.encodeWithSelector(ITrustRegistry.UnknownIssuer.selector, YOUTH));
        registry.suspendIssuer(YOUTH);
        suspend(WELFARE);
        refused(suspender, abi.encodeWithSelector(ITrustRegistry.IssuerIsSuspended.selector, WELFARE));
        registry.suspendIssuer(WELFARE);
    }

    function test_unsuspendIssuer_isForRootAlone() external {
        suspend(WELFARE);
        address[4] memory callers = [suspender, accreditor, controller, outsider];
        for (uint256 i = 0; i < callers.length; ++i) {
            refused(callers[i], unauthorized(callers[i], ROOT_ROLE));
            registry.unsuspendIssuer(WELFARE);
        }
        unsuspend(WELFARE);
        no(registry.isSuspended(WELFARE), "suspended");
        anchorRoot(id("root"), 1);
    }

    function test_unsuspendIssuer_refusesAnUnknownIssuerAndOneThatIsNotSuspended() external {
        refused(root, abi.encodeWithSelector(ITrustRegistry.UnknownIssuer.selector, YOUTH));
        registry.unsuspendIssuer(YOUTH);
        refused(root, abi.encodeWithSelector(ITrustRegistry.IssuerNotSuspended.selector, WELFARE));
        registry.unsuspendIssuer(WELFARE);
    }

    function test_isAccredited_judgesAPastTimeByTheSuspensionsThen() external {
        vm.warp(GENESIS + 100);
        suspend(WELFARE);
        vm.warp(GENESIS + 200);
        unsuspend(WELFARE);
        vm.warp(GENESIS + 300);
        suspend(WELFARE);
        vm.warp(GENESIS + 400);
        yes(accredited(GENESIS + 99), "before");
        no(accredited(GENESIS + 100), "first second");
        no(accredited(GENESIS + 199), "last second");
        yes(accredited(GENESIS + 200), "lifted");
        no(accredited(GENESIS + 300), "again");
        no(accredited(GENESIS + 400), "still");
        ITrustRegistry.Suspension[] memory all = registry.suspensions(WELFARE);
        equal(all.length, 2);
        equal(all[0].since, GENESIS + 100);
        equal(all[0].until, GENESIS + 200);
        equal(all[1].since, GENESIS + 300);
        equal(all[1].until, 0);
    }

    function test_suspension_liftedInTheSameSecondCoversNothing() external {
        suspend(WELFARE);
        unsuspend(WELFARE);
        yes(accredited(GENESIS), "lifted at once");
    }

    function test_changeController_isForRootAloneWhileSuspended() external {
        suspend(WELFARE);
        refused(controller, abi.encodeWithSelector(ITrustRegistry.IssuerIsSuspended.selector, WELFARE));
        registry.changeController(WELFARE, outsider);
        vm.prank(root);
        registry.changeController(WELFARE, outsider);
        yes(registry.isSuspended(WELFARE), "a new controller lifts nothing");
        equal(registry.controllerOf(WELFARE), outsider);
    }

    function test_accreditIssuer_doesNotLiftASuspension() external {
        suspend(WELFARE);
        accredit(WELFARE, RESIDENCE);
        (, uint32 mandateId) = registry.currentAccreditation(WELFARE, RESIDENCE);
        equal(mandateId, 0);
    }

    function testFuzz_isAccredited_isFalseExactlyInsideASuspension(uint40 start, uint40 length, uint40 time) external {
        start = uint40(within(start, GENESIS, GENESIS + YEAR - 2));
        uint40 end = uint40(within(length, start, GENESIS + YEAR - 1));
        time = uint40(within(time, GENESIS, GENESIS + YEAR - 1));
        vm.warp(start);
        suspend(WELFARE);
        vm.warp(end);
        unsuspend(WELFARE);
        yes(accredited(time) == (time < start || time >= end), "inside or outside");
    }
}
