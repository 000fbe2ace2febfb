"""A whole election in real time: processes, wallets, chain, record, verifier."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from seoul_wallet.anvil import AnvilMissing
from seoul_wallet.chain import anvil_chain
from seoul_wallet.rehearsal.election import official_selection, synthetic_file
from seoul_wallet.rehearsal.plan import Plan
from seoul_wallet.rehearsal.run import Rehearsal
from tests.support.dask import dask_scheduler

pytestmark = [pytest.mark.loopback, pytest.mark.anvil, pytest.mark.timeout(400), pytest.mark.early]
PLAN = Plan(
    voters=21,
    through_wallet=3,
    trustees=3,
    threshold=2,
    lead_s=25,
    vote_s=25,
    every_s=4,
    workers=1,
)


def test_an_election_of_a_file_goes_from_its_keys_to_a_verified_record(tmp_path: Path) -> None:
    try:
        chain = anvil_chain()
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    rpc = str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
    told: set[str] = set()
    cluster = pytest.importorskip("wallet.adapters.compute.dask")
    (tmp_path / "rehearsal").mkdir()
    try:
        # Wallets and voters are on a cluster: what they take and give goes over a wire.
        with dask_scheduler(1, processes=False) as scheduler:
            report = Rehearsal(
                tmp_path / "rehearsal",
                chain,
                rpc,
                synthetic_file(),
                PLAN,
                partial(cluster.open_cluster, scheduler),
                lambda name, done, total: told.add(name),
            ).run()
    finally:
        chain.stop()
    assert (report.ballots, report.counted, report.through_wallet) == (21, 21, 3)
    assert report.verifier_exit == 0, report.checks
    assert set(report.checks.values()) == {"passed"}
    # Not every vote of the file was cast, so there is nothing to compare with.
    assert report.is_official is None
    assert told == {"key ceremony", "wallets", "voters", "decryption"}


def test_the_synthetic_file_is_the_same_in_every_run_and_selects_something() -> None:
    assert synthetic_file() == synthetic_file()
    selected = official_selection(synthetic_file())
    assert selected is not None
    assert 0 < len(selected) < len(synthetic_file().projects)
