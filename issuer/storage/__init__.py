"""The issuer's records in SQL: `issuer.ports` over SQLAlchemy Core, with their own migrations.

May import `wallet.adapters.sql`; only `issuer.app` and tests import from here.
"""
