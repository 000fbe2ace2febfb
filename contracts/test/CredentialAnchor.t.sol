// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialAnchor} from "../src/CredentialAnchor.sol";
import {ICredentialAnchor} from "../src/interfaces/ICredentialAnchor.sol";
import {ITrustRegistry} from "../src/interfaces/ITrustRegistry.sol";
import {World} from "./support/World.sol";

contract CredentialAnchorTest is World {
    bytes32 internal immutable BATCH = id("root of a batch");
    bytes32 internal immutable LIST = id("status list");
    bytes32 internal immutable BITS = id("bits");

    function publish(uint64 version) internal {
        vm.prank(controller);
        anchor.publishStatus(WELFARE, LIST, BITS, version, GENESIS + YEAR);
    }

    function test_constructor_refusesARegistryWithoutCode() external {
        vm.expectRevert(abi.encodeWithSelector(ICredentialAnchor.RegistryWithoutCode.selector, outsider));
        new CredentialAnchor(ITrustRegistry(outsider));
        equal(address(anchor.registry()), address(registry));
    }

    function test_anchorBatch_putsTheBatchOnRecord() external {
        anchorRoot(BATCH, 100);
        ICredentialAnchor.Batch memory batch = anchor.batchOf(WELFARE, BATCH);
        equal(batch.anchoredAt, GENESIS);
        equal(batch.revokedAt, 0);
        equal(batch.size, 100);
        equal(batch.mandateId, 1);
    }

    function test_anchorBatch_revertsWhenTheRootExists() external {
        anchorRoot(BATCH, 100);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.BatchExists.selector, WELFARE, BATCH));
        anchor.anchorBatch(WELFARE, FAMILY_CARD, BATCH, 7, MANIFEST);
    }

    function test_anchorBatch_revertsForEverybodyButTheController() external {
        address[3] memory callers = [root, accreditor, outsider];
        for (uint256 i = 0; i < callers.length; ++i) {
            refused(callers[i], abi.encodeWithSelector(ICredentialAnchor.NotController.selector, callers[i], WELFARE));
            anchor.anchorBatch(WELFARE, FAMILY_CARD, BATCH, 1, MANIFEST);
        }
    }

    function test_anchorBatch_revertsForAnotherSchema() external {
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.NotAccredited.selector, WELFARE, RESIDENCE));
        anchor.anchorBatch(WELFARE, RESIDENCE, BATCH, 1, MANIFEST);
    }

    function test_anchorBatch_revertsWithoutLeavesRootOrManifest() external {
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.EmptyBatch.selector));
        anchor.anchorBatch(WELFARE, FAMILY_CARD, BATCH, 0, MANIFEST);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.ZeroDigest.selector));
        anchor.anchorBatch(WELFARE, FAMILY_CARD, 0, 1, MANIFEST);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.ZeroDigest.selector));
        anchor.anchorBatch(WELFARE, FAMILY_CARD, BATCH, 1, 0);
    }

    function test_revokeBatch_isForControllerAccreditorAndRootAlsoAfterTheEnd() external {
        address[3] memory callers = [controller, accreditor, root];
        for (uint256 i = 0; i < callers.length; ++i) anchorRoot(keccak256(abi.encode(i)), 1);
        vm.warp(GENESIS + 20 * YEAR);
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.prank(callers[i]);
            anchor.revokeBatch(WELFARE, keccak256(abi.encode(i)));
            equal(anchor.batchOf(WELFARE, keccak256(abi.encode(i))).revokedAt, GENESIS + 20 * YEAR);
        }
    }

    function test_revokeBatch_revertsForOthersForAnUnknownAndForARevokedBatch() external {
        refused(root, abi.encodeWithSelector(ICredentialAnchor.UnknownBatch.selector, WELFARE, BATCH));
        anchor.revokeBatch(WELFARE, BATCH);
        anchorRoot(BATCH, 1);
        refused(suspender, abi.encodeWithSelector(ICredentialAnchor.NotAllowedToRevoke.selector, suspender, WELFARE));
        anchor.revokeBatch(WELFARE, BATCH);
        vm.prank(root);
        anchor.revokeBatch(WELFARE, BATCH);
        refused(root, abi.encodeWithSelector(ICredentialAnchor.BatchAlreadyRevoked.selector, WELFARE, BATCH, GENESIS));
        anchor.revokeBatch(WELFARE, BATCH);
    }

    function test_publishStatus_goesUpByOneVersion() external {
        publish(1);
        publish(2);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.VersionNotNext.selector, 2, 3));
        anchor.publishStatus(WELFARE, LIST, BITS, 2, GENESIS + YEAR);
        ICredentialAnchor.StatusList memory list = anchor.statusListOf(WELFARE, LIST);
        equal(list.version, 2);
        equal(list.digest, BITS);
        equal(list.publishedAt, GENESIS);
        equal(list.expires, GENESIS + YEAR);
    }

    function test_publishStatus_revertsForOthersForZeroAndForAStaleList() external {
        refused(root, abi.encodeWithSelector(ICredentialAnchor.NotController.selector, root, WELFARE));
        anchor.publishStatus(WELFARE, LIST, BITS, 1, GENESIS + YEAR);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.ZeroDigest.selector));
        anchor.publishStatus(WELFARE, 0, BITS, 1, GENESIS + YEAR);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.ZeroDigest.selector));
        anchor.publishStatus(WELFARE, LIST, 0, 1, GENESIS + YEAR);
        refused(controller, abi.encodeWithSelector(ICredentialAnchor.AlreadyExpired.selector, GENESIS, GENESIS));
        anchor.publishStatus(WELFARE, LIST, BITS, 1, GENESIS);
    }

    function testFuzz_anchorBatch_keepsEveryRootApart(bytes32 first, bytes32 second, uint64 size) external {
        if (first == 0 || second == 0 || first == second || size == 0) return;
        anchorRoot(first, size);
        equal(anchor.batchOf(WELFARE, second).anchoredAt, 0);
        equal(anchor.batchOf(YOUTH, first).anchoredAt, 0);
        vm.warp(GENESIS + 9);
        anchorRoot(second, 1);
        equal(anchor.batchOf(WELFARE, first).size, size);
        equal(anchor.batchOf(WELFARE, first).anchoredAt, GENESIS);
    }

    function test_logHead_followsEveryEventOfTheAnchor() external {
        vm.recordLogs();
        anchorRoot(BATCH, 1);
        publish(1);
        vm.prank(root);
        anchor.revokeBatch(WELFARE, BATCH);
        followed(anchor, 0, 3);
    }
}
