"""Progress on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress, ProgressColumn


def progress_bar(*columns: ProgressColumn) -> Progress:
    """Return a bar on standard error, which shows nothing where that is no terminal."""
    shown_on = Console(stderr=True)
    return Progress(*columns, console=shown_on, transient=True, disable=not shown_on.is_terminal)
