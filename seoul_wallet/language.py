"""The language of the command line: Korean where the environment says so, else English."""

from __future__ import annotations

import os


def default_language() -> str:
    """Return `ko` or `en`, by the locale variables."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(name):
            return "ko" if value.lower().startswith("ko") else "en"
    return "en"
