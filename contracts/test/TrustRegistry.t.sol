// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITrustRegistry} from "../src/interfaces/ITrustRegistry.sol";
import {IVerifierRegistry} from "../src/interfaces/IVerifierRegistry.sol";
import {ScopeView} from "../src/interfaces/ScopeView.sol";
import {ScopeHistory} from "../src/libraries/ScopeHistory.sol";
import {World} from "./support/World.sol";

contract TrustRegistryTest is World {
    address internal rival = someone("rival");

    function revoke(address by, uint40 effectiveAt) internal {
        vm.prank(by);
        registry.revokeIssuer(WELFARE, FAMILY_CARD, effectiveAt);
    }

    function test_accreditAccreditor_numbersMandatesAndKeepsTheirHistory() external {
        equal(registry.mandateOf(accreditor, FAMILY_CARD), 1);
        equal(registry.mandateOf(accreditor, RESIDENCE), 2);
        equal(registry.accreditorOf(2), accreditor);
        vm.prank(root);
        registry.revokeAccreditor(accreditor, FAMILY_CARD, 0);
        vm.warp(GENESIS + 10);
        mandate(accreditor, FAMILY_CARD);
        equal(registry.mandateOf(accreditor, FAMILY_CARD), 1);
        ScopeView[] memory scopes = registry.accreditorScopes(accreditor, FAMILY_CARD);
        equal(scopes.length, 2);
        equal(scopes[0].revokedAt, GENESIS);
        equal(scopes[1].validFrom, GENESIS + 10);
        equal(scopes[1].accreditor, address(0));
        no(registry.isAccreditor(accreditor, FAMILY_CARD, GENESIS), "revoked from its beginning");
        yes(registry.isAccreditor(accreditor, FAMILY_CARD, GENESIS + 10), "again");
    }

    function test_accreditAccreditor_refusesEverybodyButRootAndZero() external {
        refused(outsider, unauthorized(outsider, ROOT_ROLE));
        registry.accreditAccreditor(outsider, FAMILY_CARD, 0, GENESIS + YEAR);
        refused(root, abi.encodeWithSelector(ITrustRegistry.ZeroAddress.selector));
        registry.accreditAccreditor(address(0), FAMILY_CARD, 0, GENESIS + YEAR);
        refused(root, abi.encodeWithSelector(IVerifierRegistry.ZeroIdentifier.selector));
        registry.accreditAccreditor(outsider, 0, 0, GENESIS + YEAR);
        refused(root, abi.encodeWithSelector(ScopeHistory.ScopeStillOpen.selector, 0));
        registry.accreditAccreditor(accreditor, FAMILY_CARD, 0, GENESIS + YEAR);
    }

    function test_revokeAccreditor_refusesEverybodyButRoot() external {
        refused(accreditor, unauthorized(accreditor, ROOT_ROLE));
        registry.revokeAccreditor(accreditor, FAMILY_CARD, 0);
        refused(accreditor, unauthorized(accreditor, ROOT_ROLE));
        registry.revokeAccreditorScope(accreditor, FAMILY_CARD, 0, 0);
        refused(root, abi.encodeWithSelector(ScopeHistory.UnknownScope.selector, 0));
        registry.revokeAccreditor(outsider, FAMILY_CARD, 0);
    }

    function test_accreditIssuer_refusesWhoeverHasNoMandateInForce() external {
        refused(outsider, abi.encodeWithSelector(ITrustRegistry.NotAccreditor.selector, outsider, FAMILY_CARD));
        registry.accreditIssuer(YOUTH, controller, FAMILY_CARD, 0, GENESIS + YEAR);
        vm.warp(GENESIS + 10 * YEAR);
        refused(accreditor, abi.encodeWithSelector(ITrustRegistry.NotAccreditor.selector, accreditor, FAMILY_CARD));
        registry.accreditIssuer(YOUTH, controller, FAMILY_CARD, 0, GENESIS + 11 * YEAR);
    }

    function test_accreditIssuer_refusesZeroAndAnotherController() external {
        refused(accreditor, abi.encodeWithSelector(IVerifierRegistry.ZeroIdentifier.selector));
        registry.accreditIssuer(0, controller, FAMILY_CARD, 0, GENESIS + YEAR);
        refused(accreditor, abi.encodeWithSelector(ITrustRegistry.ZeroAddress.selector));
        registry.accreditIssuer(YOUTH, address(0), FAMILY_CARD, 0, GENESIS + YEAR);
        refused(accreditor, abi.encodeWithSelector(ITrustRegistry.ControllerMismatch.selector, WELFARE, controller));
        registry.accreditIssuer(WELFARE, outsider, RESIDENCE, 0, GENESIS + YEAR);
    }

    function test_accreditIssuer_letsOneAddressControlTwoDidsOfOneEntity() external {
        accredit(YOUTH, FAMILY_CARD);
        equal(registry.controllerOf(YOUTH), controller);
        equal(registry.controllerOf(WELFARE), controller);
    }

    function test_revokeIssuer_isForRootAndTheGivingAccreditor() external {
        mandate(rival, FAMILY_CARD);
        address[3] memory callers = [rival, controller, outsider];
        for (uint256 i = 0; i < callers.length; ++i) {
            refused(
                callers[i],
                abi.encodeWithSelector(ITrustRegistry.NotRootNorGivingAccreditor.selector, callers[i], 1)
            );
            registry.revokeIssuer(WELFARE, FAMILY_CARD, 0);
        }
        vm.warp(GENESIS + 100);
        revoke(accreditor, 0);
        revoke(root, GENESIS + 7);
        no(accredited(GENESIS + 7), "from the earlier time on");
        yes(accredited(GENESIS + 6), "before");
        equal(registry.issuerScopes(WELFARE, FAMILY_CARD)[0].revokedAt, GENESIS + 7);
    }

    function test_revokeIssuer_refusesAnAccreditorThatRootRevoked() external {
        vm.prank(root);
        registry.revokeAccreditor(accreditor, FAMILY_CARD, 0);
        refused(
            accreditor,
            abi.encodeWithSelector(ITrustRegistry.NotRootNorGivingAccreditor.selector, accreditor, 1)
        );
        registry.revokeIssuer(WELFARE, FAMILY_CARD, 0);
    }

    function test_revokeIssuer_refusesTheFutureAndWhatTheScopeDoesNotReach() external {
        vm.warp(GENESIS + 100);
        refused(
            root, abi.encodeWithSelector(ScopeHistory.RevocationInFuture.selector, GENESIS + 101, GENESIS + 100)
        );
        registry.revokeIssuer(WELFARE, FAMILY_CARD, GENESIS + 101);
        refused(root, abi.encodeWithSelector(ScopeHistory.RevocationBeforeScope.selector, GENESIS - 1, GENESIS));
        registry.revokeIssuer(WELFARE, FAMILY_CARD, GENESIS - 1);
        revoke(root, GENESIS + 50);
        refused(
            root, abi.encodeWithSelector(ScopeHistory.RevocationNotEarlier.selector, GENESIS + 50, GENESIS + 50)
        );
        registry.revokeIssuer(WELFARE, FAMILY_CARD, GENESIS + 50);
        refused(root, abi.encodeWithSelector(ScopeHistory.UnknownScope.selector, 0));
        registry.revokeIssuer(YOUTH, FAMILY_CARD, 0);
        refused(root, abi.encodeWithSelector(ScopeHistory.UnknownScope.selector, 1));
        registry.revokeIssuerScope(WELFARE, FAMILY_CARD, 1, 0);
    }

    function test_revokeIssuer_callsOffAScopeStillToBegin() external {
        vm.prank(accreditor);
        registry.accreditIssuer(YOUTH, outsider, FAMILY_CARD, GENESIS + 50, GENESIS + YEAR);
        vm.prank(accreditor);
        registry.revokeIssuer(YOUTH, FAMILY_CARD, 0);
        no(registry.isAccredited(YOUTH, FAMILY_CARD, GENESIS + 50), "called off");
    }

    function test_changeController_isForRootAndTheController() external {
        refused(accreditor, abi.encodeWithSelector(ITrustRegistry.NotRootNorController.selector, accreditor, WELFARE));
        registry.changeController(WELFARE, accreditor);
        vm.prank(controller);
        registry.changeController(WELFARE, outsider);
        refused(controller, abi.encodeWithSelector(ITrustRegistry.NotRootNorController.selector, controller, WELFARE));
        registry.changeController(WELFARE, controller);
        vm.prank(root);
        registry.changeController(WELFARE, controller);
        equal(registry.controllerOf(WELFARE), controller);
        refused(root, abi.encodeWithSelector(ITrustRegistry.ZeroAddress.selector));
        registry.changeController(WELFARE, address(0));
        refused(root, abi.encodeWithSelector(ITrustRegistry.UnknownIssuer.selector, YOUTH));
        registry.changeController(YOUTH, controller);
    }

    function test_mayRevokeUnder_isFalseForNobody() external view {
        no(registry.mayRevokeUnder(0, address(0)), "no mandate, no caller");
        yes(registry.mayRevokeUnder(0, root), "root");
    }

    function test_currentAccreditation_endsWithTheMandate() external {
        vm.prank(root);
        registry.revokeAccreditor(accreditor, FAMILY_CARD, 0);
        (address who, uint32 mandateId) = registry.currentAccreditation(WELFARE, FAMILY_CARD);
        equal(who, controller);
        equal(mandateId, 0);
    }

    function testFuzz_isAccredited_isHalfOpenAndEndsAtARevocation(uint40 time, uint40 revokedAt) external {
        revokedAt = uint40(within(revokedAt, GENESIS, GENESIS + YEAR - 1));
        time = uint40(within(time, GENESIS - 10, GENESIS + YEAR + 10));
        yes(accredited(time) == (time >= GENESIS && time < GENESIS + YEAR), "the period");
        vm.warp(GENESIS + YEAR);
        revoke(root, revokedAt);
        yes(accredited(time) == (time >= GENESIS && time < revokedAt), "the revoked period");
    }

    function testFuzz_accreditIssuer_takesExactlyThePeriodsThatBeginNowOrLater(uint40 from, uint40 until) external {
        uint40 begins = from == 0 ? GENESIS : from;
        if (begins < GENESIS) {
            refused(accreditor, abi.encodeWithSelector(ScopeHistory.BackdatedAccreditation.selector, begins, GENESIS));
        } else if (until <= begins) {
            refused(accreditor, abi.encodeWithSelector(ScopeHistory.EmptyPeriod.selector, begins, until));
        } else {
            vm.prank(accreditor);
        }
        registry.accreditIssuer(YOUTH, outsider, FAMILY_CARD, from, until);
    }

    function test_logHead_followsEveryEventOfAccreditation() external {
        bytes32 before = registry.logHead();
        vm.recordLogs();
        mandate(rival, FAMILY_CARD);
        accredit(YOUTH, FAMILY_CARD);
        suspend(YOUTH);
        unsuspend(YOUTH);
        vm.prank(root);
        registry.changeController(YOUTH, outsider);
        revoke(root, 0);
        vm.prank(root);
        registry.revokeAccreditor(rival, FAMILY_CARD, 0);
        followed(registry, before, 7);
    }
}
