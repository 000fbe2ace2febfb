"""Where a receipt stands after it was signed: in a batch on the chain, and in the agency's log.

This is what an agency answers about an entry of its log, and what a wallet keeps beside it. The
batch's manifest is anchored by digest under the agency's name, so the key that signed it is the
agency's however long its DID document has been gone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from wallet.eligibility.receipts import members
from wallet.eligibility.receipts.members import DecisionReceiptMalformed
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.trust.receipt import MAX_PATH_NODES, AnchorReceipt, parse_receipt

_MEMBERS: Final = frozenset(("state", "anchor", "manifest", "log"))
_PLACE: Final = frozenset(("index", "size", "path"))
_LOG: Final = frozenset(("head", "path"))


class ProofState(StrEnum):
    """How far the batch of a receipt has come. `UNANCHORED`: this agency anchors nothing."""

    UNANCHORED = "unanchored"
    PENDING = "pending"
    INCLUDED = "included"
    FINAL = "final"


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A signed head (compact JWS) and the path to it from the entry, whose own index it says."""

    head: str
    path: tuple[bytes, ...]

    def to_json(self) -> JsonObject:
        """Return the form in which it travels."""
        return {"head": self.head, "path": [base64url.encode(node) for node in self.path]}


@dataclass(frozen=True, slots=True)
class EntryProof:
    """What is known of an entry. `anchor` and `manifest` come with the batch, `log` with the next
    head."""

    state: ProofState
    anchor: AnchorReceipt | None
    manifest: str | None
    log: LogPlace | None

    def to_json(self, *, with_salt: bool) -> JsonObject:
        """Return the form in which it travels; an agency leaves the salt out."""
        anchor: JsonObject | None = None
        if self.anchor is not None:
            anchor = self.anchor.to_json()
            if not with_salt:
                del anchor["salt"]
        return {
            "state": self.state.value,
            "anchor": anchor,
            "manifest": self.manifest,
            "log": None if self.log is None else self.log.to_json(),
        }


def parse_entry_proof(value: object, salt: bytes) -> EntryProof:
    """Return the proof of its JSON form, which has no salt or this one.

    Raises `DecisionReceiptMalformed`, `ReceiptMalformed`, `Base64urlMalformed`. Verifies nothing.
    """
    item = members.check_members(value, _MEMBERS)
    try:
        state = ProofState(item["state"])
    except ValueError:
        raise DecisionReceiptMalformed("the state of a receipt is one of four") from None
    anchor, manifest = item["anchor"], item["manifest"]
    if (anchor is None) != (manifest is None):
        raise DecisionReceiptMalformed("a place in a batch comes with the batch's manifest")
    if manifest is not None and type(manifest) is not str:
        raise DecisionReceiptMalformed("a manifest is a compact JWS")
    return EntryProof(
        state, None if anchor is None else _anchor(anchor, salt), manifest, _log(item["log"])
    )


def _anchor(value: object, salt: bytes) -> AnchorReceipt:
    text = base64url.encode(salt)
    if not isinstance(value, dict):
        raise DecisionReceiptMalformed("a place in a batch is an object")
    if value.get("salt", text) != text:
        raise DecisionReceiptMalformed("the salt is another one")
    members.check_members({**value, "salt": text}, {*_PLACE, "salt"})
    return parse_receipt({**value, "salt": text})


def _log(value: Any) -> LogPlace | None:
    if value is None:
        return None
    item = members.check_members(value, _LOG)
    if type(item["head"]) is not str:
        raise DecisionReceiptMalformed("a head is a compact JWS")
    return LogPlace(item["head"], _path(item["path"]))


def _path(value: object) -> tuple[bytes, ...]:
    if type(value) is not list or len(value) > MAX_PATH_NODES:
        raise DecisionReceiptMalformed(f"a path has at most {MAX_PATH_NODES} nodes")
    nodes: Sequence[Any] = value
    return tuple(members.octets(node, "path") for node in nodes)
