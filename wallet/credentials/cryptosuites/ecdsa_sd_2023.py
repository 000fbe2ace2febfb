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
from wallet.credentials.data_integrity.cryptosuite import hash_for
from wallet.credentials.data_integrity.disclosure import (
    HMAC_KEY_BYTES,
    SignedStatements,
    disclose,
    hash_configuration,
    hash_statements,
    require_mandatory,
    split_by_pointers,
    split_by_positions,
)
from wallet.credentials.data_integrity.groups import hmac_labels
from wallet.credentials.data_integrity.proof import Proof, ProofMalformed
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import EcPublicKey, Es256SigningKey, PublicKey, SigningKey
from wallet.did.did_key import multikey_from_public_key, public_key_from_multikey
from wallet.encoding.json import JsonObject
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

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
        """See `DisclosureSuite.sign`. The bytes are those that `key` signed."""
        require_mandatory(document, mandatory_pointers)
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
        """See `DisclosureSuite.derive`."""
        base = parse_base_proof_value(proof.proof_value)
        shown = disclose(
            document,
            base.mandatory_pointers,
            selective_pointers,
            hmac_labels(base.hmac_key),
            json_ld,
        )
        if len(shown.statements.others) != len(base.signatures):
            raise ProofMalformed("the base proof has not one signature for each statement")
        derived = DerivedProofValue(
            base.base_signature,
            base.public_key,
            tuple(base.signatures[place] for place in shown.chosen),
            shown.labels,
            shown.mandatory_indexes,
        )
        return {**shown.revealed, "proof": {**proof.options, "proofValue": derived.to_text()}}

    def verify(
        self, document: JsonObject, proof: Proof, key: PublicKey, json_ld: Canonicalizer
    ) -> bytes:
        """See `Cryptosuite.verify`. A base proof is refused: it is for the holder only."""
        hash_for(self.name, _HASHES, key.algorithm)
        value = parse_derived_proof_value(proof.proof_value)
        statements = split_by_positions(document, value.labels, value.mandatory_indexes, json_ld)
        if len(statements.others) != len(value.signatures):
            raise ProofMalformed("there is not one signature for each statement")
        data = _signed_data(document, proof.options, value.public_key, statements, json_ld)
        key.verify(value.base_signature, data)
        once = _public_key(value.public_key)
        for line, signature in zip(statements.others, value.signatures, strict=True):
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
    statements = split_by_pointers(document, mandatory_pointers, hmac_labels(hmac_key), json_ld)
    public_key = decode_base58btc(multikey_from_public_key(once.public_key))
    data = _signed_data(document, options, public_key, statements, json_ld)
    value = BaseProofValue(
        key.sign(data),
        public_key,
        hmac_key,
        tuple(once.sign(line.encode("utf-8")) for line in statements.others),
        tuple(mandatory_pointers),
    )
    return value, data


def _signed_data(
    document: JsonObject,
    options: JsonObject,
    public_key: bytes,
    statements: SignedStatements,
    json_ld: Canonicalizer,
) -> bytes:
    configuration = hash_configuration(document, options, json_ld)
    return configuration + public_key + hash_statements(statements.mandatory)


def _public_key(multikey: bytes) -> EcPublicKey:
    key = public_key_from_multikey(encode_base58btc(multikey))
    if not isinstance(key, EcPublicKey) or key.algorithm != "ES256":
        raise ProofMalformed("the key of the statements is on P-256")
    return key


ECDSA_SD_2023: Final = EcdsaSd2023()
