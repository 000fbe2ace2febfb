"""Step 3: the issuer's signature, on the credential or on the manifest of its whole batch."""

from __future__ import annotations

from wallet.errors import SeoulWalletError
from wallet.trust.receipt import RECEIPT_CLAIM
from wallet.verification.evidence import Fact
from wallet.verification.progress import SdJwtProgress
from wallet.verification.proof_steps import verify_credential_signature
from wallet.verification.report import SignatureOn
from wallet.verification.trust_steps import find_batch


def verify_issuer_signature(progress: SdJwtProgress) -> SignatureOn:
    """Step 3. Where anything about the manifest is not as it must be, the credential's own
    signature is verified as if there were no manifest."""
    trust = progress.policy.trust
    if trust is not None and trust.manifest_stands_in and _manifest_covers(progress):
        return SignatureOn.BATCH_MANIFEST
    verify_credential_signature(progress)
    return SignatureOn.CREDENTIAL


def _manifest_covers(progress: SdJwtProgress) -> bool:
    """Tell whether the key of step 2 signed the manifest of a finalized batch with this leaf.

    The receipt is read before the key binding around it is verified: it proves itself, by
    leading from the signed bytes of the credential to the anchored root.
    """
    fact, key = progress.evidence.manifest, progress.key
    if not isinstance(fact, Fact) or key is None or progress.sd_jwt.cosignatures:
        return False
    # Without a key binding to verify, no receipt reaches step 8, which ties batch and claims.
    if not progress.policy.requires_key_binding or progress.sd_jwt.key_binding is None:
        return False
    manifest = fact.value
    # Key objects stay with the document they came in; in another copy they are equal.
    if manifest.key is not key and manifest.key.jwk != key.jwk:
        return False
    try:
        batch, _ = find_batch(progress, progress.binding_claims().get(RECEIPT_CLAIM))
    except SeoulWalletError:
        return False  # step 8 says what is wrong
    return batch.revoked_at is None and manifest.is_of(batch)
