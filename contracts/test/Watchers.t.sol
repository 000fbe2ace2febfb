// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BoardHandler} from "./support/BoardHandler.sol";
import {DidHandler} from "./support/DidHandler.sol";
import {Checks} from "./support/Checks.sol";
import {TrustHandler} from "./support/TrustHandler.sol";

/// @notice The handlers of the invariants notice what they watch for: storage is changed under them,
/// which no function of the contracts can do.
contract WatchersTest is Checks {
    function shifted(address target, bytes32 slot, uint256 difference) internal {
        vm.store(target, slot, bytes32(uint256(vm.load(target, slot)) + difference));
    }

    /// @dev The slot of mapping[key] where the mapping is at `base`.
    function slotOf(bytes32 key, bytes32 base) internal pure returns (bytes32) {
        return keccak256(bytes.concat(key, base));
    }

    function test_trustHandler_noticesARewrittenBatch() external {
        TrustHandler handler = new TrustHandler();
        handler.anchorBatch(0, 5);
        equal(handler.anchored(), 1);
        no(handler.batchWasRewritten(), "not yet");
        bytes32 slot = slotOf(keccak256(abi.encode("root", uint256(0))), slotOf(handler.issuerId(), bytes32(uint256(1))));
        shifted(handler.anchorAt(), slot, 1 << 80); // the size
        handler.wait(1);
        handler.publishStatus(1);
        yes(handler.batchWasRewritten(), "a larger batch");
    }

    function test_trustHandler_noticesARewrittenHead() external {
        TrustHandler handler = new TrustHandler();
        handler.anchorBatch(0, 5);
        shifted(handler.anchorAt(), 0, 1);
        (, bytes32 head) = handler.heads();
        yes(head != handler.anchorHead(), "another head");
    }

    function test_boardHandler_noticesASmallerBoard() external {
        BoardHandler handler = new BoardHandler();
        handler.checkpoint(0, 5, keccak256("root"));
        equal(handler.checkpoints(), 1);
        bytes32 board = handler.boards().boardIdOf(someone("organiser"), bytes32(uint256(1)));
        bytes32 slot = bytes32(uint256(slotOf(board, bytes32(uint256(1)))) + 2); // size and counter
        vm.store(address(handler.boards()), slot, bytes32(uint256(1)));
        handler.openBoard(0, 0);
        yes(handler.sizeShrank(), "a smaller board");
    }

    function test_didHandler_noticesAnEarlierChange() external {
        vm.roll(10);
        DidHandler handler = new DidHandler();
        handler.setAttribute(1, 1, "x");
        equal(handler.changes(), 1);
        bytes32 slot = slotOf(bytes32(uint256(0x1001)), bytes32(uint256(4)));
        equal(uint256(vm.load(address(handler.dids()), slot)) >> 160, 10);
        vm.store(address(handler.dids()), slot, 0);
        handler.addDelegate(0, 1, 0);
        yes(handler.changedWentBack(), "an earlier change");
    }
}
