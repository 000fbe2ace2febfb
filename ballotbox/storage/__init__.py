"""The ballot box's records in SQL: `ballotbox.ports` over SQLAlchemy Core, with own migrations.

May import `wallet.adapters.sql`; only `ballotbox.app` and tests import from here.
"""
