"""Attacks, each with its outcome: named after docs and notes on what must be refused."""
