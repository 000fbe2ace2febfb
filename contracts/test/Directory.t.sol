// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BallotBoard} from "../src/BallotBoard.sol";
import {Directory} from "../src/Directory.sol";
import {IDirectory} from "../src/interfaces/IDirectory.sol";
import {World} from "./support/World.sol";

contract DirectoryTest is World {
    bytes32 internal constant BOARD = "BallotBoard";
    Directory internal directory;
    address internal first;
    address internal second;

    function setUp() public override {
        super.setUp();
        directory = new Directory(HAND_OVER_DELAY_S, root);
        first = address(new BallotBoard());
        second = address(new BallotBoard());
    }

    function list(address location) internal {
        vm.prank(root);
        directory.list(BOARD, location, location.codehash);
    }

    function test_list_numbersTheVersionsOfAName() external {
        list(first);
        vm.warp(GENESIS + 10);
        list(second);
        equal(directory.versionsOf(BOARD), 2);
        equal(directory.entryOf(BOARD, 1).location, first);
        equal(directory.entryOf(BOARD, 1).listedAt, GENESIS);
        equal(directory.entryOf(BOARD, 2).location, second);
        equal(directory.entryOf(BOARD, 2).listedAt, GENESIS + 10);
        equal(directory.entryOf(BOARD, 2).codeHash, second.codehash);
        equal(directory.names().length, 1);
        equal(directory.names()[0], BOARD);
    }

    function test_list_revertsForEverybodyButRoot() external {
        refused(outsider, unauthorized(outsider, ROOT_ROLE));
        directory.list(BOARD, first, 0);
    }

    function test_list_revertsWithoutNameCodeOrTheApprovedCode() external {
        bytes32 codeHash = first.codehash;
        refused(root, abi.encodeWithSelector(IDirectory.EmptyName.selector));
        directory.list(0, first, codeHash);
        refused(root, abi.encodeWithSelector(IDirectory.NoCode.selector, outsider));
        directory.list(BOARD, outsider, codeHash);
        refused(root, abi.encodeWithSelector(IDirectory.CodeHashMismatch.selector, first, codeHash));
        directory.list(BOARD, first, keccak256("other code"));
    }

    function test_list_revertsWhenTheAddressIsListed() external {
        list(first);
        bytes32 codeHash = first.codehash;
        refused(root, abi.encodeWithSelector(IDirectory.AlreadyListed.selector, BOARD, first));
        directory.list(BOARD, first, codeHash);
        vm.prank(root);
        directory.list("Board", first, codeHash);
        equal(directory.names().length, 2);
    }

    function test_deprecate_marksAVersionOnceAndChangesNothingElse() external {
        list(first);
        list(second);
        vm.warp(GENESIS + 10);
        vm.prank(root);
        directory.deprecate(BOARD, 1);
        equal(directory.entryOf(BOARD, 1).deprecatedAt, GENESIS + 10);
        equal(directory.entryOf(BOARD, 1).location, first);
        equal(directory.entryOf(BOARD, 2).deprecatedAt, 0);
        refused(root, abi.encodeWithSelector(IDirectory.AlreadyDeprecated.selector, BOARD, 1));
        directory.deprecate(BOARD, 1);
        refused(outsider, unauthorized(outsider, ROOT_ROLE));
        directory.deprecate(BOARD, 2);
    }

    function test_entryOf_revertsWhenThereIsNoSuchVersion() external {
        list(first);
        uint32[2] memory versions = [uint32(0), 2];
        for (uint256 i = 0; i < versions.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDirectory.UnknownVersion.selector, BOARD, versions[i]));
            directory.entryOf(BOARD, versions[i]);
            refused(root, abi.encodeWithSelector(IDirectory.UnknownVersion.selector, BOARD, versions[i]));
            directory.deprecate(BOARD, versions[i]);
        }
    }

    function test_logHead_followsTheDirectory() external {
        bytes32 before = directory.logHead();
        vm.recordLogs();
        list(first);
        list(second);
        vm.prank(root);
        directory.deprecate(BOARD, 1);
        followed(directory, before, 3);
    }
}
