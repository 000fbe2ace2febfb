"""ECDSA with selective disclosure (Data Integrity ECDSA Cryptosuites 1.0 §3.5).

The issuer signs every statement with a key of its own, used once. The holder passes on the
statements it chooses with their signatures; those that the issuer made mandatory always go along.
Signatures are the same in every presentation: a holder who shows two verifiers the same credential
can be recognised. Where that matters, use BBS.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallet.credentials.cryptosuites.ecdsa_sd_values import (
    BaseProofValue,
    DerivedProofValue,
    parse_base_proof_value,
    parse_derived_proof_value,
)
from wallet.credentials.data_integrity.cryptosuite import hash_for, with_context
from wallet.credentials.data_integrity.groups import group_statements, hmac_labels
from wallet.credentials.data_integrity.proof import Proof, ProofMalformed
from wallet.credentials.data_integrity.selection import select
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import EcPublicKey, Es256SigningKey, PublicKey, SigningKey
from wallet.did.did_key import multikey_from_public_key, public_key_from_multikey
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

HMAC_KEY_BYTES: Final = 32
# What decides validity must not be withheld, so it has to be mandatory where it is present.
ALWAYS_MANDATORY: Final = (
    "issuer", "validFrom", "validUntil", "issuanceDate", "expirationDate", "credentialStatus",
)  # fmt: skip
_HASHES: Final = {"ES256": sha256}


@dataclass(frozen=True, slots=True)
class EcdsaSd2023:
    """The cryptosuite `ecdsa-sd-2023`; P-256 and SHA-256 throughout."""

    name: str = "ecdsa-sd-2023"

    def sign(
        self,
        document: JsonObject,
        options: JsonObject,
        key: SigningKey,
        mandatory_pointers: Sequence[str],
        json_ld: Canonicalizer,
    ) -> tuple[str, bytes]:
        """Return a base proof value for the holder, and the bytes that `key` signed.

        Raises `ProofMalformed` when a member that decides validity would not be mandatory, and
        `PointerMalformed`, `KeyNotForCryptosuite`, `UnsupportedForDisclosure`.
        """
        for name in ALWAYS_MANDATORY:
            if name in document and not {"", f"/{name}"} & set(mandatory_pointers):
                raise ProofMalformed(f"{name} must be mandatory")
        hmac_key = secrets.token_bytes(HMAC_KEY_BYTES)
        value, data = _sign(
            document, options, key, mandatory_pointers, json_ld, hmac_key,
            Es256SigningKey.generate(),
        )  # fmt: skip
        return value.to_text(), data

    def derive(
        self,
        document: JsonObject,
        proof: Proof,
        selective_pointers: Sequence[str],
        json_ld: Canonicalizer,
    ) -> JsonObject:
        """Return the secured document that shows the mandatory parts and those at the pointers.

        `document` is without proofs, `proof` its base proof. Raises `ProofMalformed`,
        `PointerMalformed` and kin. Does not verify the base proof; verify what comes out.
        """
        base = parse_base_proof_value(proof.proof_value)
        mandatory = base.mandatory_pointers
        combined = [*mandatory, *selective_pointers]
        pointers = {"mandatory": mandatory, "shown": combined}
        grouped = group_statements(document, pointers, hmac_labels(base.hmac_key), json_ld)
        required = set(grouped.groups["mandatory"].matching)
        shown = grouped.groups["shown"]
        signed = [index for index in range(len(grouped.statements)) if index not in required]
        if len(signed) != len(base.signatures):
            raise ProofMalformed("the base proof has not one signature for each statement")
        signatures = dict(zip(signed, base.signatures, strict=True))
        canonical = rdfc.canonicalize(shown.inner).labels
        derived = DerivedProofValue(
            base.base_signature,
            base.public_key,
            tuple(signatures[index] for index in shown.matching if index not in required),
            {label: grouped.labels[node] for node, label in canonical.items()},
            tuple(place for place, index in enumerate(shown.matching) if index in required),
        )
        revealed = select(document, combined)
        return {**revealed, "proof": {**proof.options, "proofValue": derived.to_text()}}

    def verify(
        self, document: JsonObject, proof: Proof, key: PublicKey, json_ld: Canonicalizer
    ) -> bytes:
        """See `Cryptosuite.verify`. A base proof is refused: it is for the holder only."""
        hash_for(self.name, _HASHES, key.algorithm)
        value = parse_derived_proof_value(proof.proof_value)
        canonical = json_ld.canonicalize(document)
        if set(canonical.labels.values()) != value.labels.keys():
            raise ProofMalformed("the label map does not name the blank nodes of the document")
        statements = sorted(rdfc.relabel(line, value.labels) for line in canonical.statements)
        if value.mandatory_indexes[-1] >= len(statements):
            raise ProofMalformed("a mandatory index is behind the last statement")
        required = set(value.mandatory_indexes)
        mandatory = [line for index, line in enumerate(statements) if index in required]
        others = [line for index, line in enumerate(statements) if index not in required]
        if len(others) != len(value.signatures):
            raise ProofMalformed("there is not one signature for each statement")
        data = _signed_data(document, proof.options, value.public_key, mandatory, json_ld)
        key.verify(value.base_signature, data)
        once = _public_key(value.public_key)
        for line, signature in zip(others, value.signatures, strict=True):
            once.verify(signature, line.encode("utf-8"))
        return data


def _sign(
    document: JsonObject,
    options: JsonObject,
    key: SigningKey,
    mandatory_pointers: Sequence[str],
    json_ld: Canonicalizer,
    hmac_key: bytes,
    once: Es256SigningKey,
) -> tuple[BaseProofValue, bytes]:
    hash_for(ECDSA_SD_2023.name, _HASHES, key.algorithm)
    pointers = {"mandatory": mandatory_pointers}
    grouped = group_statements(document, pointers, hmac_labels(hmac_key), json_ld)
    required = set(grouped.groups["mandatory"].matching)
    mandatory = [line for index, line in enumerate(grouped.statements) if index in required]
    public_key = decode_base58btc(multikey_from_public_key(once.public_key))
    data = _signed_data(document, options, public_key, mandatory, json_ld)
    value = BaseProofValue(
        key.sign(data),
        public_key,
        hmac_key,
        tuple(
            once.sign(line.encode("utf-8"))
            for index, line in enumerate(grouped.statements)
            if index not in required
        ),
        tuple(mandatory_pointers),
    )
    return value, data


def _signed_data(
    document: JsonObject,
    options: JsonObject,
    public_key: bytes,
    mandatory: Sequence[str],
    json_ld: Canonicalizer,
) -> bytes:
    if "@context" in options:
        raise ProofMalformed("a proof of this suite has no contexts of its own")
    configuration = json_ld.canonicalize(with_context(options, document)).to_bytes()
    return sha256(configuration) + public_key + sha256("".join(mandatory).encode("utf-8"))


def _public_key(multikey: bytes) -> EcPublicKey:
    key = public_key_from_multikey(encode_base58btc(multikey))
    if not isinstance(key, EcPublicKey) or key.algorithm != "ES256":
        raise ProofMalformed("the key of the statements is on P-256")
    return key


ECDSA_SD_2023: Final = EcdsaSd2023()
