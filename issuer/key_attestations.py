"""What the issuer makes of the key attestation in a key proof (OpenID4VCI App. D, HAIP §4.5.1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from wallet.crypto.keys import thumbprint
from wallet.protocols.oid4vci.client_attestation import ProviderNotTrusted, TrustedProviders
from wallet.protocols.oid4vci.key_attestation import (
    KeyAttestationInvalid,
    KeyAttestationsRequired,
    VerifiedKeyAttestation,
    verify_key_attestation,
)
from wallet.protocols.oid4vci.proof import VerifiedKeyProof


@dataclass(frozen=True, slots=True)
class KeyAttestations:
    """Whose attestations count, and whether every key proof must have one.

    Where none is required, one that a known provider signed must still be right: it is a statement
    about this key and this issuance. One of a signer that is not known here says nothing to us,
    and is left aside.
    """

    providers: TrustedProviders = field(default_factory=TrustedProviders)
    required: KeyAttestationsRequired | None = None

    def check(self, proof: VerifiedKeyProof, *, now: int) -> None:
        """Return if the key of a proof is attested as it must be.

        Each proof is for one key, so an attestation of several comes with each of theirs. Raises
        `KeyAttestationInvalid`.
        """
        if proof.key_attestation is None:
            if self.required is not None:
                raise KeyAttestationInvalid("this issuer asks for a key attestation")
            return
        try:
            found = verify_key_attestation(
                proof.key_attestation, providers=self.providers, now=now
            )
        except ProviderNotTrusted as error:
            if self.required is not None:
                raise KeyAttestationInvalid(str(error)) from error
            return
        if thumbprint(proof.key) not in found.keys:
            raise KeyAttestationInvalid("the key attestation is about other keys")
        if found.nonce != proof.nonce:
            raise KeyAttestationInvalid("the key attestation has another nonce than its proof")
        self._check_levels(found)

    def _check_levels(self, found: VerifiedKeyAttestation) -> None:
        if self.required is None:
            return
        for accepted, named in (
            (self.required.key_storage, found.key_storage),
            (self.required.user_authentication, found.user_authentication),
        ):
            if accepted and not set(accepted) & set(named):
                raise KeyAttestationInvalid("the keys are not kept as this issuer asks")
