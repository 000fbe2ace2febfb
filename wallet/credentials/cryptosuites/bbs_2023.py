"""BBS with selective disclosure (Data Integrity BBS Cryptosuites 1.0 §3.4), baseline feature.

The issuer signs all statements at once; the holder proves that it has such a signature on the
statements it shows. Two derived proofs share nothing that tells whether they are of one
credential: beware of what is in the statements themselves. Holder binding and pseudonyms of the
specification (other headers of the proof value) are refused: their wire format is older than the
drafts that `wallet.crypto.bbs` follows.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wallet.credentials.cryptosuites.bbs_values import (
    BaseProofValue,
    DerivedProofValue,
    parse_base_proof_value,
    parse_derived_proof_value,
)
from wallet.credentials.data_integrity.cryptosuite import KeyNotForCryptosuite
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
from wallet.credentials.data_integrity.groups import shuffled_labels
from wallet.credentials.data_integrity.proof import Proof, ProofMalformed
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.proofs import ProofStatement, derive_proof, verify_proof
from wallet.crypto.bbs.signatures import sign
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.crypto.keys import PublicKey
from wallet.encoding.json import JsonObject
from wallet.errors import RejectedError


class PresentationHeaderMismatch(RejectedError):
    """The BBS proof was made for another presentation header than is expected."""

    code = "presentation_header_mismatch"


@dataclass(frozen=True, slots=True)
class Bbs2023:
    """The cryptosuite `bbs-2023` over BLS12-381-SHA-256.

    With a `presentation_header` derived proofs are made for it and only those for it verify;
    without, they are made for the empty one and any verifies (a replay is then the business of
    the presentation around it, with its challenge).
    """

    name: str = "bbs-2023"
    presentation_header: bytes | None = None

    def sign(
        self,
        document: JsonObject,
        options: JsonObject,
        key: BbsSecretKey,
        mandatory_pointers: Sequence[str],
        json_ld: Canonicalizer,
    ) -> tuple[str, bytes]:
        """See `DisclosureSuite.sign`. The bytes are the header of the signature."""
        require_mandatory(document, mandatory_pointers)
        hmac_key = secrets.token_bytes(HMAC_KEY_BYTES)
        value = _sign(document, options, key, mandatory_pointers, json_ld, hmac_key)
        return value.to_text(), value.header

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
            shuffled_labels(base.hmac_key),
            json_ld,
        )
        presentation_header = self.presentation_header or b""
        value = DerivedProofValue(
            derive_proof(
                base.public_key,
                base.signature,
                _messages(shown.statements),
                shown.chosen,
                header=base.header,
                presentation_header=presentation_header,
            ),
            shown.labels,
            shown.mandatory_indexes,
            shown.chosen,
            presentation_header,
        )
        return {**shown.revealed, "proof": {**proof.options, "proofValue": value.to_text()}}

    def verify(
        self, document: JsonObject, proof: Proof, key: PublicKey, json_ld: Canonicalizer
    ) -> bytes:
        """See `Cryptosuite.verify`. A base proof is refused: it is for the holder only.

        What the issuer signed includes statements that are not shown, so the header of its
        signature is returned: the hashes of the proof configuration and of what is mandatory.
        """
        if not isinstance(key, BbsVerificationKey):
            raise KeyNotForCryptosuite(f"{self.name} does not sign with {key.algorithm}")
        value = parse_derived_proof_value(proof.proof_value)
        expected = self.presentation_header
        if expected is not None and not hmac.compare_digest(value.presentation_header, expected):
            raise PresentationHeaderMismatch("the proof is for another presentation header")
        statements = split_by_positions(document, value.labels, value.mandatory_indexes, json_ld)
        shown = _messages(statements)
        if len(shown) != len(value.selective_indexes):
            raise ProofMalformed("there is not one index for each statement")
        header = _header(document, proof.options, statements, json_ld)
        statement = ProofStatement(
            public_key=key.key,
            # How many messages were signed is part of what the proof proves.
            message_count=len(shown) + len(value.proof.m_hats),
            disclosed=tuple(zip(value.selective_indexes, shown, strict=True)),
            header=header,
            presentation_header=value.presentation_header,
        )
        verify_proof(value.proof, statement)
        return header


def _sign(
    document: JsonObject,
    options: JsonObject,
    key: BbsSecretKey,
    mandatory_pointers: Sequence[str],
    json_ld: Canonicalizer,
    hmac_key: bytes,
) -> BaseProofValue:
    relabel = shuffled_labels(hmac_key)
    statements = split_by_pointers(document, mandatory_pointers, relabel, json_ld)
    header = _header(document, options, statements, json_ld)
    return BaseProofValue(
        sign(key, _messages(statements), header=header),
        header,
        key.public_key,
        hmac_key,
        tuple(mandatory_pointers),
    )


def _header(
    document: JsonObject,
    options: JsonObject,
    statements: SignedStatements,
    json_ld: Canonicalizer,
) -> bytes:
    configuration = hash_configuration(document, options, json_ld)
    return configuration + hash_statements(statements.mandatory)


def _messages(statements: SignedStatements) -> list[bytes]:
    return [line.encode("utf-8") for line in statements.others]


BBS_2023: Final = Bbs2023()
