// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {CredentialAnchor} from "../../src/CredentialAnchor.sol";
import {TrustRegistry} from "../../src/TrustRegistry.sol";
import {Checks} from "./Checks.sol";

/// @notice A trust registry and an anchor with one accreditor, suspender and registrar, and one
/// issuer accredited for a year. Everybody is synthetic.
abstract contract World is Checks {
    uint40 internal constant GENESIS = 2_000_000_000;
    uint40 internal constant YEAR = 365 days;
    uint48 internal constant HAND_OVER_DELAY_S = 3 days;
    bytes32 internal constant ROOT_ROLE = 0;

    bytes32 internal immutable FAMILY_CARD = sha256("https://seoul.example/vct/family-card");
    bytes32 internal immutable RESIDENCE = sha256("https://seoul.example/vct/residence");
    bytes32 internal immutable WELFARE = sha256("did:web:welfare.seoul.example");
    bytes32 internal immutable YOUTH = sha256("did:web:youth.seoul.example");
    bytes32 internal immutable MANIFEST = sha256("manifest");

    address internal root = someone("root");
    address internal accreditor = someone("accreditor");
    address internal suspender = someone("suspender");
    address internal registrar = someone("registrar");
    address internal controller = someone("controller");
    address internal outsider = someone("outsider");

    TrustRegistry internal registry;
    CredentialAnchor internal anchor;

    function setUp() public virtual {
        vm.warp(GENESIS);
        registry = new TrustRegistry(HAND_OVER_DELAY_S, root);
        anchor = new CredentialAnchor(registry);
        grant(registry.SUSPENDER_ROLE(), suspender);
        grant(registry.REGISTRAR_ROLE(), registrar);
        mandate(accreditor, FAMILY_CARD);
        mandate(accreditor, RESIDENCE);
        accredit(WELFARE, FAMILY_CARD);
    }

    function grant(bytes32 role, address account) internal {
        vm.prank(root);
        registry.grantRole(role, account);
    }

    function mandate(address account, bytes32 schemaId) internal {
        vm.prank(root);
        registry.accreditAccreditor(account, schemaId, 0, uint40(block.timestamp) + 10 * YEAR);
    }

    function accredit(bytes32 issuerId, bytes32 schemaId) internal {
        vm.prank(accreditor);
        registry.accreditIssuer(issuerId, controller, schemaId, 0, uint40(block.timestamp) + YEAR);
    }

    function suspend(bytes32 issuerId) internal {
        vm.prank(suspender);
        registry.suspendIssuer(issuerId);
    }

    function unsuspend(bytes32 issuerId) internal {
        vm.prank(root);
        registry.unsuspendIssuer(issuerId);
    }

    function anchorRoot(bytes32 batchRoot, uint64 size) internal {
        vm.prank(controller);
        anchor.anchorBatch(WELFARE, FAMILY_CARD, batchRoot, size, MANIFEST);
    }

    function accredited(uint256 time) internal view returns (bool) {
        return registry.isAccredited(WELFARE, FAMILY_CARD, uint40(time));
    }

    function unauthorized(address account, bytes32 role) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("AccessControlUnauthorizedAccount(address,bytes32)", account, role);
    }
}
