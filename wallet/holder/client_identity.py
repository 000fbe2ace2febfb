"""Who this wallet app is to an authorization server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wallet.crypto.keys import SigningKey
from wallet.protocols.oid4vci.client_attestation import (
    ATTESTATION_HEADER,
    ATTESTATION_PROOF_HEADER,
    build_attestation_proof,
)

DEFAULT_REDIRECT_URI: Final = "kr.go.seoul.wallet:/authorized"


@dataclass(frozen=True, slots=True)
class ClientIdentity:
    """The app's client id, where its browser answers come, and its provider's attestation.

    `attestation` and the `instance` key that it attests come from the wallet's provider; without
    them servers that ask for attestation refuse.
    """

    client_id: str = "seoul-wallet"
    redirect_uri: str = DEFAULT_REDIRECT_URI
    attestation: str | None = field(default=None, repr=False)
    instance: SigningKey | None = field(default=None, repr=False)

    def headers(self, audience: str, now: int) -> Mapping[str, str]:
        """Return the attestation headers for the authorization server called `audience`."""
        if self.attestation is None or self.instance is None:
            return {}
        proof = build_attestation_proof(
            self.instance, client_id=self.client_id, audience=audience, issued_at=now
        )
        return {ATTESTATION_HEADER: self.attestation, ATTESTATION_PROOF_HEADER: proof}
