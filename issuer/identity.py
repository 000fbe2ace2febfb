"""Who the issuer is: its base URL, the did:web that follows from it, and its signing key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.types import BbsPublicKey
from wallet.crypto.keys import PublicKey, SigningKey
from wallet.did.did_web import did_web_of_url
from wallet.did.document import build_did_document
from wallet.encoding.json import JsonObject
from wallet.trust.identifiers import issuer_id

KEY_FRAGMENT: Final = "key-1"
BBS_FRAGMENT: Final = "bbs-1"


@dataclass(frozen=True, slots=True)
class IssuerIdentity:
    """The issuer as it appears in what it signs.

    `base_url` has no trailing slash; it is the `credential_issuer` of OpenID4VCI, byte for byte.
    It comes from the configuration and never from a request. `bbs_key` is published beside the
    signing key where BBS credentials are issued.
    """

    base_url: str
    key: SigningKey = field(repr=False)
    bbs_key: BbsPublicKey | None = None

    @property
    def path(self) -> str:
        """The path of the base URL: empty, or starting with a slash."""
        return urlsplit(self.base_url).path

    @property
    def did(self) -> str:
        """The did:web whose document this service serves."""
        return did_web_of_url(self.base_url)

    @property
    def verification_method(self) -> str:
        """The DID URL of the key that signs credentials, status lists and manifests."""
        return f"{self.did}#{KEY_FRAGMENT}"

    @property
    def bbs_verification_method(self) -> str:
        """The DID URL of the key that signs BBS credentials."""
        return f"{self.did}#{BBS_FRAGMENT}"

    @property
    def chain_id(self) -> bytes:
        """The 32 bytes under which the issuer stands on the chain."""
        return issuer_id(self.did)

    def did_document(self) -> JsonObject:
        """Return the DID document."""
        keys: dict[str, PublicKey] = {KEY_FRAGMENT: self.key.public_key}
        if self.bbs_key is not None:
            keys[BBS_FRAGMENT] = BbsVerificationKey(self.bbs_key)
        return build_did_document(self.did, keys)

    def bitstring_list_uri(self, list_number: int, purpose: str) -> str:
        """Return the URI of a status list in its W3C form, `revocation` or `suspension`."""
        return f"{self.base_url}/status-lists/{list_number}/{purpose}"

    def status_list_uri(self, list_number: int) -> str:
        """Return the URI of a status list."""
        return f"{self.base_url}/status-lists/{list_number}"
