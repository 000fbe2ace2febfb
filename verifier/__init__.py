"""The checking service of an agency: presentation requests, decisions, reports.

`app.py` composes, `config.py` reads the environment, `service.py` holds the use cases, `api/` is
HTTP. May import `wallet` except `wallet.holder`; never `issuer`.
"""
