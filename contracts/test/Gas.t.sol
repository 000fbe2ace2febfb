// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BallotBoard} from "../src/BallotBoard.sol";
import {Directory} from "../src/Directory.sol";
import {EthereumDIDRegistry} from "../src/EthereumDIDRegistry.sol";
import {World} from "./support/World.sol";

/// @notice What the transactions cost, written to snapshots/ and compared with it. Every call is a
/// transaction of its own (`isolate`), so the 21,000 and the call data are in the figures.
contract GasTest is World {
    BallotBoard internal boards = new BallotBoard();
    EthereumDIDRegistry internal dids = new EthereumDIDRegistry();

    function snap(string memory group, string memory name, uint256 budget) internal {
        uint256 gas = vm.snapshotGasLastCall(group, name);
        if (budget != 0) yes(gas <= budget, string.concat(name, " costs more than its budget"));
    }

    function test_gas_ofTheTrustRegistry() external {
        vm.prank(accreditor);
        registry.accreditIssuer(YOUTH, someone("youth"), FAMILY_CARD, 0, GENESIS + YEAR);
        snap("TrustRegistry", "accredit an issuer, first", 85_000);
        accredit(WELFARE, RESIDENCE);
        snap("TrustRegistry", "accredit an issuer, later schema", 85_000);
        suspend(WELFARE);
        snap("TrustRegistry", "suspend an issuer", 0);
        unsuspend(WELFARE);
        snap("TrustRegistry", "lift a suspension", 0);
        vm.prank(registrar);
        registry.registerVerifier(YOUTH, FAMILY_CARD, MANIFEST, id("claims"), 0, GENESIS + YEAR);
        snap("TrustRegistry", "register a verifier's service", 0);
        vm.prank(accreditor);
        registry.revokeIssuer(WELFARE, FAMILY_CARD, 0);
        snap("TrustRegistry", "revoke an issuer", 0);
        vm.prank(root);
        registry.revokeAccreditor(accreditor, FAMILY_CARD, 0);
        snap("TrustRegistry", "revoke an accreditor", 0);
    }

    function test_gas_ofTheCredentialAnchor() external {
        anchorRoot(id("1"), 1);
        snap("CredentialAnchor", "anchor a batch, first of the contract", 0);
        anchorRoot(id("2"), 1_000_000);
        snap("CredentialAnchor", "anchor a batch, later", 75_000);
        vm.prank(controller);
        anchor.revokeBatch(WELFARE, id("1"));
        snap("CredentialAnchor", "revoke a batch", 0);
        vm.prank(controller);
        anchor.publishStatus(WELFARE, id("list"), id("bits 1"), 1, GENESIS + YEAR);
        snap("CredentialAnchor", "publish a status list, first version", 0);
        vm.prank(controller);
        anchor.publishStatus(WELFARE, id("list"), id("bits 2"), 2, GENESIS + YEAR);
        snap("CredentialAnchor", "publish a status list, later version", 60_000);
    }

    function test_gas_ofTheBallotBoard() external {
        bytes32 board = boards.boardIdOf(root, id("election"));
        bytes32 empty = boards.EMPTY_ROOT();
        vm.prank(root);
        boards.openBoard(id("election"), controller, MANIFEST, GENESIS, GENESIS + 14 days, 1 hours);
        snap("BallotBoard", "open a board", 0);
        vm.prank(controller);
        boards.checkpoint(board, 0, 1000, empty, id("1"));
        snap("BallotBoard", "checkpoint, first of a board", 0);
        vm.prank(controller);
        boards.checkpoint(board, 1000, 1_000_000, id("1"), id("2"));
        snap("BallotBoard", "checkpoint, later", 46_000);
        vm.warp(GENESIS + 14 days);
        vm.prank(controller);
        boards.seal(board, 1_000_000, id("2"), MANIFEST);
        snap("BallotBoard", "seal", 0);
    }

    function test_gas_ofTheDidRegistry() external {
        vm.prank(root);
        dids.setAttribute(root, "did/pub/Secp256k1/veriKey/hex", bytes.concat(id("key"), "x"), YEAR);
        snap("EthereumDIDRegistry", "set an attribute of 33 bytes, first of the contract", 0);
        vm.prank(root);
        dids.setAttribute(root, "did/pub/Secp256k1/veriKey/hex", bytes.concat(id("key 2"), "x"), YEAR);
        snap("EthereumDIDRegistry", "set an attribute of 33 bytes, later", 0);
        vm.prank(root);
        dids.addDelegate(root, "veriKey", controller, YEAR);
        snap("EthereumDIDRegistry", "add a delegate", 0);
        vm.prank(root);
        dids.changeOwner(root, controller);
        snap("EthereumDIDRegistry", "change an owner", 0);
    }

    function test_gas_ofTheDirectory() external {
        Directory directory = new Directory(HAND_OVER_DELAY_S, root);
        vm.prank(root);
        directory.list("BallotBoard", address(boards), address(boards).codehash);
        snap("Directory", "list a contract, first of a name", 0);
        vm.prank(root);
        directory.list("BallotBoard", address(dids), address(dids).codehash);
        snap("Directory", "list a contract, next version", 0);
        vm.prank(root);
        directory.deprecate("BallotBoard", 1);
        snap("Directory", "deprecate a version", 0);
    }
}
