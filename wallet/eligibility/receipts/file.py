"""A receipt as a file, and checking one offline, years later.

The file has the agency's receipt, the holder's countersignature, the place in the anchored batch
with its manifest, the place in the agency's log, the key that the wallet found in the agency's DID
document, and the salts. It has nothing of what was shown: commitments open only for who still has
that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from wallet.crypto.keys import PublicKey, parse_jwk
from wallet.crypto.merkle import InclusionProofInvalid
from wallet.eligibility.receipts import members
from wallet.eligibility.receipts.log import verify_entry, verify_log_head
from wallet.eligibility.receipts.members import DecisionReceiptMalformed
from wallet.eligibility.receipts.own import check_commitments, verify_countersignature
from wallet.eligibility.receipts.proof import EntryProof, parse_entry_proof
from wallet.eligibility.receipts.statement import (
    MAX_EVIDENCE,
    RECEIPT_SCHEMA,
    DecisionReceipt,
    Shown,
    verify_decision_receipt,
)
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import RejectedError, SeoulWalletError, UnavailableError
from wallet.trust.facts import AnchorFacts, BatchFact, IssuerNotAccredited
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import batch_leaf
from wallet.verification.manifest import BatchManifestInvalid, verify_manifest
from wallet.verification.trust_steps import AnchorNotFinal, BatchRevoked

FORMAT: Final = "seoul-wallet-receipt-1"
MAX_FILE_BYTES: Final = 256 * 1024
_MEMBERS: Final = frozenset(
    ("format", "issuer", "key", "receipt", "countersignature", "anchor_salt", "salts", "proof")
)


class CountersignatureMissing(RejectedError):
    """The holder has not countersigned: the receipt is the agency's word alone."""

    code = "countersignature_missing"


@dataclass(frozen=True, slots=True)
class ReceiptFile:
    """What a receipt file holds, unverified. `key` is the agency's public key as a JWK."""

    issuer: str
    key: PublicKey
    receipt: str
    countersignature: str | None
    anchor_salt: bytes
    salts: Mapping[str, bytes]
    proof: EntryProof | None

    def to_json(self) -> JsonObject:
        """Return the file's JSON."""
        return {
            "format": FORMAT,
            "issuer": self.issuer,
            "key": self.key.jwk,
            "receipt": self.receipt,
            "countersignature": self.countersignature,
            "anchor_salt": base64url.encode(self.anchor_salt),
            "salts": {name: base64url.encode(salt) for name, salt in self.salts.items()},
            "proof": None if self.proof is None else self.proof.to_json(with_salt=True),
        }


def parse_receipt_file(data: bytes) -> ReceiptFile:
    """Return what a receipt file holds. Verifies nothing.

    Raises `DecisionReceiptMalformed`, `ReceiptMalformed`, `KeyMalformed`, `UnsupportedKey`,
    `JsonMalformed`, `Base64urlMalformed`.
    """
    item = members.check_members(parse_json_object(data, max_bytes=MAX_FILE_BYTES), _MEMBERS)
    if item["format"] != FORMAT:
        raise DecisionReceiptMalformed(f"expected the format {FORMAT}")
    countersignature = item["countersignature"]
    if type(item["receipt"]) is not str or type(countersignature) not in (str, type(None)):
        raise DecisionReceiptMalformed("receipt and countersignature are compact JWS")
    salt = members.octets(item["anchor_salt"], "anchor_salt")
    return ReceiptFile(
        members.text(item["issuer"], "issuer"),
        parse_jwk(item["key"]),
        item["receipt"],
        countersignature,
        salt,
        parse_salts(item["salts"]),
        None if item["proof"] is None else parse_entry_proof(item["proof"], salt),
    )


def parse_salts(value: object) -> dict[str, bytes]:
    """Return the salts of a receipt by the id of the evidence.

    Raises `DecisionReceiptMalformed`, `Base64urlMalformed`.
    """
    if type(value) is not dict or len(value) > MAX_EVIDENCE:
        raise DecisionReceiptMalformed(f"there are at most {MAX_EVIDENCE} salts")
    return {members.text(name, "id"): members.octets(salt, "salt") for name, salt in value.items()}


@dataclass(frozen=True, slots=True)
class CheckedStep:
    """One check: passed with `error` None, failed with it, or not made, for the reason `open`."""

    name: str
    error: SeoulWalletError | None = None
    open: str | None = None


@dataclass(frozen=True, slots=True)
class ReceiptReport:
    """What came of checking a file. `receipt` is None unless the agency's signature is good;
    `anchored_at` is block time, unix seconds, None unless the batch was found."""

    steps: tuple[CheckedStep, ...]
    receipt: DecisionReceipt | None
    anchored_at: int | None

    @property
    def failure(self) -> SeoulWalletError | None:
        """The error that decides: the first verdict, else the first unavailability."""
        errors = [step.error for step in self.steps if step.error is not None]
        verdicts = [error for error in errors if not isinstance(error, UnavailableError)]
        return next(iter(verdicts or errors), None)


# Why a step was not made; the texts are the command line's.
NOT_SHOWN: Final = "not_shown"
NO_FACTS: Final = "no_facts"
NO_LOG: Final = "no_log"


