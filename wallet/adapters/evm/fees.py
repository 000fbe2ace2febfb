"""What a transaction offers per gas: a first offer, and better ones when it gets stuck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wallet.ports.ledger import GasPriceAboveLimit

GWEI: Final = 10**9
# Nodes replace a pending transaction when both fees rise by a tenth; an eighth is sure of it.
_RISE_NUMERATOR: Final = 9
_RISE_DENOMINATOR: Final = 8


@dataclass(frozen=True, slots=True)
class Fee:
    """Wei per gas, as in EIP-1559."""

    max_fee_wei: int
    tip_wei: int


@dataclass(frozen=True, kw_only=True, slots=True)
class FeeLimits:
    """The tip of a first offer, the most that is ever offered (wei per gas), and how long an
    offer stands before it is raised (seconds)."""

    tip_wei: int = GWEI
    max_fee_wei: int = 300 * GWEI
    raise_after_s: int = 120

    def __post_init__(self) -> None:
        if not 0 < self.tip_wei <= self.max_fee_wei or self.raise_after_s < 1:
            raise ValueError("the tip lies above 0 and below the limit; times are positive")


def first_offer(limits: FeeLimits, base_fee_wei: int) -> Fee:
    """Return an offer that survives a doubling of the base fee. Raises `GasPriceAboveLimit`."""
    if base_fee_wei + limits.tip_wei > limits.max_fee_wei:
        raise GasPriceAboveLimit("gas costs more than the limit of the configuration")
    offer = min(limits.max_fee_wei, 2 * base_fee_wei + limits.tip_wei)
    return Fee(offer, limits.tip_wei)


def raised_offer(limits: FeeLimits, old: Fee, base_fee_wei: int) -> Fee:
    """Return an offer that nodes take in place of `old`. Raises `GasPriceAboveLimit`."""
    tip = _risen(old.tip_wei)
    offer = max(_risen(old.max_fee_wei), min(limits.max_fee_wei, 2 * base_fee_wei + tip))
    if offer > limits.max_fee_wei or base_fee_wei > offer:
        raise GasPriceAboveLimit("gas costs more than the limit of the configuration")
    return Fee(offer, min(tip, offer))


def _risen(wei: int) -> int:
    return -(-wei * _RISE_NUMERATOR // _RISE_DENOMINATOR)
