"""The contracts' rules over the contracts' own events, in the order of the chain.

What comes out is what the contracts must hold. An event that the rules do not allow is a
difference: contracts whose code is the pinned code cannot have emitted it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from seoul_wallet.audit.difference import AuditDifference, AuditIncomplete
from seoul_wallet.audit.replay_records import (
    AnchorRecords,
    BoardRecords,
    DidRecords,
    DirectoryRecords,
)
from seoul_wallet.audit.replay_trust import Moment, TrustRecords
from wallet.adapters.evm.blocks import Header, Log
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.events import decode_event

Handler = Callable[[Mapping[str, Any], Moment], None]
# The hand-over of root is OpenZeppelin's: announced, and done by the two role events.
_ANNOUNCEMENTS: Final = frozenset(
    (
        "DefaultAdminTransferScheduled",
        "DefaultAdminTransferCanceled",
        "DefaultAdminDelayChangeScheduled",
        "DefaultAdminDelayChangeCanceled",
    )
)


class Replay:
    """The state that the events lead to. `apply` every log of the deployment, in order."""

    def __init__(self, deployment: Deployment) -> None:
        self._names = {pin.address: name for name, pin in deployment.contracts.items()}
        self.trust = TrustRecords()
        self.anchor = AnchorRecords(self.trust)
        self.boards = BoardRecords()
        self.dids = DidRecords()
        self.directory = DirectoryRecords()
        self.counts: Counter[str] = Counter()
        self._handlers: Mapping[str, Mapping[str, Handler]] = {
            "TrustRegistry": self.trust.handlers(),
            "CredentialAnchor": self.anchor.handlers(),
            "BallotBoard": self.boards.handlers(),
            "EthereumDIDRegistry": self.dids.handlers(),
            "Directory": self.directory.handlers(),
        }

    def apply(self, log: Log, block: Header) -> None:
        """Apply one log. Raises `AuditDifference`, `AuditIncomplete`, `NodeAnswerInvalid`."""
        contract = self._names[log.address]
        event, arguments = decode_event(contract, log)
        handler = self._handlers.get(contract, {}).get(event)
        if handler is None and event not in _ANNOUNCEMENTS:
            raise AuditIncomplete(f"the audit has no rule for the event {event} of {contract}")
        if handler is not None:
            try:
                handler(arguments, Moment(block.number, block.time, log.index))
            except AuditDifference as error:
                raise AuditDifference(
                    f"{contract}, block {log.block_number}, {event}: {error}"
                ) from error
        self.counts[f"{contract}.{event}"] += 1
