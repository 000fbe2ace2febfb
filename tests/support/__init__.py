"""Builders and fixtures that tests share: importable, typed."""
