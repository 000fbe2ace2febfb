// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {EthereumDIDRegistry} from "../src/EthereumDIDRegistry.sol";
import {IEthereumDIDRegistry} from "../src/interfaces/IEthereumDIDRegistry.sol";
import {Checks} from "./support/Checks.sol";
import {Vm} from "./support/Vm.sol";

/// @notice An owner that is a contract: it accepts one digest.
contract ContractOwner is IERC1271 {
    bytes32 public accepted;

    function accept(bytes32 digest) external {
        accepted = digest;
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4) {
        return digest == accepted ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

contract EthereumDIDRegistryTest is Checks {
    uint256 internal constant GENESIS = 2_000_000_000;
    uint256 internal constant HOUR = 3600;
    uint256 internal constant SECRET = 0xA11CE;
    uint256 internal constant OTHER_SECRET = 0xB0B;
    bytes32 internal constant VERI_KEY = "veriKey";
    bytes32 internal constant KEY_NAME = "did/pub/Secp256k1/veriKey/hex";
    bytes internal constant KEY = hex"02b97c30de767f084ce3080168ee293053ba33b235d7116a3263d29f1450936b71";

    EthereumDIDRegistry internal dids;
    address internal alice = vm.addr(SECRET);
    address internal other = vm.addr(OTHER_SECRET);
    address internal outsider = someone("outsider");

    function setUp() external {
        vm.warp(GENESIS);
        vm.roll(100);
        dids = new EthereumDIDRegistry();
    }


    function digestOf(bytes memory fields, uint256 nonce, uint256 deadline) internal view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("EthereumDIDRegistry"),
                keccak256("1"),
                block.chainid,
                address(dids)
            )
        );
        bytes32 members = keccak256(bytes.concat(fields, abi.encode(nonce, deadline)));
        return keccak256(abi.encodePacked(hex"1901", domain, members));
    }

    function signed(uint256 secret, bytes memory fields, uint256 nonce, uint256 deadline)
        internal
        view
        returns (bytes memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(secret, digestOf(fields, nonce, deadline));
        return abi.encodePacked(r, s, v);
    }

    function ownerFields(address newOwner) internal view returns (bytes memory) {
        bytes32 kind = keccak256("ChangeOwner(address identity,address newOwner,uint256 nonce,uint256 deadline)");
        return abi.encode(kind, alice, newOwner);
    }

    function notOwners(address owner) internal view returns (bytes memory) {
        return abi.encodeWithSelector(IEthereumDIDRegistry.SignatureNotOwners.selector, owner, alice);
    }

    function lastLog() internal returns (Vm.Log memory) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        return logs[logs.length - 1];
    }


    function test_identityOwner_isTheIdentityUntilItIsChanged() external {
        equal(dids.identityOwner(alice), alice);
        equal(dids.changed(alice), 0);
        vm.prank(alice);
        dids.changeOwner(alice, other);
        equal(dids.identityOwner(alice), other);
        equal(dids.changed(alice), 100);
        vm.prank(other);
        dids.changeOwner(alice, alice);
        equal(dids.identityOwner(alice), alice);
    }

    function test_events_areThoseOfErc1056AndLinkBack() external {
        vm.recordLogs();
        vm.prank(alice);
        dids.changeOwner(alice, alice);
        Vm.Log memory log = lastLog();
        equal(log.topics.length, 2);
        equal(log.topics[0], keccak256("DIDOwnerChanged(address,address,uint256)"));
        equal(log.topics[1], bytes32(uint256(uint160(alice))));
        equal(keccak256(log.data), keccak256(abi.encode(alice, uint256(0))));
        vm.roll(107);
        vm.prank(alice);
        dids.addDelegate(alice, VERI_KEY, other, HOUR);
        log = lastLog();
        equal(log.topics[0], keccak256("DIDDelegateChanged(address,bytes32,address,uint256,uint256)"));
        equal(keccak256(log.data), keccak256(abi.encode(VERI_KEY, other, GENESIS + HOUR, uint256(100))));
        vm.roll(109);
        vm.prank(alice);
        dids.setAttribute(alice, KEY_NAME, KEY, HOUR);
        log = lastLog();
        equal(log.topics[0], keccak256("DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)"));
        equal(log.topics[1], bytes32(uint256(uint160(alice))));
        equal(keccak256(log.data), keccak256(abi.encode(KEY_NAME, KEY, GENESIS + HOUR, uint256(107))));
        vm.prank(alice);
        dids.revokeAttribute(alice, KEY_NAME, KEY);
        log = lastLog();
        equal(keccak256(log.data), keccak256(abi.encode(KEY_NAME, KEY, uint256(0), uint256(109))));
    }

    function test_changes_revertForEverybodyButTheOwner() external {
        bytes memory notOwner = abi.encodeWithSelector(IEthereumDIDRegistry.NotOwner.selector, outsider, alice);
        refused(outsider, notOwner);
        dids.changeOwner(alice, outsider);
        refused(outsider, notOwner);
        dids.addDelegate(alice, VERI_KEY, outsider, HOUR);
        refused(outsider, notOwner);
        dids.revokeDelegate(alice, VERI_KEY, outsider);
        refused(outsider, notOwner);
        dids.setAttribute(alice, KEY_NAME, KEY, HOUR);
        refused(outsider, notOwner);
        dids.revokeAttribute(alice, KEY_NAME, KEY);
    }

    function test_changes_revertForTheFormerOwner() external {
        vm.prank(alice);
        dids.changeOwner(alice, other);
        refused(alice, abi.encodeWithSelector(IEthereumDIDRegistry.NotOwner.selector, alice, alice));
        dids.changeOwner(alice, alice);
    }

    function test_validDelegate_holdsUntilItsValidityIsOverOrRevoked() external {
        no(dids.validDelegate(alice, VERI_KEY, other), "before");
        vm.prank(alice);
        dids.addDelegate(alice, VERI_KEY, other, HOUR);
        yes(dids.validDelegate(alice, VERI_KEY, other), "added");
        no(dids.validDelegate(alice, "sigAuth", other), "another type");
        vm.warp(GENESIS + HOUR - 1);
        yes(dids.validDelegate(alice, VERI_KEY, other), "last second");
        vm.warp(GENESIS + HOUR);
        no(dids.validDelegate(alice, VERI_KEY, other), "over");
        vm.prank(alice);
        dids.addDelegate(alice, VERI_KEY, other, HOUR);
        vm.prank(alice);
        dids.revokeDelegate(alice, VERI_KEY, other);
        no(dids.validDelegate(alice, VERI_KEY, other), "revoked");
    }

    function test_changeOwner_toZeroDeactivatesForGood() external {
        vm.prank(alice);
        dids.addDelegate(alice, VERI_KEY, other, HOUR);
        vm.prank(alice);
        dids.changeOwner(alice, address(0));
        equal(dids.identityOwner(alice), address(0));
        no(dids.validDelegate(alice, VERI_KEY, other), "delegate of nobody");
        bytes memory over = abi.encodeWithSelector(IEthereumDIDRegistry.Deactivated.selector, alice);
        refused(alice, over);
        dids.changeOwner(alice, alice);
        refused(address(0), over);
        dids.setAttribute(alice, KEY_NAME, KEY, HOUR);
        bytes memory signature = signed(SECRET, ownerFields(alice), 0, GENESIS);
        refused(outsider, over);
        dids.changeOwnerSigned(alice, alice, GENESIS, signature);
    }

    function test_validityAndValue_areBounded() external {
        uint256 longest = dids.MAX_VALIDITY_S();
        bytes memory value = new bytes(dids.MAX_VALUE_BYTES());
        vm.prank(alice);
        dids.setAttribute(alice, KEY_NAME, value, longest);
        refused(alice, abi.encodeWithSelector(IEthereumDIDRegistry.ValidityTooLong.selector, longest + 1));
        dids.setAttribute(alice, KEY_NAME, value, longest + 1);
        refused(alice, abi.encodeWithSelector(IEthereumDIDRegistry.ValidityTooLong.selector, type(uint256).max));
        dids.addDelegate(alice, VERI_KEY, other, type(uint256).max);
        bytes memory longer = new bytes(value.length + 1);
        refused(alice, abi.encodeWithSelector(IEthereumDIDRegistry.ValueTooLong.selector, longer.length));
        dids.setAttribute(alice, KEY_NAME, longer, HOUR);
    }


    function test_changeOwnerSigned_takesTheOwnersSignatureOnce() external {
        bytes memory signature = signed(SECRET, ownerFields(other), 0, GENESIS);
        vm.prank(outsider);
        dids.changeOwnerSigned(alice, other, GENESIS, signature);
        equal(dids.identityOwner(alice), other);
        equal(dids.nonce(alice), 1);
        refused(outsider, notOwners(other));
        dids.changeOwnerSigned(alice, other, GENESIS, signature);
        vm.prank(other);
        dids.changeOwner(alice, alice);
        // the nonce outlives the change of hands
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS, signature);
    }

    function test_changeOwnerSigned_revertsAfterTheDeadline() external {
        bytes memory signature = signed(SECRET, ownerFields(other), 0, GENESIS);
        vm.warp(GENESIS + 1);
        refused(
            outsider, abi.encodeWithSelector(IEthereumDIDRegistry.SignatureExpired.selector, GENESIS, GENESIS + 1)
        );
        dids.changeOwnerSigned(alice, other, GENESIS, signature);
        // a later deadline is not what was signed
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS + 9, signature);
    }

    function test_changeOwnerSigned_revertsOnAnotherChainAndContract() external {
        bytes memory signature = signed(SECRET, ownerFields(other), 0, GENESIS);
        uint256 home = block.chainid;
        vm.chainId(home + 1);
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS, signature);
        vm.chainId(home);
        EthereumDIDRegistry copy = new EthereumDIDRegistry();
        refused(outsider, notOwners(alice));
        copy.changeOwnerSigned(alice, other, GENESIS, signature);
        vm.prank(outsider);
        dids.changeOwnerSigned(alice, other, GENESIS, signature);
    }

    function test_changeOwnerSigned_revertsForAnotherSignerNonceOrArgument() external {
        bytes memory foreign = signed(OTHER_SECRET, ownerFields(other), 0, GENESIS);
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS, foreign);
        bytes memory early = signed(SECRET, ownerFields(other), 1, GENESIS);
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS, early);
        bytes memory good = signed(SECRET, ownerFields(other), 0, GENESIS);
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, outsider, GENESIS, good);
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS, "");
        equal(dids.nonce(alice), 0);
    }

    function test_changeOwnerSigned_revertsForTheMirroredSignature() external {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SECRET, digestOf(ownerFields(other), 0, GENESIS));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        bytes memory mirrored = abi.encodePacked(r, bytes32(order - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        refused(outsider, notOwners(alice));
        dids.changeOwnerSigned(alice, other, GENESIS, mirrored);
    }

    function test_signedDelegateAndAttribute_doWhatTheDirectOnesDo() external {
        vm.recordLogs();
        bytes memory fields = abi.encode(
            keccak256(
                "AddDelegate(address identity,bytes32 delegateType,address delegate,uint256 validity,uint256 nonce,uint256 deadline)"
            ),
            alice,
            VERI_KEY,
            other,
            HOUR
        );
        dids.addDelegateSigned(alice, VERI_KEY, other, HOUR, GENESIS, signed(SECRET, fields, 0, GENESIS));
        yes(dids.validDelegate(alice, VERI_KEY, other), "added");
        fields = abi.encode(
            keccak256(
                "RevokeDelegate(address identity,bytes32 delegateType,address delegate,uint256 nonce,uint256 deadline)"
            ),
            alice,
            VERI_KEY,
            other
        );
        dids.revokeDelegateSigned(alice, VERI_KEY, other, GENESIS, signed(SECRET, fields, 1, GENESIS));
        no(dids.validDelegate(alice, VERI_KEY, other), "revoked");
        fields = abi.encode(
            keccak256(
                "SetAttribute(address identity,bytes32 name,bytes value,uint256 validity,uint256 nonce,uint256 deadline)"
            ),
            alice,
            KEY_NAME,
            keccak256(KEY),
            HOUR
        );
        dids.setAttributeSigned(alice, KEY_NAME, KEY, HOUR, GENESIS, signed(SECRET, fields, 2, GENESIS));
        fields = abi.encode(
            keccak256("RevokeAttribute(address identity,bytes32 name,bytes value,uint256 nonce,uint256 deadline)"),
            alice,
            KEY_NAME,
            keccak256(KEY)
        );
        dids.revokeAttributeSigned(alice, KEY_NAME, KEY, GENESIS, signed(SECRET, fields, 3, GENESIS));
        equal(dids.nonce(alice), 4);
        followed(dids, 0, 4);
    }

    function test_signed_acceptsAnOwnerThatIsAContract() external {
        ContractOwner safe = new ContractOwner();
        vm.prank(alice);
        dids.changeOwner(alice, address(safe));
        refused(outsider, notOwners(address(safe)));
        dids.changeOwnerSigned(alice, other, GENESIS, "");
        safe.accept(digestOf(ownerFields(other), 0, GENESIS));
        vm.prank(outsider);
        dids.changeOwnerSigned(alice, other, GENESIS, "");
        equal(dids.identityOwner(alice), other);
    }


    function testFuzz_logHead_followsAttributesOfAnyLength(bytes32 name, bytes calldata value, uint32 validity) external {
        if (value.length > dids.MAX_VALUE_BYTES() || validity > dids.MAX_VALIDITY_S()) return;
        vm.recordLogs();
        vm.prank(alice);
        dids.setAttribute(alice, name, value, validity);
        vm.prank(alice);
        dids.revokeAttribute(alice, name, value);
        followed(dids, 0, 2);
    }

    function test_logHead_hasTheFormulaOfTheInterface() external {
        vm.prank(alice);
        dids.setAttribute(alice, KEY_NAME, KEY, HOUR);
        bytes memory data = abi.encode(KEY_NAME, KEY, GENESIS + HOUR, uint256(0));
        bytes32 topic0 = keccak256("DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)");
        bytes32 entry = keccak256(bytes.concat(topic0, abi.encode(alice), data));
        equal(dids.logHead(), keccak256(abi.encode(bytes32(0), entry)));
    }

    function test_logHead_followsOwnersAndDelegates() external {
        vm.recordLogs();
        vm.prank(alice);
        dids.addDelegate(alice, VERI_KEY, other, HOUR);
        vm.prank(alice);
        dids.revokeDelegate(alice, VERI_KEY, other);
        vm.prank(alice);
        dids.changeOwner(alice, other);
        followed(dids, 0, 3);
    }
}
