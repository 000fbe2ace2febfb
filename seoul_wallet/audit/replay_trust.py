"""The rules of TrustRegistry: mandates, scopes, suspensions, services and roles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seoul_wallet.audit.difference import ZERO_ADDRESS, expect, require, short
from wallet.crypto.hashing import sha256

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where an event is: its block's number and time, and its place in the block."""

    number: int
    time: int
    log_index: int


@dataclass
class Scope:
    """A period of a right. `revoked_at` is 0 while it is not revoked."""

    accreditor: str
    mandate_id: int
    valid_from: int
    valid_until: int
    revoked_at: int = 0

    @property
    def end(self) -> int:
        """When it ended or will end."""
        return self.revoked_at or self.valid_until

    def covers(self, time: int) -> bool:
        """Tell whether it is in force at a time."""
        return self.valid_from <= time < self.end


class History(list[Scope]):
    """Scopes that are only added, of which at most the newest is open."""

    def add(self, scope: Scope, index: int, subject: str, now: int) -> None:
        """Add a scope under the rules of ScopeHistory.open."""
        expect(subject, "the scope's index", index, len(self))
        require(scope.valid_from >= now, subject, "a scope begins before its own block")
        require(scope.valid_until > scope.valid_from, subject, "a scope is empty")
        if self:
            is_over = self[-1].revoked_at != 0 or now >= self[-1].valid_until
            require(is_over, subject, "a scope was added while the one before was open")
        self.append(scope)

    def revoke(self, index: int, revoked_at: int, subject: str, now: int) -> None:
        """End a scope under the rules of ScopeHistory.revoke."""
        require(0 <= index < len(self), subject, f"scope {index} was revoked and never given")
        scope = self[index]
        require(revoked_at <= max(now, scope.valid_from), subject, "revoked in the future")
        require(revoked_at >= scope.valid_from, subject, "revoked before the scope began")
        require(revoked_at < scope.end, subject, "a revocation moved to a later time")
        scope.revoked_at = revoked_at

    def in_force_at(self, time: int) -> Scope | None:
        """Return the scope in force at a time, as known now."""
        return next((scope for scope in reversed(self) if scope.covers(time)), None)


@dataclass
class Issuer:
    """An issuer's controller and its suspensions, [since, until) with 0 while one lasts."""

    controller: str
    suspensions: list[list[int]] = field(default_factory=list)

    @property
    def is_suspended(self) -> bool:
        """Whether the newest suspension lasts."""
        return bool(self.suspensions) and self.suspensions[-1][1] == 0

    def suspended_at(self, time: int) -> bool:
        """Tell whether a suspension covers a time."""
        return any(
            since <= time and (not until or time < until) for since, until in self.suspensions
        )


class RoleRecords:
    """Who holds which role of an AccessControl contract, and who ever did."""

    def __init__(self) -> None:
        self.held: dict[tuple[bytes, str], bool] = {}

    def granted(self, args: Arguments, block: Moment) -> None:
        key = args["role"], args["account"]
        require(not self.held.get(key, False), args["account"], "a role was given twice")
        self.held[key] = True

    def revoked(self, args: Arguments, block: Moment) -> None:
        key = args["role"], args["account"]
        require(self.held.get(key, False), args["account"], "a role was taken that nobody had")
        self.held[key] = False

    def holders(self, role: bytes) -> list[str]:
        """Return who holds a role."""
        return [account for (of, account), holds in self.held.items() if of == role and holds]


