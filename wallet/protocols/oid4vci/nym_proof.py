"""The key proof of a BBS credential with a pseudonym secret: a registered commitment.

No specification names this; it follows the shape of OpenID4VCI. In place of a key the holder
shows a commitment to its prover_nym with the nym key, and the commitment's own challenge covers
the c_nonce, so that a proof is good once (`wallet.crypto.bbs.registered_nym`). On the wire a proof
is `<c_nonce>.<commitment in base64url>`; a c_nonce has no full stop.

The credential is an object of the members `vct`, `epoch`, `issuer`, `verification_method` (the BBS
key in the issuer's DID document), `claims`, `public_key`, `header`, `signature`,
`signer_nym_entropy`; bytes are base64url. What is signed is `credentials.bbs_nym`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.bbs_nym import MAX_NYM_CLAIMS
from wallet.crypto.bbs.registered_nym import RegisteredCommitment, parse_registered_commitment
from wallet.crypto.bbs.types import (
    BbsPublicKey,
    BbsSignature,
    parse_public_key,
    parse_signature,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError
from wallet.protocols.oid4vci.proof import KeyProofMalformed
from wallet.protocols.oid4vci.token import MAX_NONCE_CHARACTERS
from wallet.protocols.oid4vci.url import Oid4vciMessageMalformed, object_of, text_member

BBS_NYM_ALGORITHM: Final = "BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_"
MAX_MESSAGE_CHARACTERS: Final = 4096
SCALAR_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class NymProof:
    """A commitment in answer to a c_nonce, unverified."""

    c_nonce: str
    commitment: RegisteredCommitment = field(repr=False)

    def to_text(self) -> str:
        """Return the entry of `proofs.bbs_nym`."""
        return f"{self.c_nonce}.{base64url.encode(self.commitment.octets)}"


def parse_nym_proof(text: str) -> NymProof:
    """Return the proof of its text. Raises `KeyProofMalformed`."""
    nonce, separator, encoded = text.rpartition(".")
    if not separator or not 0 < len(nonce) <= MAX_NONCE_CHARACTERS or "." in nonce:
        raise KeyProofMalformed("a bbs_nym proof is a c_nonce, a full stop, a commitment")
    try:
        return NymProof(nonce, parse_registered_commitment(base64url.decode(encoded)))
    except MalformedError as error:
        raise KeyProofMalformed(f"not a commitment: {error}") from error


@dataclass(frozen=True, slots=True)
class NymCredentialMessage:
    """An issued credential as it travels. The entropy makes the holder's nym secret: keep it."""

    vct: str
    epoch: str
    issuer: str
    verification_method: str
    claims: JsonObject = field(repr=False)
    public_key: BbsPublicKey
    signature: BbsSignature = field(repr=False)
    signer_nym_entropy: int = field(repr=False)
    header: bytes = b""

    def to_json(self) -> JsonObject:
        """Return the credential object."""
        return {
            "vct": self.vct,
            "epoch": self.epoch,
            "issuer": self.issuer,
            "verification_method": self.verification_method,
            "claims": self.claims,
            "public_key": base64url.encode(self.public_key.octets),
            "header": base64url.encode(self.header),
            "signature": base64url.encode(self.signature.octets),
            "signer_nym_entropy": base64url.encode(
                self.signer_nym_entropy.to_bytes(SCALAR_BYTES, "big")
            ),
        }


def parse_nym_credential(value: object) -> NymCredentialMessage:
    """Return the credential of its JSON object; whether it verifies is yet to be seen.

    Raises `Oid4vciMessageMalformed`, `Base64urlMalformed`, `PointMalformed`, …
    """
    item = object_of(value, "a BBS credential")
    claims = dict(object_of(item.get("claims"), "claims"))
    if len(claims) > MAX_NYM_CLAIMS:
        raise Oid4vciMessageMalformed(f"at most {MAX_NYM_CLAIMS} claims")
    octets = {
        name: base64url.decode(text_member(item, name, max_characters=MAX_MESSAGE_CHARACTERS))
        for name in ("public_key", "signature", "signer_nym_entropy")
    }
    header = item.get("header", "")
    if type(header) is not str or len(octets["signer_nym_entropy"]) != SCALAR_BYTES:
        raise Oid4vciMessageMalformed("header is a string, and the entropy has 32 bytes")
    return NymCredentialMessage(
        text_member(item, "vct", max_characters=2048),
        text_member(item, "epoch", max_characters=64),
        text_member(item, "issuer", max_characters=2048),
        text_member(item, "verification_method", max_characters=2048),
        claims,
        parse_public_key(octets["public_key"]),
        parse_signature(octets["signature"]),
        int.from_bytes(octets["signer_nym_entropy"], "big"),
        base64url.decode(header),
    )
