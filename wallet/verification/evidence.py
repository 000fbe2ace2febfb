"""The outside facts that a verification decides on, each with its time or with why it is missing.

Values only; `wallet.evidence.collect` fills them through ports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from wallet.errors import SeoulWalletError, UnavailableError
from wallet.trust.facts import AnchorFacts
from wallet.verification.bitstring_list import VerifiedBitstringList
from wallet.verification.issuer_key import IssuerKeys
from wallet.verification.manifest import VerifiedManifest
from wallet.verification.status import VerifiedStatusList

T_co = TypeVar("T_co", covariant=True)


class FactMissing(UnavailableError):
    """A fact that the check needs was not collected."""

    code = "fact_missing"


@dataclass(frozen=True, slots=True)
class Fact(Generic[T_co]):
    """A value and the time (unix seconds) at which it was true at the source."""

    value: T_co
    as_of: int


Maybe = Fact[T_co] | SeoulWalletError


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found out for one presentation. A missing piece is the error that says why.

    `issuer_keys` is the issuer's DID document or metadata, a key where the caller pinned one, or
    the statement that the credential carries its own certificates. `bitstring_lists` are by URI.
    """

    issuer_keys: Maybe[IssuerKeys]
    anchor: Maybe[AnchorFacts] = field(
        default_factory=lambda: FactMissing("the replica was not asked")
    )
    status_list: Maybe[VerifiedStatusList] = field(
        default_factory=lambda: FactMissing("no status list was fetched")
    )
    manifest: Maybe[VerifiedManifest] = field(
        default_factory=lambda: FactMissing("no batch manifest was fetched")
    )
    bitstring_lists: Mapping[str, Maybe[VerifiedBitstringList]] = field(default_factory=dict)
