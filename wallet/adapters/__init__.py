"""The outside: SQL, HTTP, the EVM chain, files and the clock, each behind a port.

Only composition roots (`*/app.py`, `seoul_wallet`) and tests import from here. `web3` is imported
in `evm` alone.
"""
