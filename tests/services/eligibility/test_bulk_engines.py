"""Bulk decisions on the engines that a verifier may have, and how much memory they take."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bulk import CARD_NOW, BulkBench, send_all
from tests.support.dask import dask_scheduler
from tests.support.evidence_bench import EvidenceBench

COUNT = int(os.environ.get("SOAK_BULK_APPLICATIONS", "1500"))
FIRST = min(10_000, COUNT // 3)
MAX_GROWTH_BYTES = 48 * 1024 * 1024
KIBIBYTE = 1024


@pytest.fixture
def scheduler() -> Iterator[str]:
    """The address of a Dask scheduler with two workers."""
    with dask_scheduler() as address:
        yield address


def check_decides(bulk: BulkBench) -> None:
    batch = bulk.open()
    send_all(bulk, batch, 120)
    bulk.seal(batch)
    bulk.verifier.bulk.run_once()
    found = bulk.decisions(batch)
    assert [item["id"] for item in found] == [str(number) for number in range(120)]
    assert {item["decision"]["outcome"] for item in found} == {"eligible"}
    assert bulk.progress(batch)["state"] == "done"


@pytest.mark.loopback
def test_decides_on_the_processes_of_this_machine(tmp_path: Path) -> None:
    check_decides(BulkBench(tmp_path, EvidenceBench(CARD_NOW), open_compute=None, bulk_workers=2))


@pytest.mark.loopback
def test_decides_on_a_dask_cluster_by_its_address(tmp_path: Path, scheduler: str) -> None:
    check_decides(
        BulkBench(tmp_path, EvidenceBench(CARD_NOW), open_compute=None, dask_scheduler=scheduler)
    )


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_memory_does_not_grow_with_the_batch(tmp_path: Path) -> None:
    bulk = BulkBench(tmp_path, EvidenceBench(CARD_NOW), max_bulk_applications=COUNT)
    batch = bulk.open()
    send_all(bulk, batch, FIRST)
    bulk.verifier.bulk.run_once()
    after_first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE
    send_all(bulk, batch, COUNT - FIRST, FIRST)
    bulk.seal(batch)
    bulk.verifier.bulk.run_once()
    read = sum(1 for _ in bulk.each_decision(batch))
    growth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE - after_first
    told = bulk.progress(batch)
    assert (told["state"], told["applications"]["eligible"], read) == ("done", COUNT, COUNT)
    print(f"{COUNT} applications: {growth / 2**20:.1f} MiB above the peak of the first {FIRST}")
    assert growth <= MAX_GROWTH_BYTES
