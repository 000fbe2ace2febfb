"""Interleaved measuring, and a closing table of ratios."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any, Protocol

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

_ROWS = pytest.StashKey[list[tuple[str, float, float, float, float, int]]]()
_FIGURES = pytest.StashKey[list[tuple[str, float, float, str]]]()


class Paired(Protocol):
    """Measures a subject against a floor, in turns, on fresh arguments each round."""

    def __call__(
        self,
        *,
        row: str,
        fresh: Callable[[], Any],
        floor: Callable[[Any], Any],
        subject: Callable[[Any], Any],
        rounds: int = 2000,
        warmup: int = 20,
        at_most: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None: ...


@pytest.fixture
def paired(benchmark: BenchmarkFixture, pytestconfig: pytest.Config) -> Paired:
    """Return the measuring function; each round times the floor first, then the subject.

    With `at_most` the test fails, when measuring, if the median ratio is above it. On a busy
    machine a long subject is interrupted more often than a short floor: for such rows `clock` is
    `time.process_time`.
    """

    def run(
        *,
        row: str,
        fresh: Callable[[], Any],
        floor: Callable[[Any], Any],
        subject: Callable[[Any], Any],
        rounds: int = 2000,
        warmup: int = 20,
        at_most: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        floor_times: list[float] = []
        subject_times: list[float] = []

        def prepare() -> tuple[tuple[Any], dict[str, Any]]:
            case = fresh()
            started = clock()
            floor(case)
            floor_times.append(clock() - started)
            return (case,), {}

        def timed(case: Any) -> None:
            started = clock()
            subject(case)
            subject_times.append(clock() - started)

        gc.collect()
        benchmark.pedantic(timed, setup=prepare, rounds=rounds, warmup_rounds=warmup)
        if benchmark.stats is None:
            return
        times = subject_times[-rounds:]
        ratios = [
            mine / base for mine, base in zip(times, floor_times[-len(times) :], strict=True)
        ]
        low, middle, high = quantiles(ratios, n=4)
        benchmark.extra_info["ratio_to_floor"] = middle
        pytestconfig.stash.setdefault(_ROWS, []).append(
            (row, median(times) * 1e6, median(floor_times) * 1e6, middle, high - low, len(times))
        )
        assert at_most is None or middle <= at_most, (
            f"{row}: {middle:.4f} x, claimed {at_most:.4f}"
        )

    return run


def is_measuring(config: pytest.Config) -> bool:
    """Tell whether this run measures, or only runs each row once."""
    return bool(config.getoption("benchmark_enable")) or not config.getoption("benchmark_disable")


class Figure(Protocol):
    """Holds one measured figure against its limit; not a ratio to a floor."""

    def __call__(self, row: str, value: float, *, limit: float, unit: str) -> None: ...


@pytest.fixture
def figure(pytestconfig: pytest.Config) -> Figure:
    """Return what notes a figure for the closing table and fails when it is over its limit."""

    def note(row: str, value: float, *, limit: float, unit: str) -> None:
        pytestconfig.stash.setdefault(_FIGURES, []).append((row, value, limit, unit))
        assert value <= limit, f"{row}: {value:,.2f} {unit}, at most {limit:,.2f}"

    return note


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print what was measured: figures against limits, then ratios."""
    figures = config.stash.get(_FIGURES, [])
    if figures and is_measuring(config):
        terminalreporter.section("figures and their limits")
        for name, value, limit, unit in figures:
            amount = f"{value:,.0f}" if unit == "gas" else f"{value:,.2f}"
            terminalreporter.write_line(f"{name:<60} {amount:>10} {unit} (limit {limit:,.10g})")
    rows = config.stash.get(_ROWS, [])
    if not rows:
        return
    terminalreporter.section("ratios to the floor, round by round")
    for row, subject_us, floor_us, ratio, spread, rounds in rows:
        terminalreporter.write_line(
            f"{row:<60} {ratio:6.3f} x  (IQR {spread:.3f}; {subject_us:8.1f} us against"
            f" {floor_us:8.1f} us, {rounds} rounds)"
        )
