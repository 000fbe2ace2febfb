"""For how long a verifier says that it keeps what it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from wallet.protocols.retention import MAX_RETENTION_DAYS, retention_days, retention_info


@pytest.mark.parametrize("days", [0, 1, 365, MAX_RETENTION_DAYS])
def test_what_is_said_is_read(days: int) -> None:
    assert retention_days([{"format": "other", "data": {"days": 9}}, retention_info(days)]) == days


def test_the_longest_time_counts() -> None:
    assert retention_days([retention_info(3), retention_info(30), retention_info(7)]) == 30


@pytest.mark.parametrize("days", [-1, MAX_RETENTION_DAYS + 1])
def test_an_absurd_time_is_not_said(days: int) -> None:
    with pytest.raises(ValueError, match="days"):
        retention_info(days)


@pytest.mark.parametrize("data", [None, [], "30", {}, {"days": "30"}, {"days": True}, {"days": -1},
                                  {"days": 10**9}, {"days": 1.5}])  # fmt: skip
def test_what_is_no_time_is_as_if_nothing_was_said(data: Any) -> None:
    assert retention_days([{"format": retention_info(0)["format"], "data": data}]) is None
