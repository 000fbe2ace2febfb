"""The authorization server of a department: clients, pushed requests, login, consent, codes.

`login.py` is the port behind which the city's own login stands. No HTTP: `issuer.api` calls this.
May import the core and the issuer's sessions.
"""
