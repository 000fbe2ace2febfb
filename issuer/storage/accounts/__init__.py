"""Whose account is whose, in SQL: a schema of its own (`issuer_accounts`) beside the issuances.

Nothing but register ids and random account ids is kept. `issuer.app` composes it.
"""