class TrustRecords:
    """What TrustRegistry must hold."""

    def __init__(self) -> None:
        self.mandates: list[tuple[str, bytes]] = []
        self._numbers: dict[tuple[str, bytes], int] = {}
        self.accreditors: dict[tuple[str, bytes], History] = defaultdict(History)
        self.issuer_scopes: dict[tuple[bytes, bytes], History] = defaultdict(History)
        self.issuers: dict[bytes, Issuer] = {}
        self.services: dict[tuple[bytes, bytes], History] = defaultdict(History)
        # schema, purpose and claims of each service
        self.asked: dict[bytes, tuple[bytes, bytes, bytes]] = {}
        self.roles = RoleRecords()

    def handlers(self) -> Mapping[str, Callable[[Arguments, Moment], None]]:
        """Return what to do with each event, by its name."""
        return {
            "AccreditorAccredited": self._accreditor_accredited,
            "AccreditorRevoked": self._accreditor_revoked,
            "IssuerAccredited": self._issuer_accredited,
            "IssuerRevoked": self._issuer_revoked,
            "ControllerChanged": self._controller_changed,
            "IssuerSuspended": self._issuer_suspended,
            "IssuerUnsuspended": self._issuer_unsuspended,
            "VerifierRegistered": self._verifier_registered,
            "VerifierRevoked": self._verifier_revoked,
            "RoleGranted": self.roles.granted,
            "RoleRevoked": self.roles.revoked,
        }

    def mandate_id(self, accreditor: str, schema: bytes) -> int:
        """Return the number of a mandate; 0 if it was never given."""
        return self._numbers.get((accreditor, schema), 0)

    def mandate_in_force(self, mandate_id: int, time: int) -> bool:
        """Tell whether a mandate covers a time, as known now."""
        if not 0 < mandate_id <= len(self.mandates):
            return False
        return self.accreditors[self.mandates[mandate_id - 1]].in_force_at(time) is not None

    def accredited_under(self, issuer: bytes, schema: bytes, time: int) -> int:
        """Return the mandate under which an issuer is accredited at a time; 0 if under none."""
        known = self.issuers.get(issuer)
        if known is None or known.suspended_at(time) or (issuer, schema) not in self.issuer_scopes:
            return 0
        scope = self.issuer_scopes[issuer, schema].in_force_at(time)
        if scope is None or not self.mandate_in_force(scope.mandate_id, time):
            return 0
        return scope.mandate_id

    def _accreditor_accredited(self, args: Arguments, block: Moment) -> None:
        pair = accreditor, _ = args["accreditor"], args["schemaId"]
        if pair not in self._numbers:
            self.mandates.append(pair)
            self._numbers[pair] = len(self.mandates)
        number = self.mandate_id(*pair)
        expect(accreditor, "the mandate's number", args["mandateId"], number)
        scope = Scope(ZERO_ADDRESS, number, args["validFrom"], args["validUntil"])
        self.accreditors[pair].add(scope, args["scopeIndex"], accreditor, block.time)

    def _accreditor_revoked(self, args: Arguments, block: Moment) -> None:
        pair = args["accreditor"], args["schemaId"]
        expect(pair[0], "the mandate's number", args["mandateId"], self.mandate_id(*pair))
        self.accreditors[pair].revoke(args["scopeIndex"], args["revokedAt"], pair[0], block.time)

    def _issuer_accredited(self, args: Arguments, block: Moment) -> None:
        pair = issuer, schema = args["issuerId"], args["schemaId"]
        subject = f"issuer {short(issuer)}"
        mandate_id = args["mandateId"]
        in_force = self.mandate_in_force(mandate_id, block.time)
        require(in_force, subject, "accredited under a mandate that was not in force")
        accreditor, mandated = self.mandates[mandate_id - 1]
        expect(subject, "the schema of its accreditor's mandate", mandated, schema)
        known = self.issuers.setdefault(issuer, Issuer(args["controller"]))
        expect(subject, "the controller", args["controller"], known.controller)
        scope = Scope(accreditor, mandate_id, args["validFrom"], args["validUntil"])
        self.issuer_scopes[pair].add(scope, args["scopeIndex"], subject, block.time)

    def _issuer_revoked(self, args: Arguments, block: Moment) -> None:
        pair = args["issuerId"], args["schemaId"]
        self.issuer_scopes[pair].revoke(
            args["scopeIndex"], args["revokedAt"], f"issuer {short(pair[0])}", block.time
        )

    def _controller_changed(self, args: Arguments, block: Moment) -> None:
        issuer = self._known(args["issuerId"])
        subject = f"issuer {short(args['issuerId'])}"
        expect(subject, "the controller before", args["previousController"], issuer.controller)
        issuer.controller = args["controller"]

    def _issuer_suspended(self, args: Arguments, block: Moment) -> None:
        issuer, subject = self._known(args["issuerId"]), f"issuer {short(args['issuerId'])}"
        require(not issuer.is_suspended, subject, "suspended twice")
        place = args["suspensionIndex"], args["since"]
        expect(subject, "the suspension", place, (len(issuer.suspensions), block.time))
        issuer.suspensions.append([block.time, 0])

    def _issuer_unsuspended(self, args: Arguments, block: Moment) -> None:
        issuer, subject = self._known(args["issuerId"]), f"issuer {short(args['issuerId'])}"
        require(issuer.is_suspended, subject, "a suspension was lifted that was not there")
        place = args["suspensionIndex"], args["until"]
        expect(subject, "the suspension", place, (len(issuer.suspensions) - 1, block.time))
        issuer.suspensions[-1][1] = block.time

    def _known(self, issuer: bytes) -> Issuer:
        require(issuer in self.issuers, f"issuer {short(issuer)}", "it was never accredited")
        return self.issuers[issuer]

    def _verifier_registered(self, args: Arguments, block: Moment) -> None:
        verifier, service = args["verifierId"], args["serviceId"]
        subject = f"verifier {short(verifier)}"
        parts = args["schemaId"], args["purposeDigest"], args["claimsDigest"]
        expect(subject, "the service's identifier", service, sha256(b"".join(parts)))
        self.asked[service] = parts
        scope = Scope(ZERO_ADDRESS, 0, args["validFrom"], args["validUntil"])
        self.services[verifier, service].add(scope, args["scopeIndex"], subject, block.time)

    def _verifier_revoked(self, args: Arguments, block: Moment) -> None:
        pair = args["verifierId"], args["serviceId"]
        self.services[pair].revoke(
            args["scopeIndex"], args["revokedAt"], f"verifier {short(pair[0])}", block.time
        )
