"""How much gas a transaction needs on the chain inside this process.

py-evm finds the least by a binary search, a dozen runs in slow Python. Whoever sends wants a
limit that is enough, and adds to it anyway.
"""

from __future__ import annotations

from typing import cast

from eth.abc import SignedTransactionAPI, StateAPI
from eth.estimators.gas import binary_gas_search_intrinsic_tolerance
from eth.exceptions import VMError
from eth.vm.spoof import SpoofTransaction


def estimate_gas(state: StateAPI, transaction: SignedTransactionAPI) -> int:
    """Return a gas limit with which the transaction goes through, in two runs if it can be.

    Raises the `VMError` of a transaction that fails with the gas of a whole block.
    """
    used = _gas_used(state, transaction, limit=state.gas_limit)
    # A call gets at most 63 of 64 parts of what its caller has left (EIP-150).
    enough = used + used // 63
    try:
        _gas_used(state, transaction, limit=enough)
    except VMError:
        return int(binary_gas_search_intrinsic_tolerance(state, transaction))
    return enough


def _gas_used(state: StateAPI, transaction: SignedTransactionAPI, *, limit: int) -> int:
    """Run it, take it back, and return what it used, before anything is given back for it."""
    tried = cast(SignedTransactionAPI, SpoofTransaction(transaction, gas=limit, gas_price=0))
    snapshot = state.snapshot()
    try:
        run = state.apply_transaction(tried)
    finally:
        state.revert(snapshot)
    run.raise_if_error()
    return transaction.intrinsic_gas + run.get_gas_used()
