"""Cryptosuites that sign statement by statement: named choices over one machinery.

The issuer's base proof is for the holder, who derives proofs of parts for verifiers (ECDSA §3.5,
BBS §3.4). How statements are told apart and found again is `disclosure`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from wallet.credentials.data_integrity.disclosure import (
    Disclosure,
    SignedStatements,
    disclose,
    hash_configuration,
    require_mandatory,
    split_by_pointers,
    split_by_positions,
)
from wallet.credentials.data_integrity.groups import Relabel
from wallet.credentials.data_integrity.proof import Proof
from wallet.credentials.data_integrity.proof_values import HMAC_KEY_BYTES
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.keys import PublicKey
from wallet.encoding.json import JsonObject

K_contra = TypeVar("K_contra", contravariant=True)


class DisclosureSuite(Protocol[K_contra]):
    """A cryptosuite whose base proof is for the holder, who derives proofs of parts."""

    @property
    def name(self) -> str:
        """The value of `cryptosuite`."""

    def sign(
        self,
        document: JsonObject,
        options: JsonObject,
        key: K_contra,
        mandatory_pointers: Sequence[str],
        json_ld: Canonicalizer,
    ) -> tuple[str, bytes]:
        """Return a base proof value for the holder, and the bytes that stand for the issuance.

        Raises `ProofMalformed` when a member that decides validity would not be mandatory, and
        `PointerMalformed`, `KeyNotForCryptosuite`, `UnsupportedForDisclosure`.
        """

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


class BaseValue(Protocol):
    """A parsed base proof value."""

    @property
    def hmac_key(self) -> bytes:
        """The key that the labels of blank nodes are made with."""

    @property
    def mandatory_pointers(self) -> tuple[str, ...]:
        """The pointers of what is always shown."""

    def to_text(self) -> str:
        """Return the multibase text."""


class DerivedValue(Protocol):
    """A parsed derived proof value."""

    @property
    def labels(self) -> Mapping[str, str]:
        """Canonical labels to those that were signed."""

    @property
    def mandatory_indexes(self) -> tuple[int, ...]:
        """Positions of what is always shown."""

    def to_text(self) -> str:
        """Return the multibase text."""


@dataclass(frozen=True, slots=True)
class Signable:
    """What is signed: the hash of the proof configuration, and the statements."""

    configuration_hash: bytes
    statements: SignedStatements


K = TypeVar("K")
B = TypeVar("B", bound=BaseValue)
D = TypeVar("D", bound=DerivedValue)


@dataclass(frozen=True, slots=True)
class StatementSuite(Generic[K, B, D]):
    """A `DisclosureSuite` and a `Cryptosuite`: what differs from suite to suite.

    `relabel` names blank nodes by the HMAC key; `check_key` refuses keys of other kinds before
    anything else is read. `issue` signs (key, what, HMAC key, mandatory pointers) and returns the
    base value and the bytes that stand for the issuance; `show` makes the derived value of what
    is disclosed; `verify_shown` raises, or returns the bytes that stand for the issuance, which
    `signed` gives without verifying.
    """

    name: str
    relabel: Callable[[bytes], Relabel]
    check_key: Callable[[PublicKey], None]
    parse_base: Callable[[str], B]
    parse_derived: Callable[[str], D]
    issue: Callable[[K, Signable, bytes, tuple[str, ...]], tuple[B, bytes]]
    show: Callable[[B, Disclosure], D]
    verify_shown: Callable[[PublicKey, D, Signable], bytes]
    signed: Callable[[D, Signable], bytes]

    def sign(
        self,
        document: JsonObject,
        options: JsonObject,
        key: K,
        mandatory_pointers: Sequence[str],
        json_ld: Canonicalizer,
    ) -> tuple[str, bytes]:
        """See `DisclosureSuite.sign`."""
        require_mandatory(document, mandatory_pointers)
        hmac_key = secrets.token_bytes(HMAC_KEY_BYTES)
        value, data = self.base_value(
            document, options, key, mandatory_pointers, json_ld, hmac_key=hmac_key
        )
        return value.to_text(), data

    def base_value(
        self,
        document: JsonObject,
        options: JsonObject,
        key: K,
        mandatory_pointers: Sequence[str],
        json_ld: Canonicalizer,
        *,
        hmac_key: bytes,
    ) -> tuple[B, bytes]:
        """Return the base value under a given HMAC key, and the bytes that stand for it.

        For published vectors; `sign` draws the key, and sees to it that what decides validity is
        mandatory.
        """
        relabel = self.relabel(hmac_key)
        statements = split_by_pointers(document, mandatory_pointers, relabel, json_ld)
        signable = Signable(hash_configuration(document, options, json_ld), statements)
        return self.issue(key, signable, hmac_key, tuple(mandatory_pointers))

    def derive(
        self,
        document: JsonObject,
        proof: Proof,
        selective_pointers: Sequence[str],
        json_ld: Canonicalizer,
    ) -> JsonObject:
        """See `DisclosureSuite.derive`."""
        base = self.parse_base(proof.proof_value)
        relabel = self.relabel(base.hmac_key)
        shown = disclose(document, base.mandatory_pointers, selective_pointers, relabel, json_ld)
        value = self.show(base, shown)
        return {**shown.revealed, "proof": {**proof.options, "proofValue": value.to_text()}}

    def verify(
        self, document: JsonObject, proof: Proof, key: PublicKey, json_ld: Canonicalizer
    ) -> bytes:
        """See `Cryptosuite.verify`. A base proof is refused: it is for the holder only."""
        self.check_key(key)
        value = self.parse_derived(proof.proof_value)
        return self.verify_shown(key, value, self._signable(document, proof, value, json_ld))

    def peek_signed(self, document: JsonObject, proof: Proof, json_ld: Canonicalizer) -> bytes:
        """See `Cryptosuite.peek_signed`."""
        value = self.parse_derived(proof.proof_value)
        return self.signed(value, self._signable(document, proof, value, json_ld))

    def _signable(
        self, document: JsonObject, proof: Proof, value: D, json_ld: Canonicalizer
    ) -> Signable:
        statements = split_by_positions(document, value.labels, value.mandatory_indexes, json_ld)
        return Signable(hash_configuration(document, proof.options, json_ld), statements)
