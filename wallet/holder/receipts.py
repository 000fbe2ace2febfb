"""Fetching the anchor receipts of what the wallet holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import SeoulWalletError
from wallet.holder.answers import JSON, AnswerUnexpected, check_reachable
from wallet.holder.cards import Card, HeldCredential, HeldCredentials, ReceiptState
from wallet.ports.holder import HolderTransport, HttpAnswer, StoreDamaged
from wallet.protocols.oid4vci.credential import CredentialAnchor
from wallet.trust.receipt import AnchorReceipt, parse_receipt

MAX_RECEIPT_BYTES: Final = 16 * 1024


@dataclass(frozen=True, slots=True)
class ReceiptUpdate:
    """What asking for one card's receipt gave: the card as it is now, or also why it did not."""

    card: Card
    error: SeoulWalletError | None = None


def update_receipts(
    credentials: HeldCredentials, transport: HolderTransport
) -> tuple[ReceiptUpdate, ...]:
    """Ask for every receipt that is not final yet and store what is new.

    A failure is told for its card and does not keep the others from being asked. A receipt is
    stored when it leads from this credential's own leaf to some root; whether that root is on the
    chain is for verifiers, who follow it.
    """
    updates = []
    for held in credentials.all():
        if held.anchor is None or held.receipt_state is ReceiptState.FINAL:
            continue
        try:
            updates.append(ReceiptUpdate(_update(held, held.anchor, credentials, transport)))
        except StoreDamaged:
            raise
        except SeoulWalletError as error:
            updates.append(ReceiptUpdate(held.card(), error))
    return tuple(updates)


def _update(
    held: HeldCredential,
    anchor: CredentialAnchor,
    credentials: HeldCredentials,
    transport: HolderTransport,
) -> Card:
    answer = transport.get(anchor.receipt_uri, accept=JSON)
    check_reachable(answer, what="the receipt")
    if answer.status in (202, 404):
        # Not anchored yet, or anchored and undone by a reorganisation of the chain.
        state, receipt = ReceiptState.PENDING, None
    else:
        state, receipt = _read(held, anchor, answer)
    if (state, receipt) != (held.receipt_state, held.receipt):
        held = held.with_receipt(state, receipt)
        credentials.update(held)
    return held.card()


def _read(
    held: HeldCredential, anchor: CredentialAnchor, answer: HttpAnswer
) -> tuple[ReceiptState, AnchorReceipt]:
    if answer.status != 200 or answer.content_type != JSON:
        raise AnswerUnexpected(f"the receipt was answered with status {answer.status}")
    value = parse_json_object(answer.body, max_bytes=MAX_RECEIPT_BYTES)
    state, body = value.get("state"), value.get("receipt")
    if state not in (ReceiptState.INCLUDED.value, ReceiptState.FINAL.value):
        raise AnswerUnexpected("the receipt is in a state that this wallet does not know")
    members: JsonObject = body if isinstance(body, dict) else {}
    receipt = parse_receipt({**members, "salt": base64url.encode(anchor.salt)})
    signed_input = held.contents().signed_input
    if signed_input is not None:
        receipt.root_for(signed_input())
    return ReceiptState(state), receipt
