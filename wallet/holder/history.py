"""The history of what was presented: searched, shown with what came of it, exported."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wallet.encoding.json import JsonObject, to_json
from wallet.holder.decision_records import FollowUp
from wallet.holder.log import LogEntry, LogOutcome, PresentationLog
from wallet.holder.recovery import ExportExists, ExportUnavailable

EXPORT_FORMAT: Final = "urn:seoul-wallet:history:1"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One presentation with what came after it."""

    entry: LogEntry
    follow_up: FollowUp

    def to_json(self) -> JsonObject:
        """Return the entry as it is exported; of the claims their places, never their values."""
        entry, after = self.entry, self.follow_up
        return {
            "id": entry.id,
            "at": entry.at,
            "verifier": entry.verifier,
            "verifier_name": entry.verifier_name,
            "purpose": entry.purpose,
            "registration": entry.registration,
            "certificate": entry.certificate,
            "retention_days": entry.retention_days,
            "outcome": entry.outcome.value,
            "cards": [
                {
                    "card_id": card.card_id,
                    "type": card.vct,
                    "claims": [list(path) for path in card.paths],
                    "for_another": card.for_another,
                }
                for card in entry.cards
            ],
            "receipt": after.receipt,
            "withdrawal": after.withdrawal,
            "deletion": after.deletion,
        }

    def matches(self, words: str) -> bool:
        """Return whether every word is somewhere in it, whatever its case."""
        entry = self.entry
        texts = [entry.verifier, entry.verifier_name, entry.purpose, entry.outcome.value]
        for card in entry.cards:
            texts += [card.vct, *("/".join(map(str, path)) for path in card.paths)]
        haystack = "\n".join(texts).casefold()
        return all(word in haystack for word in words.casefold().split())


class History:
    """The presentation log, for its holder. `follow_up` says what came after an entry, by id."""

    def __init__(
        self,
        log: PresentationLog,
        follow_up: Callable[[str], FollowUp],
    ) -> None:
        self._log = log
        self._follow_up = follow_up

    def entries(
        self,
        search: str = "",
        *,
        since: int | None = None,
        until: int | None = None,
        outcome: LogOutcome | None = None,
    ) -> tuple[HistoryEntry, ...]:
        """Return what was presented, the oldest first.

        `search` are words in verifier, purpose, card type, claims or outcome; `since` and `until`
        are unix seconds, the first inclusive. Asks nobody.
        """
        found = (
            HistoryEntry(entry, self._follow_up(entry.id))
            for entry in self._log.entries()
            if (since is None or since <= entry.at)
            and (until is None or entry.at < until)
            and (outcome is None or entry.outcome is outcome)
        )
        return tuple(item for item in found if item.matches(search))

    def export(self, path: str | Path, search: str = "") -> int:
        """Write the history to a new file that only its owner reads; return how many entries.

        JSON, in the clear: whoever has the file knows where the holder was. Raises
        `ExportExists`, `ExportUnavailable`.
        """
        found = self.entries(search)
        document = {"format": EXPORT_FORMAT, "entries": [item.to_json() for item in found]}
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(to_json(document))
        except FileExistsError:
            raise ExportExists("there is a file at this place already") from None
        except OSError as error:
            raise ExportUnavailable("the history cannot be written just now") from error
        return len(found)
