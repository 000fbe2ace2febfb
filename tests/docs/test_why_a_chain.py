"""The numbers of docs/why-a-chain.md are those that the command prints."""

from __future__ import annotations

import json
import re
from pathlib import Path

from click.testing import CliRunner

from seoul_wallet.anchor.gas import ACCREDIT, ANCHOR_BATCH, CHECKPOINT, PUBLISH_STATUS, gas_of
from seoul_wallet.cli import main

PAGE = (Path(__file__).parents[2] / "docs/why-a-chain.md").read_text("utf-8")


def test_the_table_is_what_the_command_prints() -> None:
    shown = CliRunner().invoke(main, ["anchor", "cost", "--json"]).stdout
    costs = {(row["chain"], row["batch_size"]): row for row in json.loads(shown)["rows"]}
    rows = re.findall(r"^\| ([\d,]+) \| ([\d,]+) \| (\S+) \| (\S+) \| (\S+) \|$", PAGE, re.M)
    assert len(rows) == 4
    for size_text, gas, *won in rows:
        size = int(size_text.replace(",", ""))
        of_size = [costs[chain, size] for chain in ("layer 1", "layer 2", "permissioned")]
        assert gas == f"{of_size[0]['gas']:,.0f}"
        assert won == [f"{row['won']:,.2f}" for row in of_size]


def test_the_figures_in_the_text_are_those_that_were_measured() -> None:
    summary, _, rest = PAGE.partition("## What goes on the chain")
    assert f"{gas_of(ANCHOR_BATCH):,} 가스" in summary
    for operation in (PUBLISH_STATUS, ACCREDIT, CHECKPOINT):
        assert f"{gas_of(operation):,}" in rest