def check_receipt_file(
    file: ReceiptFile,
    *,
    facts: AnchorFacts | None = None,
    root: bytes | None = None,
    shown: Mapping[str, Shown] | None = None,
) -> ReceiptReport:
    """Check a file against finalized facts of the chain, or against a root known from elsewhere.

    `facts` are those of a replica for the agency, the receipt schema and the root that the file
    leads to (see `file_root`); they alone can tell about accreditation, at the time of anchoring,
    and whose key it is. `shown` opens the commitments. Raises nothing for a bad file: see
    `ReceiptReport`.
    """
    run = _Run(file, facts, root, shown)
    steps = [
        run.step("agency_signature", run.agency),
        run.step("holder_signature", run.holder),
        run.step("commitments", run.commitments),
        run.step("anchored", run.anchored),
        run.step("agency_key", run.agency_key),
        run.step("accreditation", run.accreditation),
        run.step("log", run.log),
    ]
    return ReceiptReport(tuple(steps), run.receipt, run.anchored_at)


def file_root(file: ReceiptFile) -> bytes:
    """Return the batch root that the file leads to.

    Raises `AnchorNotFinal` when it has no place in a batch, `InclusionProofInvalid`. Whether the
    root is anchored is for `check_receipt_file`.
    """
    if file.proof is None or file.proof.anchor is None:
        raise AnchorNotFinal("the file has no place in an anchored batch")
    return file.proof.anchor.root_for(file.receipt.rpartition(".")[0].encode("ascii", "replace"))


class _Run:
    def __init__(
        self,
        file: ReceiptFile,
        facts: AnchorFacts | None,
        root: bytes | None,
        shown: Mapping[str, Shown] | None,
    ) -> None:
        self._file, self._facts, self._root, self._shown = file, facts, root, shown
        self.receipt: DecisionReceipt | None = None
        self.anchored_at: int | None = None
        self._countersigned_by: str | None = None

    @staticmethod
    def step(name: str, act: Callable[[], str | None]) -> CheckedStep:
        try:
            return CheckedStep(name, None, act())
        except SeoulWalletError as error:
            return CheckedStep(name, error)

    def agency(self) -> None:
        file = self._file
        self.receipt = verify_decision_receipt(file.receipt, issuer=file.issuer, keys=file.key)

    def _verified(self) -> DecisionReceipt:
        if self.receipt is None:
            raise DecisionReceiptMalformed("the agency's signature is not good")
        return self.receipt

    def holder(self) -> None:
        receipt, signed = self._verified(), self._file.countersignature
        if signed is None or receipt.holder is None:
            raise CountersignatureMissing("the holder has not countersigned")
        self._countersigned_by = verify_countersignature(receipt, signed).holder

    def commitments(self) -> str | None:
        if self._shown is None:
            return NOT_SHOWN
        check_commitments(
            self._verified(), self._shown, self._file.salts, holder=self._countersigned_by
        )
        return None

    def anchored(self) -> None:
        root = file_root(self._file)
        if self._root is not None and self._root != root:
            raise InclusionProofInvalid("the receipt leads to another root")
        if self._facts is not None:
            self.anchored_at = self._batch(root).anchored_at
        elif self._root is None:
            raise AnchorNotFinal("there are no facts of the chain, and no root, to check against")

    def _batch(self, root: bytes) -> BatchFact:
        batch = None if self._facts is None else self._facts.batch
        if batch is None or batch.root != root:
            raise AnchorNotFinal("the batch is not among the finalized facts of this agency")
        anchor = None if self._file.proof is None else self._file.proof.anchor
        if anchor is None or batch.size != anchor.size:
            raise InclusionProofInvalid("the batch has another size than the receipt says")
        ids = issuer_id(self._file.issuer), schema_id(RECEIPT_SCHEMA)
        if (batch.issuer_id, batch.schema_id) != ids:
            raise InclusionProofInvalid("the batch is of another agency or another type")
        if batch.revoked_at is not None:
            raise BatchRevoked(f"the batch was withdrawn at {batch.revoked_at}")
        return batch

    def agency_key(self) -> str | None:
        # The manifest's digest is anchored in the agency's name: who signed it is the agency.
        if self._facts is None:
            return NO_FACTS
        batch, manifest = self._batch(file_root(self._file)), self._manifest()
        verified = verify_manifest(
            manifest.encode("ascii", "replace"),
            issuer=self._file.issuer,
            issuer_keys=self._file.key,
            now=batch.anchored_at,
        )
        if not verified.is_of(batch):
            raise BatchManifestInvalid("the manifest is not the one that was anchored")
        return None

    def _manifest(self) -> str:
        proof = self._file.proof
        if proof is None or proof.manifest is None:
            raise AnchorNotFinal("the file has no manifest")
        return proof.manifest

    def accreditation(self) -> str | None:
        if self._facts is None:
            return NO_FACTS
        if not self._facts.accredited(self._batch(file_root(self._file)).anchored_at):
            raise IssuerNotAccredited("the agency was not accredited when it anchored the batch")
        return None

    def log(self) -> str | None:
        receipt, proof = self._verified(), self._file.proof
        if proof is None or proof.log is None:
            return NO_LOG
        head = verify_log_head(proof.log.head, issuer=receipt.issuer, keys=self._file.key)
        leaf = batch_leaf(self._file.anchor_salt, receipt.signing_input)
        verify_entry(head, leaf, receipt.log_index, proof.log.path)
        return None
