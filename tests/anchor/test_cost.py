"""The cost table: from the committed gas figures, with the prices that were given."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from seoul_wallet.anchor.costing import BATCH_SIZES, Chain, anchoring_costs
from seoul_wallet.anchor.gas import (
    ACCREDIT,
    ANCHOR_BATCH,
    CHECKPOINT,
    PUBLISH_STATUS,
    GasSnapshotMissing,
    gas_of,
    snapshot,
)
from seoul_wallet.cli import main

FIGURES = {ANCHOR_BATCH: 75_000, PUBLISH_STATUS: 60_000, ACCREDIT: 85_000, CHECKPOINT: 46_000}


def test_the_frequent_operations_cost_no_more_than_their_figures() -> None:
    assert {name: gas_of(name) for name in FIGURES if gas_of(name) > FIGURES[name]} == {}


def test_a_contract_without_figures_is_unavailable() -> None:
    with pytest.raises(GasSnapshotMissing):
        snapshot("NoSuchContract")


def test_money_is_gas_times_price_times_rate() -> None:
    rows = {row.batch_size: row for row in anchoring_costs([Chain("any", 2.0)], 1_000_000)}
    assert tuple(rows) == BATCH_SIZES
    for size, row in rows.items():
        assert row.gas == gas_of(ANCHOR_BATCH) * 1000 / size
        assert row.ether == pytest.approx(row.gas * 2 / 10**9)
        assert row.won == pytest.approx(row.ether * 1_000_000)


def test_the_command_prints_every_size_on_every_kind_of_chain() -> None:
    asked = ["anchor", "cost", "--layer-1-gwei", "10", "--won-per-ether", "4000000", "--json"]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 0
    rows = json.loads(result.stdout)["rows"]
    found = {(row["chain"], row["batch_size"]): row for row in rows}
    assert len(found) == 3 * len(BATCH_SIZES)
    one = found["layer 1", 1]
    assert one["won"] == pytest.approx(gas_of(ANCHOR_BATCH) * 1000 * 10 / 10**9 * 4_000_000)
    assert {found["permissioned", size]["won"] for size in BATCH_SIZES} == {0}


def test_the_table_is_not_cut_where_there_is_no_terminal() -> None:
    shown = CliRunner().invoke(main, ["anchor", "cost"]).output
    assert "…" not in shown
    for size in BATCH_SIZES:
        assert f"{size:,}" in shown


@pytest.mark.parametrize("option", ["--layer-1-gwei", "--won-per-ether"])
def test_a_negative_price_is_refused(option: str) -> None:
    assert CliRunner().invoke(main, ["anchor", "cost", option, "-1"]).exit_code == 2
