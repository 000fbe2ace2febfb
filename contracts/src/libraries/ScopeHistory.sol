// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice A period of a right, half-open: in force at t when validFrom <= t < validUntil and
/// (revokedAt == 0 or t < revokedAt). One storage slot.
struct Scope {
    uint40 validFrom;
    uint40 validUntil;
    // 0 while not revoked; otherwise validFrom <= revokedAt < validUntil
    uint40 revokedAt;
    // the mandate the scope was given under (scopes of issuers and of the mandate itself)
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

    /// @notice Thrown when a period is empty: validUntil must be later than validFrom.
    error EmptyPeriod(uint40 validFrom, uint40 validUntil);
    /// @notice Thrown when a period begins in the past: no right is given back in time.
    error BackdatedAccreditation(uint40 validFrom, uint40 blockTime);
    /// @notice Thrown when the newest scope of the same history is still open.
    error ScopeStillOpen(uint32 scopeIndex);
    /// @notice Thrown when there is no such scope.
    error UnknownScope(uint256 scopeIndex);
    /// @notice Thrown when a revocation would take effect later than now.
    error RevocationInFuture(uint40 effectiveAt, uint40 blockTime);
    /// @notice Thrown when a revocation would take effect before its scope began: revoke the
    /// earlier scope by its index.
    error RevocationBeforeScope(uint40 effectiveAt, uint40 validFrom);
    /// @notice Thrown when a revocation would not end the scope earlier than it ends already.
    error RevocationNotEarlier(uint40 effectiveAt, uint40 scopeEnd);

    /// @notice Adds a scope after checking its period.
    /// @param validFrom 0 means now
    /// @return index of the new scope
    /// @return begins when it begins
    function open(History storage self, uint40 validFrom, uint40 validUntil, uint32 mandateId)
        internal
        returns (uint32 index, uint40 begins)
    {
        uint40 time = uint40(block.timestamp);
        begins = validFrom == 0 ? time : validFrom;
        // A back-dated scope could cover again what a back-dated revocation has uncovered.
        if (begins < time) revert BackdatedAccreditation(begins, time);
        if (validUntil <= begins) revert EmptyPeriod(begins, validUntil);
        Scope memory first = self._scopes[0];
        if (first.validUntil != 0) {
            if (isOpen(newest(self), time)) revert ScopeStillOpen(first.newest);
            index = first.newest + 1;
        }
        self._scopes[index] = Scope(begins, validUntil, 0, mandateId, 0);
        if (index != 0) self._scopes[0].newest = index;
    }

    /// @notice Ends a scope earlier; returns from when on it is not in force.
    /// @param effectiveAt 0 means at once, which is the beginning of a scope still to begin
    function revoke(History storage self, uint256 index, uint40 effectiveAt) internal returns (uint40 revokedAt) {
        Scope storage stored = scopeAt(self, index);
        Scope memory scope = stored;
        uint40 time = uint40(block.timestamp);
        uint40 latest = time < scope.validFrom ? scope.validFrom : time;
        revokedAt = effectiveAt == 0 ? latest : effectiveAt;
        if (revokedAt > latest) revert RevocationInFuture(revokedAt, time);
        if (revokedAt < scope.validFrom) revert RevocationBeforeScope(revokedAt, scope.validFrom);
        if (revokedAt >= end(scope)) revert RevocationNotEarlier(revokedAt, end(scope));
        stored.revokedAt = revokedAt;
    }

    /// @notice How many scopes were ever given.
    function count(History storage self) internal view returns (uint256) {
        Scope storage first = self._scopes[0];
        return first.validUntil == 0 ? 0 : uint256(first.newest) + 1;
    }

    /// @notice The index of the newest scope; reverts when there is none.
    function newestIndex(History storage self) internal view returns (uint256) {
        uint256 length = count(self);
        if (length == 0) revert UnknownScope(0);
        return length - 1;
    }

    /// @notice The scope of that index; reverts when there is none.
    function scopeAt(History storage self, uint256 index) internal view returns (Scope storage) {
        if (index >= count(self)) revert UnknownScope(index);
        return self._scopes[index];
    }

    /// @dev Meaningful only while count() > 0; an empty history gives an empty scope.
    function newest(History storage self) internal view returns (Scope storage) {
        return self._scopes[self._scopes[0].newest];
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

    /// @notice True while the scope is in force or still to begin.
    function isOpen(Scope memory scope, uint256 time) internal pure returns (bool) {
        return scope.revokedAt == 0 && time < scope.validUntil;
    }

    /// @notice When the scope ended or will end.
    function end(Scope memory scope) internal pure returns (uint40) {
        return scope.revokedAt == 0 ? scope.validUntil : scope.revokedAt;
    }

    function covers(Scope memory scope, uint256 time) internal pure returns (bool) {
        return scope.validFrom <= time && time < end(scope);
    }
}
