"""The issuing service of a city department: register, offers, credentials, status, anchoring.

`app.py` composes, `config.py` reads the environment, `service.py` holds the use cases, `api/` is
HTTP. May import `wallet` except `wallet.holder`; never `verifier`.
"""
