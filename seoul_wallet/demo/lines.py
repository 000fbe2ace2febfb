"""What the demonstration shows, line by line: what was expected, what happened, how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from rich.console import Console
from rich.table import Table

from wallet.encoding.json import JsonObject

ACCEPTED: Final = "accepted"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    korean: str
    english: str
    expected: str
    happened: str
    seconds: float
    note: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether what happened is what should."""
        return self.expected == self.happened


@dataclass
class Protocol:
    """Collects the lines and prints the table."""

    console: Console
    lines: list[Line] = field(default_factory=list)

    def add(
        self, korean: str, english: str, expected: str, act: Callable[[], tuple[str, str]]
    ) -> Line:
        """Run one act, which returns what happened and a note, and keep the line."""
        started = time.perf_counter()
        happened, note = act()
        line = Line(korean, english, expected, happened, time.perf_counter() - started, note)
        self.lines.append(line)
        mark = "[green]✓[/]" if line.as_expected else "[red]✗[/]"
        self.console.print(f"  {mark} {korean} · {english}: [bold]{happened}[/] {note}")
        return line

    @property
    def all_as_expected(self) -> bool:
        """Whether every line is as expected; an empty protocol shows nothing and is not."""
        return bool(self.lines) and all(line.as_expected for line in self.lines)

    def print_table(self) -> None:
        """Print the closing table."""
        table = Table(title="서울지갑 시연 결과 · Seoul Wallet demo", title_justify="left")
        table.add_column("", width=1)
        table.add_column("무엇 · what")
        table.add_column("expected")
        table.add_column("happened")
        table.add_column("s", justify="right")
        for line in self.lines:
            table.add_row(
                "✓" if line.as_expected else "✗",
                f"{line.korean}\n[dim]{line.english}[/]",
                line.expected,
                line.happened + (f"\n[dim]{line.note}[/]" if line.note else ""),
                f"{line.seconds:.2f}",
            )
        self.console.print(table)


def outcome_of(report: JsonObject) -> str:
    """Return `accepted`, or `rejected: code`, or `unavailable: code` of a verifier's answer."""
    if report["outcome"] == ACCEPTED:
        return ACCEPTED
    return f"{report['outcome']}: {report['code']}"


def age_of(report: JsonObject) -> str:
    """Return how old the facts of a report are, for people."""
    age = report.get("facts_age_s")
    return "" if age is None else f"facts {age} s old"
