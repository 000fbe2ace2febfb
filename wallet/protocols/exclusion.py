"""What a wallet tells the register of an exclusion group, past the agency that carries it.

A compact JWE (ECDH-ES, A256GCM) for the register's key, of a JSON object: `pseudonym` and `salt`
(base64url, see `wallet.crypto.bbs.linked_nym`) and `agency`, the DID of who may hand it in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.jwe import (
    DecryptionKey,
    EncryptionKey,
    decrypt_jwe,
    encrypt_jwe,
    parse_jwe,
)
from wallet.crypto.bbs.linked_nym import LinkOpening
from wallet.crypto.bbs.types import parse_pseudonym
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import MalformedError

ENCRYPTION: Final = "A256GCM"
MAX_SEALED_BYTES: Final = 4 * 1024
MAX_AGENCY_CHARACTERS: Final = 512


class SealedLinkMalformed(MalformedError):
    """What was sealed for the register is not of its form."""

    code = "sealed_link_malformed"


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """What a wallet sealed: anybody may have."""

    opening: LinkOpening = field(repr=False)
    agency: str


def seal_link(opening: LinkOpening, agency: str, register_key: EncryptionKey) -> str:
    """Return the JWE for the register, to be handed in by `agency` alone."""
    told = {
        "agency": agency,
        "pseudonym": base64url.encode(opening.pseudonym.octets),
        "salt": base64url.encode(opening.salt),
    }
    return encrypt_jwe(to_json(told), register_key, enc=ENCRYPTION)


def open_link(sealed: str, key: DecryptionKey) -> OpenedLink:
    """Return what was sealed. Raises `SealedLinkMalformed`, and as `parse_jwe`, `decrypt_jwe`,
    `parse_pseudonym` do. That the pseudonym is anybody's is yet to be verified."""
    jwe = parse_jwe(sealed, encryptions=(ENCRYPTION,), max_bytes=MAX_SEALED_BYTES)
    told = parse_json_object(decrypt_jwe(jwe, key), max_bytes=MAX_SEALED_BYTES)
    texts = [told.get(name) for name in ("agency", "pseudonym", "salt")]
    if told.keys() != {"agency", "pseudonym", "salt"} or any(
        type(text) is not str or not 0 < len(text) <= MAX_AGENCY_CHARACTERS for text in texts
    ):
        raise SealedLinkMalformed("expected agency, pseudonym and salt")
    pseudonym, salt = (base64url.decode(told[name]) for name in ("pseudonym", "salt"))
    return OpenedLink(LinkOpening(parse_pseudonym(pseudonym), salt), told["agency"])
