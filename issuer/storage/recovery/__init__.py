"""Recovery keys, holdings, devices, their record and notices in SQL, beside the issuances.

A schema of its own (`issuer_recovery`) in the issuer's database: revoking and completing are one
transaction with the issuances.
"""
