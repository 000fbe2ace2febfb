// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TrustRegistry} from "../src/TrustRegistry.sol";
import {World} from "./support/World.sol";

/// @notice OpenZeppelin's own events are in the log chain, in the order they are emitted.
contract ChainedAdminRulesTest is World {
    bytes32 internal before;

    function setUp() public override {
        super.setUp();
        before = registry.logHead();
        vm.recordLogs();
    }

    function begin(address next) internal {
        vm.prank(root);
        registry.beginDefaultAdminTransfer(next);
    }

    function test_logHead_holdsTheFirstRootFromTheDeploymentOn() external {
        TrustRegistry fresh = new TrustRegistry(0, root);
        followed(fresh, 0, 1);
    }

    function test_logHead_followsRolesGivenAndTaken() external {
        bytes32 role = registry.SUSPENDER_ROLE();
        grant(role, outsider);
        vm.prank(root);
        registry.revokeRole(role, outsider);
        vm.prank(suspender);
        registry.renounceRole(role, suspender);
        followed(registry, before, 3);
    }

    function test_logHead_isTheSameWhenARoleIsGivenOrTakenAgain() external {
        bytes32 role = registry.SUSPENDER_ROLE();
        grant(role, suspender);
        vm.prank(root);
        registry.revokeRole(role, outsider);
        followed(registry, before, 0);
        equal(registry.logHead(), before);
    }

    function test_logHead_followsTheHandOverOfRoot() external {
        begin(outsider);
        vm.warp(block.timestamp + HAND_OVER_DELAY_S + 1);
        vm.prank(outsider);
        registry.acceptDefaultAdminTransfer();
        equal(registry.defaultAdmin(), outsider);
        followed(registry, before, 3);
    }

    function test_acceptDefaultAdminTransfer_refusesBeforeTheDelay() external {
        begin(outsider);
        uint48 schedule = GENESIS + HAND_OVER_DELAY_S;
        vm.warp(schedule);
        refused(outsider, abi.encodeWithSignature("AccessControlEnforcedDefaultAdminDelay(uint48)", schedule));
        registry.acceptDefaultAdminTransfer();
    }

    function test_logHead_followsAHandOverReplacedAndCanceled() external {
        begin(outsider);
        begin(accreditor);
        vm.prank(root);
        registry.cancelDefaultAdminTransfer();
        vm.prank(root);
        registry.cancelDefaultAdminTransfer(); // nothing to cancel: no event
        followed(registry, before, 4);
    }

    function test_logHead_followsChangesOfTheDelay() external {
        changeDelay(1 days);
        changeDelay(2 days); // replaces the first
        vm.prank(root);
        registry.rollbackDefaultAdminDelay();
        vm.prank(root);
        registry.rollbackDefaultAdminDelay(); // nothing to roll back: no event
        changeDelay(HAND_OVER_DELAY_S); // the same: scheduled for now
        vm.warp(block.timestamp + 1);
        changeDelay(1 days); // the one before has passed: not canceled
        followed(registry, before, 6);
    }

    function test_logHead_followsTheEndOfRoot() external {
        begin(address(0));
        vm.warp(block.timestamp + HAND_OVER_DELAY_S + 1);
        vm.prank(root);
        registry.renounceRole(ROOT_ROLE, root);
        equal(registry.defaultAdmin(), address(0));
        followed(registry, before, 2);
    }

    function changeDelay(uint48 delay) private {
        vm.prank(root);
        registry.changeDefaultAdminDelay(delay);
    }
}
