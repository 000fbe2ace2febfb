"""Transactions of one key that survive crashes, reorganisations and fee spikes.

A state machine over the journal. `submit` signs, journals and sends; `advance` compares the
journal with the chain and does what is missing. Neither waits for a block, and both may be
interrupted anywhere and run in several threads and processes at once: what they do twice has no
further effect.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import Web3

from wallet.adapters.evm.fees import Fee, FeeLimits, first_offer, raised_offer
from wallet.adapters.evm.inclusion import Receipt, find_receipt, revert_reason
from wallet.adapters.evm.mempool import Answer, hand_over
from wallet.adapters.evm.node import ask
from wallet.ports.clock import Clock
from wallet.ports.facts import ChainUnavailable
from wallet.ports.ledger import (
    GasPriceAboveLimit,
    LedgerRefused,
    LedgerRound,
    WriterBusy,
    WriterUnfunded,
)
from wallet.ports.outbox import (
    Attempt,
    ContractCall,
    JournalEntry,
    SendingKey,
    SignedTransaction,
    TransactionJournal,
    TransactionState,
)
from wallet.trust.facts import BlockRef

MAX_UNSETTLED: Final = 256
# Nodes keep few transactions of one account that wait for a block.
MAX_WAITING: Final = 16
MAX_FAILURES: Final = 3
TRANSACTION_REFUSED: Final = "transaction_refused"
TRANSACTION_UNDERPRICED: Final = "transaction_underpriced"
_GAS_HEADROOM: Final = 1.25
_LOG: Final = logging.getLogger(__name__)


class PublisherStep(StrEnum):
    """The points between which a publisher may die."""

    JOURNALLED = "journalled"
    SENT = "sent"
    RECORDED = "recorded"
    REPRICED = "repriced"
    LOOKED = "looked"
    INCLUDED = "included"
    SETTLED = "settled"


class Publisher:
    """The transactions of one key.

    `finalized` returns the newest final block. `after_step` is for tests that end the process or
    the node in the middle.
    """

    def __init__(
        self,
        w3: Web3,
        account: LocalAccount,
        *,
        chain_id: int,
        journal: TransactionJournal,
        clock: Clock,
        finalized: Callable[[], BlockRef],
        fees: FeeLimits | None = None,
        after_step: Callable[[PublisherStep], None] | None = None,
    ) -> None:
        self._w3 = w3
        self._account = account
        self._key = SendingKey(chain_id, account.address.lower())
        self._journal = journal
        self._clock = clock
        self._finalized = finalized
        self._fees = FeeLimits() if fees is None else fees
        self._after_step = after_step or (lambda step: None)

    @classmethod
    def from_secret(
        cls,
        w3: Web3,
        secret: bytes,
        *,
        chain_id: int,
        journal: TransactionJournal,
        clock: Clock,
        finalized: Callable[[], BlockRef],
        fees: FeeLimits | None = None,
        after_step: Callable[[PublisherStep], None] | None = None,
    ) -> Publisher:
        """Return the publisher of a 32-byte secp256k1 secret."""
        return cls(
            w3,
            Account.from_key(secret),
            chain_id=chain_id,
            journal=journal,
            clock=clock,
            finalized=finalized,
            fees=fees,
            after_step=after_step,
        )

    @property
    def key(self) -> SendingKey:
        """The key whose transactions these are."""
        return self._key

    def live(self, purpose: str) -> JournalEntry | None:
        """Return the journalled transaction of a purpose that was not lost. Asks no node."""
        return self._journal.live(self._key, purpose)

    def is_undecided(self, purpose: str) -> bool:
        """Whether a transaction of the purpose failed in a block that is not final.

        The chain may take the block back, and the transaction succeed in another.
        """
        return any(
            entry.purpose == purpose and entry.state is TransactionState.FAILED
            for entry in self._journal.unsettled(self._key, limit=MAX_UNSETTLED)
        )

    def submit(self, purpose: str, to: str, data: bytes) -> JournalEntry:
        """Journal and send a call to the contract `to`, once for each purpose.

        `to` is lower-case hex. Once it is journalled it arrives, whatever the node answers now.
        Raises `LedgerRefused` when the call would revert, or did `MAX_FAILURES` times;
        `WriterUnfunded`, `GasPriceAboveLimit`, `WriterBusy` and `ChainUnavailable` when nothing
        was signed; `StorageUnavailable`.
        """
        known = self.live(purpose)
        if known is not None:
            return known
        failures = self._journal.failures(self._key, purpose)
        if len(failures) >= MAX_FAILURES:
            raise LedgerRefused(f"{failures[-1]}, {len(failures)} times")
        waiting = self._waiting()
        call = self._estimated(to, data)
        fee = first_offer(self._fees, self._base_fee())
        self._check_funds([*waiting, (call.gas, fee.max_fee_wei)])
        entry = self._journal.enqueue(
            self._key,
            purpose,
            call,
            lambda nonce: self._sign(nonce, call, fee),
            at_least=self._count("latest"),
            now=self._clock.now(),
        )
        self._after_step(PublisherStep.JOURNALLED)
        try:
            self._send(entry)
        except ChainUnavailable:
            _LOG.warning("a journalled transaction could not be sent yet")
        return entry

    def _waiting(self) -> list[tuple[int, int]]:
        unsettled = self._journal.unsettled(self._key, limit=MAX_UNSETTLED)
        waiting = [
            (entry.call.gas, entry.newest.signed.max_fee_wei)
            for entry in unsettled
            if entry.state is TransactionState.SUBMITTED
        ]
        if len(waiting) >= MAX_WAITING or len(unsettled) >= MAX_UNSETTLED:
            raise WriterBusy("too many transactions are under way")
        return waiting

    def _estimated(self, to: str, data: bytes) -> ContractCall:
        call = {
            "from": self._account.address,
            "to": Web3.to_checksum_address(to),
            "data": Web3.to_hex(data),
        }
        gas = ask(lambda: _whole(self._w3.eth.estimate_gas(call)))  # type: ignore[arg-type]
        return ContractCall(to, data, int(gas * _GAS_HEADROOM))

    def _check_funds(self, offers: Sequence[tuple[int, int]]) -> None:
        balance = ask(lambda: _whole(self._w3.eth.get_balance(self._account.address)))
        if balance < sum(gas * max_fee for gas, max_fee in offers):
            raise WriterUnfunded("the account cannot pay for the transaction")

    def _base_fee(self) -> int:
        return ask(lambda: _whole(self._w3.eth.get_block("latest").get("baseFeePerGas", 0)))

    def _count(self, block: str | int) -> int:
        count = self._w3.eth.get_transaction_count
        return ask(lambda: _whole(count(self._account.address, block)))  # type: ignore[arg-type]

    def _sign(self, nonce: int, call: ContractCall, fee: Fee) -> SignedTransaction:
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self._key.chain_id,
                "nonce": nonce,
                "to": Web3.to_checksum_address(call.to),
                "value": 0,
                "data": call.data,
                "gas": call.gas,
                "maxFeePerGas": fee.max_fee_wei,
                "maxPriorityFeePerGas": fee.tip_wei,
            }
        )
        return SignedTransaction(
            bytes(signed.hash), bytes(signed.raw_transaction), fee.max_fee_wei, fee.tip_wei
        )

    def _send(self, entry: JournalEntry) -> Answer:
        signed = entry.newest.signed
        answer = hand_over(self._w3, signed.raw)
        self._after_step(PublisherStep.SENT)
        if answer in (Answer.TAKEN, Answer.KNOWN):
            self._journal.mark_sent(entry, signed.hash, now=self._clock.now())
            self._after_step(PublisherStep.RECORDED)
        return answer

    def advance(self) -> LedgerRound:
        """Compare the unsettled entries with the chain, and do what is missing.

        With nothing under way no node is asked. Raises `ChainUnavailable`, `StorageUnavailable`;
        what was done until then is on record.
        """
        entries = self._journal.unsettled(self._key, limit=MAX_UNSETTLED)
        if not entries:
            return LedgerRound()
        # The final block is read first: a receipt read later that lies at or below it is final.
        final = self._finalized().number
        mined, pending = self._count("latest"), self._count("pending")
        if mined < self._journal.settled_below(self._key):
            raise ChainUnavailable("the node is behind what was final")
        look = _Look()
        for entry in entries:
            if entry.nonce < mined:
                self._settle(entry, final, look)
            else:
                self._push(entry, look, at_head=entry.nonce == mined, known=entry.nonce < pending)
            self._after_step(PublisherStep.LOOKED)
        return look.round()

    def _settle(self, entry: JournalEntry, final: int, look: _Look) -> None:
        """Record what became of an entry whose nonce the chain has used."""
        receipt = find_receipt(self._w3, [attempt.signed.hash for attempt in entry.attempts])
        if receipt is None:
            self._displaced(entry, final, look)
            return
        settled = receipt.inclusion.block_number <= final
        state = TransactionState.INCLUDED if receipt.succeeded else TransactionState.FAILED
        if state is TransactionState.FAILED and entry.state is not TransactionState.FAILED:
            look.failed += 1
        if settled and receipt.succeeded:
            state = TransactionState.FINAL
        if not settled:
            look.unsettled += 1
        if (state, receipt.inclusion, settled) == (entry.state, entry.inclusion, False):
            return
        self._journal.mark(
            entry,
            state,
            now=self._clock.now(),
            inclusion=receipt.inclusion,
            reason=self._reason(entry, receipt),
            settled=settled,
        )
        self._after_step(PublisherStep.SETTLED if settled else PublisherStep.INCLUDED)

    def _reason(self, entry: JournalEntry, receipt: Receipt) -> str | None:
        if receipt.succeeded:
            return None
        if entry.inclusion == receipt.inclusion and entry.reason is not None:
            return entry.reason
        return revert_reason(self._w3, self._account.address, entry.call, receipt)

    def _displaced(self, entry: JournalEntry, final: int, look: _Look) -> None:
        """Give an entry up once a transaction of somebody else has its nonce for good."""
        if self._count(final) > entry.nonce:
            _LOG.warning("another transaction took nonce %d of the key", entry.nonce)
            self._journal.mark(
                entry, TransactionState.REPLACED, now=self._clock.now(), settled=True
            )
            look.displaced += 1
            return
        self._return_to_submitted(entry, look)
        look.wait_for(entry)

    def _return_to_submitted(self, entry: JournalEntry, look: _Look) -> None:
        if entry.state is not TransactionState.SUBMITTED:
            _LOG.warning("the transaction with nonce %d fell out of the chain", entry.nonce)
            self._journal.mark(entry, TransactionState.SUBMITTED, now=self._clock.now())
            look.orphaned += 1

    def _push(self, entry: JournalEntry, look: _Look, *, at_head: bool, known: bool) -> None:
        """Send again what the node lost, and offer more for what is stuck."""
        self._return_to_submitted(entry, look)
        look.wait_for(entry)
        stuck = self._clock.now() - entry.newest.signed_at >= self._fees.raise_after_s
        # Those behind the first wait for it, unless their own offer is too low as well.
        if stuck and (at_head or entry.newest.signed.max_fee_wei < self._base_fee()):
            entry = self._repriced(entry, look)
        if known and entry.newest.sent_at is not None:
            return
        answer = self._send(entry)
        if answer is Answer.UNDERPRICED and entry.newest.sent_at is None:
            # The node holds another transaction with this nonce, or the base fee has just risen.
            # What was taken once waits for its time instead: a rise may be over soon.
            before = len(entry.attempts)
            entry = self._repriced(entry, look)
            if len(entry.attempts) > before:
                answer = self._send(entry)
        look.note(answer)

    def _repriced(self, entry: JournalEntry, look: _Look) -> JournalEntry:
        """Journal a form of the entry that offers more, within the limit."""
        old: Attempt = entry.newest
        try:
            fee = raised_offer(
                self._fees, Fee(old.signed.max_fee_wei, old.signed.tip_wei), self._base_fee()
            )
        except GasPriceAboveLimit as error:
            look.blocked.add(error.code)
            return entry
        changed = self._journal.add_attempt(
            entry, lambda: self._sign(entry.nonce, entry.call, fee), now=self._clock.now()
        )
        look.repriced += 1
        self._after_step(PublisherStep.REPRICED)
        return changed


def _whole(value: object) -> int:
    """Return a number that a node answered; anything else is no answer."""
    if not isinstance(value, int) or value < 0:
        raise ValueError("not a whole number")
    return value


class _Look:
    """Counts what one look found."""

    def __init__(self) -> None:
        self.unsettled = self.waiting = self.orphaned = self.repriced = 0
        self.failed = self.displaced = 0
        self.since: int | None = None
        self.blocked: set[str] = set()

    def wait_for(self, entry: JournalEntry) -> None:
        self.unsettled += 1
        self.waiting += 1
        self.since = entry.created_at if self.since is None else min(self.since, entry.created_at)

    def note(self, answer: Answer) -> None:
        if answer is Answer.UNFUNDED:
            self.blocked.add(WriterUnfunded.code)
        elif answer is Answer.UNDERPRICED:
            self.blocked.add(TRANSACTION_UNDERPRICED)
        elif answer is Answer.REFUSED:
            self.blocked.add(TRANSACTION_REFUSED)

    def round(self) -> LedgerRound:
        return LedgerRound(
            unsettled=self.unsettled,
            waiting=self.waiting,
            waiting_since=self.since,
            orphaned=self.orphaned,
            repriced=self.repriced,
            failed=self.failed,
            displaced=self.displaced,
            blocked=frozenset(self.blocked),
        )
