"""The proofs on a document: parsed, bounded, and put in relation to each other (§2.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.vcdm.fields import MAX_ENTRIES, parse_date_time, parse_url
from wallet.did.syntax import DidUrl, parse_did_url
from wallet.encoding.json import JsonObject
from wallet.errors import MalformedError, RejectedError, UnsupportedError

MAX_PROOFS: Final = 16
MAX_PROOF_VALUE_CHARACTERS: Final = 256 * 1024
MAX_TEXT_CHARACTERS: Final = 2048
PROOF_TYPE: Final = "DataIntegrityProof"
_MEMBERS: Final = frozenset(
    (
        "@context", "challenge", "created", "cryptosuite", "domain", "expires", "id", "nonce",
        "previousProof", "proofPurpose", "proofValue", "type", "verificationMethod",
    )
)  # fmt: skip


class ProofMalformed(MalformedError):
    """A Data Integrity proof that is not of its form, or none where one belongs."""

    code = "proof_malformed"


class UnsupportedCryptosuite(UnsupportedError):
    """A proof type or cryptosuite that is not implemented, or not accepted here."""

    code = "unsupported_cryptosuite"


class ProofChainBroken(RejectedError):
    """`previousProof` names a proof that is not there, itself, or goes in a circle."""

    code = "proof_chain_broken"


@dataclass(frozen=True, slots=True)
class Proof:
    """A parsed, unverified proof. `options` is the proof as it came, without `proofValue`.

    Times are unix seconds. `domains` and `previous` are empty when the member is absent.
    """

    value: JsonObject
    options: JsonObject
    proof_value: str
    id: str | None
    cryptosuite: str
    verification_method: DidUrl
    purpose: str
    created: int | None
    expires: int | None
    challenge: str | None
    domains: tuple[str, ...]
    previous: tuple[str, ...]


def parse_proof(value: object) -> Proof:
    """Return one proof. Raises `ProofMalformed`, `UnsupportedCryptosuite`, `DidMalformed`, …

    Members that Data Integrity does not define are refused: no suite would say what they mean.
    """
    if type(value) is not dict:
        raise ProofMalformed("a proof is an object")
    if value.get("type") != PROOF_TYPE:
        raise UnsupportedCryptosuite(f"expected a proof of type {PROOF_TYPE}")
    if value.keys() - _MEMBERS:
        raise ProofMalformed("a proof has a member that is not defined")
    options = {name: item for name, item in value.items() if name != "proofValue"}
    return Proof(
        value=value,
        options=options,
        proof_value=_text(value, "proofValue", MAX_PROOF_VALUE_CHARACTERS),
        id=parse_url(value["id"], "proof.id") if "id" in value else None,
        cryptosuite=_text(value, "cryptosuite"),
        verification_method=parse_did_url(value.get("verificationMethod")),
        purpose=_text(value, "proofPurpose"),
        created=_time(value, "created"),
        expires=_time(value, "expires"),
        challenge=_text(value, "challenge") if "challenge" in value else None,
        domains=_texts(value, "domain"),
        previous=_texts(value, "previousProof"),
    )


def _text(value: JsonObject, name: str, limit: int = MAX_TEXT_CHARACTERS) -> str:
    text = value.get(name)
    if type(text) is not str or not 0 < len(text) <= limit:
        raise ProofMalformed(f"{name} is a string of 1 to {limit} characters")
    return text


def _texts(value: JsonObject, name: str) -> tuple[str, ...]:
    if name not in value:
        return ()
    item = value[name]
    texts = item if type(item) is list else [item]
    if not 0 < len(texts) <= MAX_ENTRIES:
        raise ProofMalformed(f"{name} is a string, or 1 to {MAX_ENTRIES}")
    return tuple(_text({name: text}, name) for text in texts)


def _time(value: JsonObject, name: str) -> int | None:
    return parse_date_time(value[name], name) if name in value else None


def parse_proofs(document: JsonObject) -> tuple[Proof, ...]:
    """Return the proofs of a secured document, whose chain hangs together.

    Raises what `parse_proof` raises, and `ProofChainBroken`.
    """
    value = document.get("proof")
    values = value if type(value) is list else [value]
    if not values or len(values) > MAX_PROOFS or value is None:
        raise ProofMalformed(f"a secured document has 1 to {MAX_PROOFS} proofs")
    proofs = tuple(parse_proof(item) for item in values)
    _check_chain(proofs)
    return proofs


def _check_chain(proofs: Sequence[Proof]) -> None:
    by_id = {proof.id: proof for proof in proofs if proof.id is not None}
    if len(by_id) != sum(proof.id is not None for proof in proofs):
        raise ProofChainBroken("two proofs have one id")
    for proof in proofs:
        if len(set(proof.previous)) != len(proof.previous):
            raise ProofChainBroken("previousProof names a proof twice")
        for previous in proof.previous:
            if previous not in by_id:
                raise ProofChainBroken("previousProof names a proof that is not there")
    settled: set[str] = set()
    pending = [proof for proof in proofs if proof.previous]
    settled.update(proof.id for proof in proofs if proof.id is not None and not proof.previous)
    while pending:
        ready = [proof for proof in pending if settled.issuperset(proof.previous)]
        if not ready:
            raise ProofChainBroken("previousProof goes in a circle")
        settled.update(proof.id for proof in ready if proof.id is not None)
        pending = [proof for proof in pending if proof not in ready]


def document_for(
    document: Mapping[str, Any], previous: Sequence[str], proofs: Sequence[Proof]
) -> JsonObject:
    """Return what a proof covers: the document with only the proofs that it builds on (§4.5).

    A proof that builds on none covers the document without `proof`.
    """
    covered = {name: value for name, value in document.items() if name != "proof"}
    if previous:
        covered["proof"] = [proof.value for proof in proofs if proof.id in previous]
    return covered
