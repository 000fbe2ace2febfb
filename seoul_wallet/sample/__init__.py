"""Synthetic registers: households and appointments of nobody, for demos, tests and benchmarks.

Deterministic by seed and reference date. Every row, id and seal says that it is synthetic. Uses
the issuer's register types and CSV writers; `seoul_wallet.sample_register` is the command.
"""
