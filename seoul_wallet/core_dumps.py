"""No image of a process that holds keys is to be left on a disk."""

from __future__ import annotations


def switch_off_core_dumps() -> None:
    """Let this process leave no core file when it dies, where the system has such a limit."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))
