"""What every test shares: hypothesis profiles, and closing lines that name what was left out."""

import gc
import os
from collections import Counter
from itertools import islice

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "test", max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


LOOPBACK = ["127.0.0.1", "::1", "localhost"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Open sockets, to this machine alone, for the tests that say they need them."""
    for item in items:
        if item.get_closest_marker("loopback"):
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
    begin_early(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def begin_early(items: list[pytest.Item], workers: int) -> None:
    """Put what is marked `early` where a worker begins, else one of them is last and alone.

    xdist gives each of its workers one run of the list, as even as they come.
    """
    early = [item for item in items if item.get_closest_marker("early")]
    if workers == 1 or not early:
        return
    others = iter([item for item in items if not item.get_closest_marker("early")])
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        run = (len(items) - len(ordered)) // (workers - worker)
        first = early[worker::workers]
        ordered += [*first, *islice(others, max(run - len(first), 0))]
    items[:] = ordered


def pytest_collection_finish() -> None:
    """What was collected stays to the end: the collector of garbage need not walk it again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that this machine could not run, grouped by what they need."""
    reasons: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[reason.removeprefix("Skipped: ")] += 1
    if not reasons:
        terminalreporter.write_line("left out on this machine: nothing")
        return
    terminalreporter.section("left out on this machine")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:4d}  {reason}")
