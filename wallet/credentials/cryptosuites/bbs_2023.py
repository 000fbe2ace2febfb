"""BBS with selective disclosure (Data Integrity BBS Cryptosuites 1.0 §3.4), baseline feature.

The issuer signs all statements at once; the holder proves that it has such a signature on the
statements it shows. Two derived proofs share nothing that tells whether they are of one
credential: beware of what is in the statements themselves. Holder binding and pseudonyms of the
specification (other headers of the proof value) are refused: their wire format is older than the
drafts that `wallet.crypto.bbs` follows.
"""

from __future__ import annotations

import hmac
from typing import Final

from wallet.credentials.cryptosuites.bbs_values import (
    BaseProofValue,
    DerivedProofValue,
    parse_base_proof_value,
    parse_derived_proof_value,
)
from wallet.credentials.data_integrity.cryptosuite import KeyNotForCryptosuite
from wallet.credentials.data_integrity.disclosure import Disclosure
from wallet.credentials.data_integrity.groups import shuffled_labels
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.statement_suite import Signable, StatementSuite
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.proofs import ProofStatement, derive_proof, verify_proof
from wallet.crypto.bbs.signatures import sign
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.crypto.keys import PublicKey
from wallet.errors import RejectedError

_NAME: Final = "bbs-2023"
BbsSuite = StatementSuite[BbsSecretKey, BaseProofValue, DerivedProofValue]


class PresentationHeaderMismatch(RejectedError):
    """The BBS proof was made for another presentation header than is expected."""

    code = "presentation_header_mismatch"


def bbs_2023(presentation_header: bytes | None = None) -> BbsSuite:
    """Return the cryptosuite `bbs-2023` over BLS12-381-SHA-256.

    With a `presentation_header` derived proofs are made for it and only those for it verify;
    without, they are made for the empty one and any verifies (a replay is then the business of
    the presentation around it, with its challenge).
    """

    def show(base: BaseProofValue, shown: Disclosure) -> DerivedProofValue:
        return _show(base, shown, presentation_header or b"")

    def verify(key: PublicKey, value: DerivedProofValue, signable: Signable) -> bytes:
        found = value.presentation_header
        if presentation_header is not None and not hmac.compare_digest(found, presentation_header):
            raise PresentationHeaderMismatch("the proof is for another presentation header")
        return _verify(key, value, signable)

    return StatementSuite(
        name=_NAME,
        relabel=shuffled_labels,
        check_key=_check_key,
        parse_base=parse_base_proof_value,
        parse_derived=parse_derived_proof_value,
        issue=_issue,
        show=show,
        verify_shown=verify,
        signed=lambda _, signable: _header(signable),
    )


def _check_key(key: PublicKey) -> None:
    if not isinstance(key, BbsVerificationKey):
        raise KeyNotForCryptosuite(f"{_NAME} does not sign with {key.algorithm}")


def _issue(
    key: BbsSecretKey, signable: Signable, hmac_key: bytes, pointers: tuple[str, ...]
) -> tuple[BaseProofValue, bytes]:
    header = _header(signable)
    signature = sign(key, signable.statements.messages, header=header)
    return BaseProofValue(signature, header, key.public_key, hmac_key, pointers), header


def _show(
    base: BaseProofValue, shown: Disclosure, presentation_header: bytes
) -> DerivedProofValue:
    proof = derive_proof(
        base.public_key,
        base.signature,
        shown.statements.messages,
        shown.chosen,
        header=base.header,
        presentation_header=presentation_header,
    )
    return DerivedProofValue(
        proof, shown.labels, shown.mandatory_indexes, shown.chosen, presentation_header
    )


def _verify(key: PublicKey, value: DerivedProofValue, signable: Signable) -> bytes:
    """Verify, and return the header of the issuer's signature.

    What the issuer signed includes statements that are not shown; the header has the hashes of
    the proof configuration and of what is mandatory.
    """
    if not isinstance(key, BbsVerificationKey):
        raise KeyNotForCryptosuite(f"{_NAME} does not sign with {key.algorithm}")
    messages, header = signable.statements.messages, _header(signable)
    if len(messages) != len(value.selective_indexes):
        raise ProofMalformed("there is not one index for each statement")
    statement = ProofStatement(
        public_key=key.key,
        # How many messages were signed is part of what the proof proves.
        message_count=len(messages) + len(value.proof.m_hats),
        disclosed=tuple(zip(value.selective_indexes, messages, strict=True)),
        header=header,
        presentation_header=value.presentation_header,
    )
    verify_proof(value.proof, statement)
    return header


def _header(signable: Signable) -> bytes:
    return signable.configuration_hash + signable.statements.mandatory_hash


BBS_2023: Final = bbs_2023()
