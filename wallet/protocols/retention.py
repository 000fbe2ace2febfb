"""For how long a verifier says that it keeps what it is shown, in `verifier_info`.

The verifier's own word, signed with its request: it is shown before consent, kept in the log, and
what a deletion request can later be measured by.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from wallet.encoding.json import JsonObject

INFO_FORMAT: Final = "urn:seoul-wallet:retention:1"
MAX_RETENTION_DAYS: Final = 36_525


def retention_info(days: int) -> JsonObject:
    """Return the entry of `verifier_info`; 0 days: nothing is kept beyond the decision."""
    if not 0 <= days <= MAX_RETENTION_DAYS:
        raise ValueError(f"days are 0 to {MAX_RETENTION_DAYS}")
    return {"format": INFO_FORMAT, "data": {"days": days}}


def retention_days(verifier_info: Iterable[JsonObject]) -> int | None:
    """Return the longest time that a request names, None if it names none; never raises."""
    told = []
    for info in verifier_info:
        data: Any = info.get("data")
        days = data.get("days") if isinstance(data, dict) else None
        if info.get("format") != INFO_FORMAT or type(days) is not int:
            continue
        if 0 <= days <= MAX_RETENTION_DAYS:
            told.append(days)
    return max(told, default=None)
