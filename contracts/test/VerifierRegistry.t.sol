// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IVerifierRegistry} from "../src/interfaces/IVerifierRegistry.sol";
import {ScopeView} from "../src/interfaces/ScopeView.sol";
import {ScopeHistory} from "../src/libraries/ScopeHistory.sol";
import {World} from "./support/World.sol";

contract VerifierRegistryTest is World {
    bytes32 internal immutable LIBRARY = sha256("did:web:library.seoul.example");
    bytes32 internal immutable PURPOSE = sha256("reduced fee");
    bytes32 internal immutable CLAIMS = sha256('[["children"],["valid_until"]]');

    bytes32 internal service;

    function setUp() public override {
        super.setUp();
        service = registry.serviceIdOf(FAMILY_CARD, PURPOSE, CLAIMS);
    }

    function register(uint40 validFrom, uint40 validUntil) internal {
        vm.prank(registrar);
        registry.registerVerifier(LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS, validFrom, validUntil);
    }

    function test_serviceIdOf_isTheSha256OfTheThreeDigests() external view {
        equal(service, sha256(bytes.concat(FAMILY_CARD, PURPOSE, CLAIMS)));
        yes(service != registry.serviceIdOf(RESIDENCE, PURPOSE, CLAIMS), "schema");
        yes(service != registry.serviceIdOf(FAMILY_CARD, CLAIMS, CLAIMS), "purpose");
        yes(service != registry.serviceIdOf(FAMILY_CARD, PURPOSE, PURPOSE), "claims");
    }

    function test_registerVerifier_opensAHalfOpenWindow() external {
        register(GENESIS + 10, GENESIS + 20);
        no(registry.isRegistered(LIBRARY, service, GENESIS + 9), "before");
        yes(registry.isRegistered(LIBRARY, service, GENESIS + 10), "begins");
        yes(registry.isRegistered(LIBRARY, service, GENESIS + 19), "last second");
        no(registry.isRegistered(LIBRARY, service, GENESIS + 20), "over");
    }

    function test_registerVerifier_coversExactlyThatServiceOfThatVerifier() external {
        register(0, GENESIS + YEAR);
        no(registry.isRegistered(WELFARE, service, GENESIS), "another verifier");
        no(registry.isRegistered(LIBRARY, registry.serviceIdOf(FAMILY_CARD, PURPOSE, PURPOSE), GENESIS), "claims");
    }

    function test_registerVerifier_refusesEverybodyWithoutTheRole() external {
        bytes32 role = registry.REGISTRAR_ROLE();
        address[3] memory callers = [root, accreditor, outsider];
        for (uint256 i = 0; i < callers.length; ++i) {
            refused(callers[i], unauthorized(callers[i], role));
            registry.registerVerifier(LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS, 0, GENESIS + YEAR);
        }
    }

    function test_registerVerifier_refusesAZeroIdentifier() external {
        bytes32[4] memory ids = [LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS];
        for (uint256 i = 0; i < 4; ++i) {
            bytes32[4] memory x = [ids[0], ids[1], ids[2], ids[3]];
            x[i] = 0;
            refused(registrar, abi.encodeWithSelector(IVerifierRegistry.ZeroIdentifier.selector));
            registry.registerVerifier(x[0], x[1], x[2], x[3], 0, GENESIS + YEAR);
        }
    }

    function test_registerVerifier_refusesASecondOpenScopeAndAWrongPeriod() external {
        refused(registrar, abi.encodeWithSelector(ScopeHistory.EmptyPeriod.selector, GENESIS, GENESIS));
        registry.registerVerifier(LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS, 0, GENESIS);
        refused(
            registrar, abi.encodeWithSelector(ScopeHistory.BackdatedAccreditation.selector, GENESIS - 1, GENESIS)
        );
        registry.registerVerifier(LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS, GENESIS - 1, GENESIS + 1);
        register(0, GENESIS + YEAR);
        refused(registrar, abi.encodeWithSelector(ScopeHistory.ScopeStillOpen.selector, 0));
        registry.registerVerifier(LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS, 0, GENESIS + YEAR);
    }

    function test_revokeVerifier_isForRootAndRegistrarsAndMayReachBack() external {
        register(0, GENESIS + YEAR);
        vm.warp(GENESIS + 100);
        refused(outsider, abi.encodeWithSelector(IVerifierRegistry.NotRootNorRegistrar.selector, outsider));
        registry.revokeVerifier(LIBRARY, service, 0);
        vm.prank(registrar);
        registry.revokeVerifier(LIBRARY, service, 0);
        yes(registry.isRegistered(LIBRARY, service, GENESIS + 99), "before");
        no(registry.isRegistered(LIBRARY, service, GENESIS + 100), "revoked");
        vm.prank(root);
        registry.revokeVerifier(LIBRARY, service, GENESIS + 50);
        no(registry.isRegistered(LIBRARY, service, GENESIS + 50), "reached back");
    }

    function test_revokeVerifier_refusesAServiceThatIsNotThere() external {
        refused(registrar, abi.encodeWithSelector(ScopeHistory.UnknownScope.selector, 0));
        registry.revokeVerifier(LIBRARY, service, 0);
        refused(registrar, abi.encodeWithSelector(ScopeHistory.UnknownScope.selector, 3));
        registry.revokeVerifierScope(LIBRARY, service, 3, 0);
    }

    function test_verifierScopes_keepsTheHistory() external {
        register(0, GENESIS + YEAR);
        vm.warp(GENESIS + 100);
        vm.prank(registrar);
        registry.revokeVerifier(LIBRARY, service, 0);
        register(0, GENESIS + 2 * YEAR);
        vm.prank(registrar);
        registry.revokeVerifierScope(LIBRARY, service, 0, GENESIS + 1);
        ScopeView[] memory scopes = registry.verifierScopes(LIBRARY, service);
        equal(scopes.length, 2);
        equal(scopes[0].validFrom, GENESIS);
        equal(scopes[0].validUntil, GENESIS + YEAR);
        equal(scopes[0].revokedAt, GENESIS + 1);
        equal(scopes[1].validFrom, GENESIS + 100);
        equal(scopes[1].validUntil, GENESIS + 2 * YEAR);
        equal(scopes[1].revokedAt, 0);
        equal(scopes[1].accreditor, address(0));
    }

    function test_logHead_followsVerifiers() external {
        bytes32 before = registry.logHead();
        vm.recordLogs();
        register(0, GENESIS + YEAR);
        vm.prank(registrar);
        registry.revokeVerifier(LIBRARY, service, 0);
        followed(registry, before, 2);
    }
}
