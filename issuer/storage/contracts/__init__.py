"""Contracts and the signatures under them, in SQL: a schema of its own (`issuer_contracts`).

Terms and signatures are personal; they are here and nowhere else. `issuer.app` composes it.
"""
