"""The verifier's records in SQL: `verifier.bulk.records` over SQLAlchemy Core, with migrations.

May import `wallet.adapters.sql`; only `verifier.app` and tests import from here.
"""
