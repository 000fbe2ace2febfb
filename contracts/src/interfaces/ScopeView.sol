// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice One period of a right as the views return it.
struct ScopeView {
    // who gave it: the accreditor of an issuer's scope; zero for the scopes that root or a registrar gave
    address accreditor;
    uint40 validFrom;
    uint40 validUntil;
    // 0 while not revoked; the scope is not in force from this second on
    uint40 revokedAt;
}
