"""What the cryptosuites with selective disclosure share (ECDSA §3.4, BBS §3.3).

The issuer signs a hash of the statements that are always shown, and the others one by one. A
holder shows a part of the document; positions tell the verifier which statements are which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wallet.credentials.data_integrity.cryptosuite import with_context
from wallet.credentials.data_integrity.groups import Relabel, group_statements
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.selection import select
from wallet.credentials.jsonld import rdfc
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.crypto.hashing import sha256
from wallet.encoding.json import JsonObject

# What decides validity must not be withheld, so it has to be mandatory where it is present.
ALWAYS_MANDATORY: Final = (
    "issuer", "validFrom", "validUntil", "issuanceDate", "expirationDate", "credentialStatus",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedStatements:
    """The statements of a document: those always shown, and those signed one by one."""

    mandatory: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def mandatory_hash(self) -> bytes:
        """The hash of the statements that are always shown."""
        return sha256("".join(self.mandatory).encode("utf-8"))

    @property
    def messages(self) -> tuple[bytes, ...]:
        """The other statements as they are signed, with their line ends."""
        return tuple(line.encode("utf-8") for line in self.others)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a holder shows: the part of the document, and how it fits into the whole.

    `statements` are those of the whole; `chosen` are positions in its `others`. `labels` maps the
    canonical labels of the part to those that were signed; `mandatory_indexes` are positions
    among the statements of the part.
    """

    revealed: JsonObject
    statements: SignedStatements
    chosen: tuple[int, ...]
    labels: Mapping[str, str]
    mandatory_indexes: tuple[int, ...]


def require_mandatory(document: JsonObject, pointers: Sequence[str]) -> None:
    """Refuse pointers that leave out a member that decides validity. Raises `ProofMalformed`."""
    for name in ALWAYS_MANDATORY:
        if name in document and not {"", f"/{name}"} & set(pointers):
            raise ProofMalformed(f"{name} must be mandatory")


def split_by_pointers(
    document: JsonObject, pointers: Sequence[str], relabel: Relabel, json_ld: Canonicalizer
) -> SignedStatements:
    """Return the statements as the issuer signs them. Raises what `group_statements` does."""
    grouped = group_statements(document, {"mandatory": pointers}, relabel, json_ld)
    return _split(grouped.statements, grouped.groups["mandatory"].matching)


def _split(statements: Sequence[str], mandatory: Sequence[int]) -> SignedStatements:
    required = set(mandatory)
    return SignedStatements(
        tuple(line for index, line in enumerate(statements) if index in required),
        tuple(line for index, line in enumerate(statements) if index not in required),
    )


def disclose(
    document: JsonObject,
    mandatory_pointers: Sequence[str],
    selective_pointers: Sequence[str],
    relabel: Relabel,
    json_ld: Canonicalizer,
) -> Disclosure:
    """Return what the pointers disclose of `document`. Raises as `group_statements` does."""
    combined = [*mandatory_pointers, *selective_pointers]
    pointers = {"mandatory": mandatory_pointers, "shown": combined}
    grouped = group_statements(document, pointers, relabel, json_ld)
    mandatory, shown = grouped.groups["mandatory"].matching, grouped.groups["shown"]
    required = set(mandatory)
    others = [index for index in range(len(grouped.statements)) if index not in required]
    position = {index: place for place, index in enumerate(others)}
    canonical = rdfc.canonicalize(shown.inner).labels
    return Disclosure(
        revealed=select(document, combined),
        statements=_split(grouped.statements, mandatory),
        chosen=tuple(position[index] for index in shown.matching if index not in required),
        labels={label: grouped.labels[node] for node, label in canonical.items()},
        mandatory_indexes=tuple(
            place for place, index in enumerate(shown.matching) if index in required
        ),
    )


def split_by_positions(
    document: JsonObject,
    labels: Mapping[str, str],
    mandatory_indexes: Sequence[int],
    json_ld: Canonicalizer,
) -> SignedStatements:
    """Return the statements of a part, as the proof value says that they were signed.

    Raises `ProofMalformed` when labels or positions do not fit the document.
    """
    canonical = json_ld.canonicalize(document)
    if set(canonical.labels.values()) != labels.keys():
        raise ProofMalformed("the label map does not name the blank nodes of the document")
    statements = sorted(rdfc.relabel(line, labels) for line in canonical.statements)
    if mandatory_indexes[-1] >= len(statements):
        raise ProofMalformed("a mandatory index is behind the last statement")
    return _split(statements, mandatory_indexes)


def hash_configuration(document: JsonObject, options: JsonObject, json_ld: Canonicalizer) -> bytes:
    """Return the hash of the proof configuration under the contexts of the document."""
    if "@context" in options:
        raise ProofMalformed("a proof of this suite has no contexts of its own")
    return sha256(json_ld.canonicalize(with_context(options, document)).to_bytes())
