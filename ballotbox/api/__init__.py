"""The ballot box over HTTP: thin views over `ballotbox.service` and `ballotbox.board`.

May import Flask and `wallet.web`; no adapters. `ballotbox.app` composes it.
"""
