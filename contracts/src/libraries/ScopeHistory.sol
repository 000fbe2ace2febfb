// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A period of accreditation, half-open: in force at t when validFrom <= t < validUntil and
/// (revokedAt == 0 or t < revokedAt). One storage slot.
struct Scope {
    uint40 validFrom;
    uint40 validUntil;
    // 0 while not revoked; otherwise validFrom <= revokedAt < validUntil
    uint40 revokedAt;
    // the mandate the scope was given under (scopes of issuers only)
    uint32 mandateId;
    // kept by ScopeHistory in element 0 only: the index of the newest scope
    uint32 newest;
}

/// @title ScopeHistory
/// @notice An append-only list of scopes of which at most one is open, the newest.
/// @dev The index of the newest scope lives in the spare bits of the first one instead of an array
/// length: most histories have a single scope, and then every read and write is one slot.
/// Scopes that ever were in force do not overlap and are in order of time.
library ScopeHistory {
    struct History {
        mapping(uint256 index => Scope) _scopes;
    }

    /// @notice How many scopes were ever given.
    function count(History storage self) internal view returns (uint256) {
        Scope storage first = self._scopes[0];
        return first.validUntil == 0 ? 0 : uint256(first.newest) + 1;
    }

    function scopeAt(History storage self, uint256 index) internal view returns (Scope storage) {
        return self._scopes[index];
    }

    /// @dev Meaningful only while count() > 0; an empty history gives an empty scope.
    function newest(History storage self) internal view returns (Scope storage) {
        return self._scopes[self._scopes[0].newest];
    }

    /// @notice True while the newest scope is in force or still to begin.
    function isOpen(History storage self, uint256 time) internal view returns (bool) {
        Scope storage scope = newest(self);
        return scope.revokedAt == 0 && time < scope.validUntil;
    }

    /// @notice The scope in force at `time`; an empty one (validUntil == 0) when there is none.
    /// @dev Walks the whole history: for views. Of the present only the newest scope can tell,
    /// because it is the only one that can be open.
    function inForceAt(History storage self, uint256 time) internal view returns (Scope memory) {
        for (uint256 i = count(self); i > 0; --i) {
            Scope memory scope = self._scopes[i - 1];
            if (covers(scope, time)) return scope;
        }
        return Scope(0, 0, 0, 0, 0);
    }

    /// @notice Adds a scope and returns its index. The caller has checked that none is open.
    function append(History storage self, uint40 validFrom, uint40 validUntil, uint32 mandateId)
        internal
        returns (uint32 index)
    {
        index = uint32(count(self));
        self._scopes[index] = Scope(validFrom, validUntil, 0, mandateId, 0);
        if (index != 0) self._scopes[0].newest = index;
    }

    /// @notice When the scope ended or will end.
    function end(Scope memory scope) internal pure returns (uint40) {
        return scope.revokedAt == 0 ? scope.validUntil : scope.revokedAt;
    }

    function covers(Scope memory scope, uint256 time) internal pure returns (bool) {
        return scope.validFrom <= time && time < end(scope);
    }
}
