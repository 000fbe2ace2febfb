"""What a verifier accepts. Values with safe defaults; an empty list accepts nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.formats import SD_JWT_VC_FORMAT
from wallet.crypto.certificates import TrustAnchors
from wallet.verification.acting import VerifiedDelegation
from wallet.verification.issuer_key import ALL_KEY_SOURCES, NO_ANCHORS, KeySource

DEFAULT_MAX_REPLICA_AGE_S: Final = 3600
DEFAULT_CLOCK_SKEW_S: Final = 60
DEFAULT_MAX_STATUS_AGE_S: Final = 3600
DEFAULT_MAX_ISSUER_KEYS_AGE_S: Final = 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustPolicy:
    """What the chain's facts must say, and how old they may be (seconds).

    Without a finalized receipt trust is judged at the present; `require_receipt` refuses that.
    `require_status` refuses credentials that name no status list. `manifest_stands_in` lets the
    signed manifest of a finalized batch stand in for the issuer's signature on each credential.
    `epochs` are those in which BBS credentials, which have no status, are taken; none by default.
    """

    require_receipt: bool = False
    require_status: bool = True
    manifest_stands_in: bool = False
    epochs: frozenset[str] = frozenset()
    max_replica_age_s: int = DEFAULT_MAX_REPLICA_AGE_S
    max_status_age_s: int = DEFAULT_MAX_STATUS_AGE_S
    max_issuer_keys_age_s: int = DEFAULT_MAX_ISSUER_KEYS_AGE_S


@dataclass(frozen=True, kw_only=True, slots=True)
class VerificationPolicy:
    """What one verification accepts.

    `accepted_types` are the `vct` values; none given, none accepted. Of the W3C formats it is
    `type_values`: alternatives, each a set of types that must all be there. `format` is the one
    asked for, by its name in OpenID4VP; `pseudonym` asks a BBS credential for the holder's
    pseudonym at this verifier, or in `nym_context` where that is given. `audience` and `nonce` are
    what the key binding must name; both None means that no key binding is asked for. `trust` is
    None only for checks of the proof alone, which give a `VerifiedProof` and never more.
    `key_sources` are the ways in which an issuer's key may be found; certificates must lead to one
    of `trust_anchors`, of which there are none by default. With `delegation` its delegate proves
    possession in the holder's place. `accepts_held_by_guardian` is for whoever checks the
    guardianship too, with `verify_guardianship`: nobody presents for another by default.
    """

    accepted_types: frozenset[str]
    format: str = SD_JWT_VC_FORMAT
    type_values: tuple[tuple[str, ...], ...] = ()
    pseudonym: bool = False
    nym_context: bytes | None = None
    audience: str | None = None
    nonce: str | None = None
    trust: TrustPolicy | None = field(default_factory=TrustPolicy)
    key_sources: frozenset[KeySource] = ALL_KEY_SOURCES
    trust_anchors: TrustAnchors = NO_ANCHORS
    delegation: VerifiedDelegation | None = None
    accepts_held_by_guardian: bool = False
    max_binding_age_s: int = 300
    clock_skew_s: int = DEFAULT_CLOCK_SKEW_S

    def __post_init__(self) -> None:
        if (self.audience is None) != (self.nonce is None):
            raise ValueError("audience and nonce belong together")

    @property
    def requires_key_binding(self) -> bool:
        """Whether the holder must prove possession of the key."""
        return self.nonce is not None
