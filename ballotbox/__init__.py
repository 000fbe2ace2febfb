"""The ballot box: collects the key ceremony, accepts ballots, publishes the append-only board.

docs/voting.md, sections 7 to 9, for one election. It may import the wallet's core, ports and web
glue; only `ballotbox.app` and `ballotbox.storage` touch adapters. It knows no voter, keeps no
address and no time of arrival, and never a running result. `seoul_wallet` starts it.
"""
