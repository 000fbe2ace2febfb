// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EthereumDIDRegistry} from "../../src/EthereumDIDRegistry.sol";
import {Checks} from "./Checks.sol";

/// @notice Drives a few identities that own each other, and watches what must never go back.
contract DidHandler is Checks {
    uint256 internal constant PEOPLE = 4;

    EthereumDIDRegistry public dids = new EthereumDIDRegistry();
    bytes32 public head;
    bool public changedWentBack;
    bool public deactivatedCameBack;
    bool public strangerChangedIt;
    uint256 public changes;

    mapping(address identity => uint256) internal lastChange;
    mapping(address identity => bool) internal wasDeactivated;

    modifier watched() {
        vm.recordLogs();
        _;
        head = extended(head, vm.getRecordedLogs(), address(dids));
        for (uint256 i = 0; i < PEOPLE; ++i) compare(person(i));
    }

    function changeOwner(uint256 who, uint256 by, uint256 to) external watched {
        // one in eight deactivates
        address next = to % 8 == 0 ? address(0) : person(to);
        address owner = dids.identityOwner(person(who));
        vm.prank(person(by));
        try dids.changeOwner(person(who), next) {
            succeeded(owner, person(by));
            if (next == address(0)) deactivatedBefore(person(who));
        } catch {}
    }

    function setAttribute(uint256 who, uint256 by, bytes calldata value) external watched {
        address owner = dids.identityOwner(person(who));
        vm.prank(person(by));
        try dids.setAttribute(person(who), "did/svc/x", value, 10) {
            succeeded(owner, person(by));
        } catch {}
    }

    function addDelegate(uint256 who, uint256 by, uint256 to) external watched {
        address owner = dids.identityOwner(person(who));
        vm.prank(person(by));
        try dids.addDelegate(person(who), "veriKey", person(to), 10) {
            succeeded(owner, person(by));
        } catch {}
    }

    function nextBlock() external {
        vm.roll(block.number + 1);
    }

    function person(uint256 index) internal pure returns (address) {
        return address(uint160(0x1000 + index % PEOPLE));
    }

    function succeeded(address owner, address by) private {
        ++changes;
        if (owner != by) strangerChangedIt = true;
    }

    /// @dev Said by the handler, not by the registry: what the registry forgets is noticed.
    function deactivatedBefore(address identity) private {
        lastChange[identity] = dids.changed(identity);
        wasDeactivated[identity] = true;
    }

    function compare(address identity) private {
        uint256 changed = dids.changed(identity);
        bool deactivated = dids.identityOwner(identity) == address(0);
        if (changed < lastChange[identity]) changedWentBack = true;
        if (wasDeactivated[identity] && (!deactivated || changed != lastChange[identity])) deactivatedCameBack = true;
        lastChange[identity] = changed;
    }
}
