"""ECDSA with selective disclosure (Data Integrity ECDSA Cryptosuites 1.0 §3.5).

The issuer signs every statement with a key of its own, used once. The holder passes on the
statements it chooses with their signatures; those that the issuer made mandatory always go along.
Signatures are the same in every presentation: a holder who shows two verifiers the same credential
can be recognised. Where that matters, use BBS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from wallet.credentials.cryptosuites.ecdsa_sd_values import (
    BaseProofValue,
    DerivedProofValue,
    parse_base_proof_value,
    parse_derived_proof_value,
)
from wallet.credentials.data_integrity.cryptosuite import hash_for
from wallet.credentials.data_integrity.disclosure import Disclosure
from wallet.credentials.data_integrity.groups import hmac_labels
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.statement_suite import Signable, StatementSuite
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import EcPublicKey, Es256SigningKey, PublicKey, SigningKey
from wallet.did.did_key import multikey_from_public_key, public_key_from_multikey
from wallet.encoding.multibase import decode_base58btc, encode_base58btc

_NAME: Final = "ecdsa-sd-2023"
_HASHES: Final = {"ES256": sha256}
EcdsaSdSuite = StatementSuite[SigningKey, BaseProofValue, DerivedProofValue]


def _check_key(key: PublicKey | SigningKey) -> None:
    hash_for(_NAME, _HASHES, key.algorithm)


def _issue(
    key: SigningKey,
    signable: Signable,
    hmac_key: bytes,
    pointers: tuple[str, ...],
    new_key: Callable[[], Es256SigningKey] = Es256SigningKey.generate,
) -> tuple[BaseProofValue, bytes]:
    _check_key(key)
    once = new_key()
    public_key = decode_base58btc(multikey_from_public_key(once.public_key))
    data = _signed_data(signable, public_key)
    signatures = tuple(once.sign(message) for message in signable.statements.messages)
    return BaseProofValue(key.sign(data), public_key, hmac_key, signatures, pointers), data


def _show(base: BaseProofValue, shown: Disclosure) -> DerivedProofValue:
    if len(shown.statements.others) != len(base.signatures):
        raise ProofMalformed("the base proof has not one signature for each statement")
    return DerivedProofValue(
        base.base_signature,
        base.public_key,
        tuple(base.signatures[place] for place in shown.chosen),
        shown.labels,
        shown.mandatory_indexes,
    )


def _verify(key: PublicKey, value: DerivedProofValue, signable: Signable) -> bytes:
    messages = signable.statements.messages
    if len(messages) != len(value.signatures):
        raise ProofMalformed("there is not one signature for each statement")
    data = _signed_data(signable, value.public_key)
    key.verify(value.base_signature, data)
    once = _public_key(value.public_key)
    for message, signature in zip(messages, value.signatures, strict=True):
        once.verify(signature, message)
    return data


def _signed_data(signable: Signable, public_key: bytes) -> bytes:
    return signable.configuration_hash + public_key + signable.statements.mandatory_hash


def _public_key(multikey: bytes) -> EcPublicKey:
    key = public_key_from_multikey(encode_base58btc(multikey))
    if not isinstance(key, EcPublicKey) or key.algorithm != "ES256":
        raise ProofMalformed("the key of the statements is on P-256")
    return key


# P-256 and SHA-256 throughout.
ECDSA_SD_2023: Final[EcdsaSdSuite] = StatementSuite(
    name=_NAME,
    relabel=hmac_labels,
    check_key=_check_key,
    parse_base=parse_base_proof_value,
    parse_derived=parse_derived_proof_value,
    issue=_issue,
    show=_show,
    verify_shown=_verify,
    signed=lambda value, signable: _signed_data(signable, value.public_key),
)
