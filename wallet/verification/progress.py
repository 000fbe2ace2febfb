"""What the steps of one verification have established so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.jose import CompactJws
from wallet.credentials.sd_jwt import SdJwt
from wallet.crypto.keys import PublicKey
from wallet.encoding.json import JsonObject
from wallet.trust.facts import AnchorFacts, BatchFact
from wallet.trust.receipt import RECEIPT_CLAIM
from wallet.verification.acting import ActedFor
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.policy import VerificationPolicy


@dataclass(slots=True, kw_only=True)
class Progress:
    """What the steps so far have established; each step adds its part.

    `signed_input` are the bytes that the issuer signed, and that are anchored. `vct` is the type
    by which the issuer is accredited, whatever the format. `status` is a Status List claim,
    `statuses` are those of a `credentialStatus`.
    """

    policy: VerificationPolicy
    evidence: Evidence
    now: int
    key: PublicKey | None = None
    # the moment whose keys were taken, when that is not the present
    keys_at: int | None = None
    signed_input: bytes = b""
    claims: JsonObject = field(default_factory=dict)
    disclosed: tuple[ClaimPath, ...] = ()
    issuer: str = ""
    vct: str = ""
    types: frozenset[str] = frozenset()
    status: object = None
    statuses: tuple[JsonObject, ...] = ()
    holder_key: PublicKey | None = None
    acted_for: ActedFor | None = None
    receipt_claim: object = None
    binding: JsonObject = field(default_factory=dict)
    # of a BBS credential: the epoch that it ends with, and the holder's pseudonym
    epoch: str | None = None
    pseudonym: bytes | None = None
    authority_keys: frozenset[bytes] = frozenset()
    anchored_at: int | None = None
    failed: bool = False
    # The chain's facts, once found to be fresh enough.
    anchor: Fact[AnchorFacts] | None = None
    # The batch that the receipt leads to, once found, and the time of the facts that have it.
    batch: tuple[BatchFact, int] | None = None

    @property
    def format(self) -> str:
        """The format that was asked for."""
        return self.policy.format

    def named_receipt(self) -> object:
        """Return the receipt that the presentation names, before anything of it is verified.

        None without one; also raises `JsonMalformed`.
        """
        return None


@dataclass(slots=True, kw_only=True)
class JwsProgress(Progress):
    """That of a credential which is a JWS."""

    jws: CompactJws


@dataclass(slots=True, kw_only=True)
class SdJwtProgress(JwsProgress):
    """That of an SD-JWT VC."""

    sd_jwt: SdJwt
    signed_claims: JsonObject = field(default_factory=dict)
    known_binding_claims: JsonObject | None = None

    def binding_claims(self) -> JsonObject:
        """Return the claims of the key binding, parsed once; whether they are signed is step 7.

        Raises `JsonMalformed`, and `AssertionError` when there is no key binding.
        """
        if self.known_binding_claims is None:
            if self.sd_jwt.key_binding is None:
                raise AssertionError("there is no key binding")
            self.known_binding_claims = self.sd_jwt.key_binding.peek_claims()
        return self.known_binding_claims

    def named_receipt(self) -> object:
        """See `Progress.named_receipt`."""
        if self.sd_jwt.key_binding is None:
            return None
        return self.binding_claims().get(RECEIPT_CLAIM)
