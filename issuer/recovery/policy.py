"""Which credential types wait when they are issued anew, and how often is too often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from issuer.catalogue import APPROVED_TYPES
from wallet.errors import MalformedError

# Who holds such a request: no operator can have these names, so every operator may decide.
APPROVAL_DESK: Final = "#recovery"
COOLING_OFF_DESK: Final = "#cooling-off"
MAX_COOLING_OFF_S: Final = 30 * 24 * 3600
APPROVAL: Final = "approval"


class RecoveryPolicyMalformed(MalformedError):
    """A policy is neither `approval` nor a number of seconds to wait."""

    code = "recovery_policy_malformed"


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoveryPolicy:
    """What happens before a credential is issued anew, by type (the id of its SD-JWT VC).

    Types in `approval` wait for an operator. Those in `cooling_off_s` wait that many seconds, in
    which an operator may refuse, or approve sooner. All others are issued at once. A key may ask
    `max_acts` times in `window_s` seconds.
    """

    approval: frozenset[str] = APPROVED_TYPES
    cooling_off_s: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    max_acts: int = 60
    window_s: int = 24 * 3600

    def desk_of(self, type_id: str) -> str | None:
        """Return who holds the re-issue of a type, None when nobody does."""
        if type_id in self.approval:
            return APPROVAL_DESK
        return COOLING_OFF_DESK if self.cooling_off_s.get(type_id) else None


def parse_recovery_policy(value: object) -> RecoveryPolicy:
    """Return the policy of a profile: by type `"approval"`, or seconds to wait (0: none).

    Types that it does not name are as by default. Raises `RecoveryPolicyMalformed`.
    """
    if type(value) is not dict:
        raise RecoveryPolicyMalformed("recovery is an object by credential type")
    waits: dict[str, Any] = value
    for name, wait in waits.items():
        if wait != APPROVAL and (type(wait) is not int or not 0 <= wait <= MAX_COOLING_OFF_S):
            raise RecoveryPolicyMalformed(f"{name[:64]}: approval, or seconds to wait")
    asked = {name for name, wait in waits.items() if wait == APPROVAL}
    return RecoveryPolicy(
        approval=frozenset(asked | (APPROVED_TYPES - waits.keys())),
        cooling_off_s=MappingProxyType({n: w for n, w in waits.items() if w != APPROVAL}),
    )
