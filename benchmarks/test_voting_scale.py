"""Claim: what a ballot costs does not grow with the number of ballots.

One election of synthetic voters, whose ballots are small (six projects, at most three: 8 bits), so
that what could grow is not hidden behind proofs: the box's database, its checkpoints, the tree,
the log. At each size in `BENCH_BALLOTS` the box is copied, its copy closed and counted, and its
board verified by `mvote-verify`; then the vote goes on. All in processor time of this process, in
ms for each ballot; growth is told in ECDSA verifications, which are measured in between, since a
busy machine's processor time is longer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import process_time

import coincurve
import pytest

from benchmarks.conftest import Figure, is_measuring
from mvote_verify.checks import Verification
from mvote_verify.plan import Options, Status
from tests.support.polling import PollingPlace
from tests.support.voting import OPENS, Trustees, cast, manifest, manifest_json, voter
from wallet.adapters.compute.here import ThisProcess
from wallet.recount import index_ballots, recount
from wallet.voting.aggregate import Aggregate
from wallet.voting.board import Entry, log_octets
from wallet.voting.decryption import check_shares, decryption_share_body
from wallet.voting.outcome import decide_outcome
from wallet.voting.tally import tally_board
from wallet.voting.tie_break import TieBreak

SIZES = os.environ.get("BENCH_BALLOTS", "100,500,2000")
FEW = "21"
# The last ones before a size: what one more costs there.
WINDOW = 500
# Between two checkpoints.
PERIOD = 100
PROJECTS, APPROVED = 6, 2
MAX_GROWTH = 1.3
# What needs the trustees or a node: V6, V14 to V19; and V20, somebody's own ballot.
NOT_VERIFIED = {6, *range(14, 21)}
_KEY = coincurve.PrivateKey(b"\x01" * 32)
_DATA = bytes(900)
_SIGNATURE = _KEY.sign(_DATA)
_FLOOR_ROUNDS = 400


def one_ecdsa_s() -> float:
    started = process_time()
    for _ in range(_FLOOR_ROUNDS):
        assert _KEY.public_key.verify(_SIGNATURE, _DATA)
    return (process_time() - started) / _FLOOR_ROUNDS


@dataclass
class Costs:
    """Processor seconds for each ballot by what is done, and the floor meanwhile."""

    ballots: int
    spent: dict[str, float] = field(default_factory=dict)
    floors: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, what: str) -> Iterator[None]:
        before = one_ecdsa_s()
        started = process_time()
        yield
        self.spent[what] = (process_time() - started) / self.ballots
        self.floors[what] = (before + one_ecdsa_s()) / 2

    def in_floors(self, what: str) -> float:
        return self.spent[what] / self.floors[what]


def choices(number: int) -> list[int]:
    chosen = [0] * PROJECTS
    for step in range(APPROVED):
        chosen[(number + step) % PROJECTS] = 1
    return chosen


def vote(place: PollingPlace, first: int, last: int) -> dict[str, list[tuple[float, float]]]:
    """Cast ballots `first` to `last`; give (seconds, floor) of each period of them."""
    times: dict[str, list[tuple[float, float]]] = {"make": [], "take": []}
    for start in range(first, last, PERIOD):
        numbers = range(start, min(start + PERIOD, last))
        at = process_time()
        made = [cast(place.election, voter(number), choices(number)) for number in numbers]
        between = process_time()
        for ballot in made:
            place.application.box.accept(ballot.octets)
        place.publish()
        end, floor = process_time(), one_ecdsa_s()
        times["make"].append(((between - at) / len(numbers), floor))
        times["take"].append(((end - between) / len(numbers), floor))
    return times


def entries_of(place: PollingPlace) -> Callable[[], Iterator[Entry]]:
    board = place.application.box.board

    def entries() -> Iterator[Entry]:
        for start in range(0, board.published_size(), 100):
            yield from board.entries(start, 100)

    return entries


def count(place: PollingPlace, trustees: Trustees, costs: Costs) -> None:
    """Close a copy of the box, and do what box, trustees and anybody else then do."""
    manifest, board = place.manifest, place.application.box.board
    with costs.of("close and end"):
        place.work(manifest.closes)
        place.work(manifest.closes + manifest.grace_s // 2)
    election, entries = place.election, entries_of(place)
    newest = board.newest_checkpoint().checkpoint
    head = newest.size, newest.root

    def added_up(*, is_verified: bool) -> Aggregate:
        index = index_ballots(entries(), election)
        return recount(election, head, index, entries(), ThisProcess(), is_verified=is_verified)

    with costs.of("tally: add up, decrypt, decide"):
        aggregate = added_up(is_verified=True)
        ceremony = trustees.ceremony.finish()
        shares = [
            trustees.sign(
                number,
                decryption_share_body(
                    aggregate, trustees.share(ceremony, number), decrypted_before=None
                ),
            )
            for number in trustees.own
        ]
        tally = tally_board(aggregate, *check_shares(shares, aggregate, ceremony), [])
        decide_outcome(manifest, election.digest, tally.groups, TieBreak(bytes(32), ()))
    expected = [sum(column) for column in zip(*map(choices, range(costs.ballots)), strict=True)]
    assert [list(group.totals) for group in tally.groups] == [expected]
    with costs.of("a trustee's check"):
        assert added_up(is_verified=False) == aggregate
    record = place.folder / "record"
    record.mkdir()
    (record / "manifest.json").write_bytes(manifest.octets)
    with (record / "log.bin").open("wb") as file:
        for entry in entries():
            file.write(log_octets([entry]))
    with (record / "checkpoints.ndjson").open("wb") as file:
        for first in range(1, newest.number + 1, 100):
            for item in board.checkpoints(first, 100):
                file.write(item.statement + b"\n")
    verification = Verification(record, Options())
    with costs.of("mvote-verify, V1 to V13"):
        verification.run()
    checks = {number: result.status for number, result in verification.results.items()}
    passed = {number for number, status in checks.items() if status is Status.PASSED}
    assert passed >= set(range(1, 14)) - NOT_VERIFIED, checks


def peak_mib(*, forget: bool = False) -> float:
    """Return the largest resident memory of this process, since it was last forgotten (Linux)."""
    if forget:
        # What other benchmarks held is none of this one's; see proc_pid_clear_refs(5).
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


@pytest.mark.timeout(0)
def test_a_ballot_costs_the_same_among_few_and_among_many(
    tmp_path: Path, figure: Figure, pytestconfig: pytest.Config
) -> None:
    measured = is_measuring(pytestconfig)
    before_mib = peak_mib(forget=True)
    sizes = [int(size) for size in (SIZES if measured else FEW).split(",")]
    people = {"citizen": sizes[-1], "committee": 50}
    census = {**manifest_json()["census"], "people": people}
    place = PollingPlace(tmp_path / "box", manifest(trustees=2, threshold=2, census=census))
    trustees = place.trustees
    assert trustees is not None
    place.open()
    assert place.clock.now() == OPENS
    found: list[Costs] = []
    done = 0
    for size in sizes:
        costs = Costs(size)
        times = vote(place, done, size)
        for what, measures in times.items():
            last = measures[-max(1, WINDOW // PERIOD) :]
            costs.spent[what] = median(seconds for seconds, _ in last)
            costs.floors[what] = median(floor for _, floor in last)
        place.close()
        copy = place.copy(tmp_path / str(size))
        count(copy, trustees, costs)
        copy.close()
        place = PollingPlace(place.folder, place.manifest, place.clock, trustees)
        found.append(costs)
        done = size
    place.close()
    if not measured:
        return
    figure("largest memory beyond that before", peak_mib() - before_mib, limit=1024, unit="MiB")
    for costs in found:
        for what, seconds in costs.spent.items():
            row = f"{what}, a ballot of {costs.ballots:,}"
            figure(row, 1000 * seconds, limit=100, unit="ms CPU")
    for what in found[0].spent:
        growth = found[-1].in_floors(what) / found[0].in_floors(what)
        row = f"{what}: {found[-1].ballots:,} / {found[0].ballots:,}"
        figure(row, growth, limit=MAX_GROWTH, unit="x")
