"""What the steps of one verification have established so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import SdJwt
from wallet.crypto.keys import PublicKey
from wallet.encoding.json import JsonObject
from wallet.trust.facts import AnchorFacts, BatchFact
from wallet.verification.acting import ActedFor
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.policy import VerificationPolicy


@dataclass(slots=True)
class Progress:
    """What the steps so far have established; each step adds its part."""

    policy: VerificationPolicy
    evidence: Evidence
    now: int
    sd_jwt: SdJwt
    key: PublicKey | None = None
    # the moment whose keys were taken, when that is not the present
    keys_at: int | None = None
    signed_claims: JsonObject = field(default_factory=dict)
    claims: JsonObject = field(default_factory=dict)
    disclosed: tuple[ClaimPath, ...] = ()
    issuer: str = ""
    vct: str = ""
    holder_key: PublicKey | None = None
    acted_for: ActedFor | None = None
    receipt_claim: object = None
    binding: JsonObject = field(default_factory=dict)
    authority_keys: frozenset[bytes] = frozenset()
    anchored_at: int | None = None
    failed: bool = False
    # The chain's facts, once found to be fresh enough.
    anchor: Fact[AnchorFacts] | None = None
    # The batch that the receipt leads to, once found, and the time of the facts that have it.
    batch: tuple[BatchFact, int] | None = None
    _binding_claims: JsonObject | None = None

    def binding_claims(self) -> JsonObject:
        """Return the claims of the key binding, parsed once; whether they are signed is step 7.

        Raises `JsonMalformed`, and `AssertionError` when there is no key binding.
        """
        if self._binding_claims is None:
            if self.sd_jwt.key_binding is None:
                raise AssertionError("there is no key binding")
            self._binding_claims = self.sd_jwt.key_binding.peek_claims()
        return self._binding_claims
