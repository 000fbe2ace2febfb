"""Anchor receipts of cards: pending, included, final, and undone."""

from typing import Any

import pytest

from tests.support.holder_peers import (
    CARD,
    LETTER,
    Issuer,
    Peers,
    json_of,
    unplugged,
)
from wallet.holder.cards import ReceiptState
from wallet.holder.wallet import Wallet
from wallet.ports.holder import PeerUnreachable


class TestReceipts:
    def test_pending_then_included_then_final(self, wallet: Wallet, issuer: Issuer) -> None:
        wallet.receive(issuer.offer(CARD, LETTER).to_json())
        for state in ("pending", "included", "final"):
            issuer.receipt_state = state
            updates = wallet.update_receipts()
            assert [update.card.receipt_state.value for update in updates] == [state] * 2
            assert [update.error for update in updates] == [None, None]
        assert wallet.update_receipts() == ()
        assert {card.receipt_state for card in wallet.credentials()} == {ReceiptState.FINAL}

    def test_an_anchoring_undone_by_the_chain_is_pending_again(
        self, wallet: Wallet, issuer: Issuer
    ) -> None:
        wallet.receive(issuer.offer().to_json())
        issuer.receipt_state = "included"
        wallet.update_receipts()
        issuer.receipt_state = "pending"
        assert wallet.update_receipts()[0].card.receipt_state is ReceiptState.PENDING

    @pytest.mark.parametrize(
        "answer",
        [
            {"state": "final", "receipt": {"index": 5, "size": 1, "path": []}},
            {"state": "final", "receipt": {"index": 0, "size": 2, "path": []}},
            {"state": "final", "receipt": {"index": 0, "size": 1, "path": ["A" * 43]}},
            {"state": "final", "receipt": None},
            {"state": "certain", "receipt": {"index": 0, "size": 1, "path": []}},
            [],
        ],
    )
    def test_a_receipt_that_leads_nowhere_is_not_stored(
        self, wallet: Wallet, issuer: Issuer, peers: Peers, answer: Any
    ) -> None:
        wallet.receive(issuer.offer().to_json())
        (url,) = (url for url in peers.routes if "/receipts/" in url)
        peers.routes[url] = lambda *_: json_of(answer)
        (update,) = wallet.update_receipts()
        assert update.error is not None
        assert wallet.credentials()[0].receipt_state is ReceiptState.PENDING

    def test_one_failure_does_not_keep_the_others_from_being_asked(
        self, wallet: Wallet, issuer: Issuer, peers: Peers
    ) -> None:
        wallet.receive(issuer.offer(CARD, LETTER).to_json())
        issuer.receipt_state = "final"
        first = next(url for url in peers.routes if "/receipts/" in url)
        peers.before = unplugged(first)
        updates = wallet.update_receipts()
        assert {(update.card.receipt_state.value, type(update.error)) for update in updates} == {
            ("pending", PeerUnreachable),
            ("final", type(None)),
        }
        stored = sorted(card.receipt_state.value for card in wallet.credentials())
        assert stored == ["final", "pending"]
