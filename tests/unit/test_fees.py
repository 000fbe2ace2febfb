"""What a transaction offers per gas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.adapters.evm.fees import GWEI, Fee, FeeLimits, first_offer, raised_offer
from wallet.ports.ledger import GasPriceAboveLimit

LIMITS = FeeLimits(tip_wei=GWEI, max_fee_wei=100 * GWEI)


def test_a_first_offer_survives_a_doubling_of_the_base_fee() -> None:
    assert first_offer(LIMITS, 10 * GWEI) == Fee(21 * GWEI, GWEI)


def test_a_first_offer_stops_at_the_limit() -> None:
    assert first_offer(LIMITS, 99 * GWEI) == Fee(100 * GWEI, GWEI)
    with pytest.raises(GasPriceAboveLimit):
        first_offer(LIMITS, 99 * GWEI + 1)


def test_a_raised_offer_follows_the_market() -> None:
    assert raised_offer(LIMITS, Fee(21 * GWEI, GWEI), 40 * GWEI).max_fee_wei > 80 * GWEI


def test_an_offer_at_the_limit_is_not_raised() -> None:
    with pytest.raises(GasPriceAboveLimit):
        raised_offer(LIMITS, Fee(89 * GWEI, GWEI), GWEI)
    assert raised_offer(LIMITS, Fee(88 * GWEI, GWEI), GWEI).max_fee_wei == 99 * GWEI


def test_nothing_is_offered_that_no_block_takes() -> None:
    with pytest.raises(GasPriceAboveLimit):
        raised_offer(LIMITS, Fee(21 * GWEI, GWEI), 101 * GWEI)


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 10**12))
def test_a_raised_offer_raises_both_fees_by_an_eighth_within_the_limit(
    base_fee: int, max_fee: int, tip: int
) -> None:
    old = Fee(max(max_fee, tip), tip)
    try:
        new = raised_offer(LIMITS, old, base_fee)
    except GasPriceAboveLimit:
        return
    assert new.max_fee_wei * 8 >= old.max_fee_wei * 9
    assert new.tip_wei * 8 >= old.tip_wei * 9
    assert base_fee <= new.max_fee_wei <= LIMITS.max_fee_wei
    assert new.tip_wei <= new.max_fee_wei


@pytest.mark.parametrize(
    "wrong", [{"tip_wei": 0}, {"tip_wei": 2, "max_fee_wei": 1}, {"raise_after_s": 0}]
)
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="limit"):
        FeeLimits(**wrong)
