// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BoardHandler} from "./support/BoardHandler.sol";
import {Checks} from "./support/Checks.sol";
import {DidHandler} from "./support/DidHandler.sol";
import {TrustHandler} from "./support/TrustHandler.sol";

contract TrustInvariantsTest is Checks {
    TrustHandler internal handler;

    function setUp() external {
        handler = new TrustHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](8);
        selectors[0] = TrustHandler.accreditAgain.selector;
        selectors[1] = TrustHandler.revokeScope.selector;
        selectors[2] = TrustHandler.revokeMandate.selector;
        selectors[3] = TrustHandler.suspendOrLift.selector;
        selectors[4] = TrustHandler.anchorBatch.selector;
        selectors[5] = TrustHandler.revokeBatch.selector;
        selectors[6] = TrustHandler.publishStatus.selector;
        selectors[7] = TrustHandler.wait.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    function invariant_aRootNeverChangesOnceAnchored() external view {
        no(handler.batchWasRewritten(), "a batch changed");
    }

    function invariant_historyIsNeverRewritten() external view {
        no(handler.scopeWasRewritten(), "a scope changed");
        no(handler.suspensionWasRewritten(), "a suspension changed");
    }

    function invariant_onlyTheAccreditedAnchor() external view {
        no(handler.anchoredUnaccredited(), "anchored without accreditation");
    }

    function invariant_theLogHeadsEqualTheRecomputation() external view {
        (bytes32 registryHead, bytes32 anchorHead) = handler.heads();
        equal(registryHead, handler.registryHead());
        equal(anchorHead, handler.anchorHead());
    }
}

contract BoardInvariantsTest is Checks {
    BoardHandler internal handler;

    function setUp() external {
        handler = new BoardHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_aSizeNeverShrinks() external view {
        no(handler.sizeShrank(), "a board shrank or changed without growing");
    }

    function invariant_aSealedBoardNeverChanges() external view {
        no(handler.sealedChanged(), "a sealed board changed");
    }

    function invariant_theTermsOfABoardNeverChange() external view {
        no(handler.termsChanged(), "a window or a configuration changed");
    }

    function invariant_theLogHeadEqualsTheRecomputation() external view {
        equal(handler.boards().logHead(), handler.head());
    }
}

contract DidInvariantsTest is Checks {
    DidHandler internal handler;

    function setUp() external {
        handler = new DidHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_changedNeverGoesBack() external view {
        no(handler.changedWentBack(), "changed went back");
    }

    function invariant_aDeactivatedIdentityNeverComesBack() external view {
        no(handler.deactivatedCameBack(), "a deactivated identity changed");
    }

    function invariant_onlyTheOwnerChangesAnIdentity() external view {
        no(handler.strangerChangedIt(), "a stranger changed an identity");
    }

    function invariant_theLogHeadEqualsTheRecomputation() external view {
        equal(handler.dids().logHead(), handler.head());
    }
}
