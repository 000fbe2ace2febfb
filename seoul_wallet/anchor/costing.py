"""The command `anchor cost`: gas as measured, money as you say gas is priced."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import click
from rich.table import Table

from seoul_wallet.anchor.gas import ACCREDIT, ANCHOR_BATCH, CHECKPOINT, PUBLISH_STATUS, gas_of
from seoul_wallet.anchor.options import console
from wallet.adapters.evm.fees import GWEI
from wallet.encoding.json import to_json

PER_CREDENTIALS: Final = 1000
BATCH_SIZES: Final = (1, 100, 10_000, 1_000_000)
WEI_PER_ETHER: Final = 10**18


@dataclass(frozen=True, slots=True)
class Chain:
    """A kind of chain, by what its gas is assumed to cost."""

    name: str
    gas_price_gwei: float


@dataclass(frozen=True, slots=True)
class CostRow:
    """What `PER_CREDENTIALS` credentials cost in batches of one size on one kind of chain."""

    chain: str
    batch_size: int
    gas: float
    ether: float
    won: float


def anchoring_costs(chains: list[Chain], won_per_ether: float) -> Iterator[CostRow]:
    """Return the rows of the table. Raises `GasSnapshotMissing`."""
    per_batch = gas_of(ANCHOR_BATCH)
    for chain in chains:
        for size in BATCH_SIZES:
            # A thousand credentials are a thousandth of a batch of a million: they carry their
            # share of it, as all others in it do.
            gas = per_batch * PER_CREDENTIALS / size
            ether = gas * chain.gas_price_gwei * GWEI / WEI_PER_ETHER
            yield CostRow(chain.name, size, gas, ether, ether * won_per_ether)


@click.command("cost")
@click.option(
    "--layer-1-gwei",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    help="Gas price of a public main chain, in gwei: an assumption, not a quotation.",
)
@click.option(
    "--layer-2-gwei",
    type=click.FloatRange(0),
    default=0.05,
    show_default=True,
    help="Gas price of a rollup, its data on the main chain included: an assumption.",
)
@click.option(
    "--permissioned-gwei",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Gas price of a permissioned chain; its cost is that of its nodes.",
)
@click.option(
    "--won-per-ether",
    type=click.FloatRange(0),
    default=5_000_000.0,
    show_default=True,
    help="Exchange rate: an assumption, not a quotation.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cost(
    layer_1_gwei: float,
    layer_2_gwei: float,
    permissioned_gwei: float,
    won_per_ether: float,
    as_json: bool,
) -> None:
    """Print gas and money per 1,000 credentials, by how many share a batch.

    Gas is what forge measured on these contracts (contracts/snapshots, compared in CI). Prices
    and the exchange rate are the ones you give: nothing is fetched. A batch costs the same
    whatever its size, so the cost of a credential is that divided by the batch.
    """
    chains = [
        Chain("layer 1", layer_1_gwei),
        Chain("layer 2", layer_2_gwei),
        Chain("permissioned", permissioned_gwei),
    ]
    rows = list(anchoring_costs(chains, won_per_ether))
    if as_json:
        click.echo(to_json({"per_credentials": PER_CREDENTIALS, "rows": [*map(asdict, rows)]}))
        return
    table = Table(
        title=f"Anchoring {PER_CREDENTIALS:,} credentials; gas as measured, prices as assumed",
        title_justify="left",
    )
    for column in ("chain", "gwei per gas", "batch of", "gas", "ether", "won"):
        table.add_column(column, justify="left" if column == "chain" else "right")
    prices = {chain.name: chain.gas_price_gwei for chain in chains}
    for row in rows:
        table.add_row(
            row.chain,
            f"{prices[row.chain]:g}",
            f"{row.batch_size:,}",
            f"{row.gas:,.10g}" if row.gas < PER_CREDENTIALS else f"{row.gas:,.0f}",
            f"{row.ether:.3g}",
            f"{row.won:,.2f}",
        )
    console().print(table)
    click.echo(
        f"Beside that, each time: a status list of any length {gas_of(PUBLISH_STATUS):,} gas,"
        f" an accreditation {gas_of(ACCREDIT):,}, a ballot checkpoint {gas_of(CHECKPOINT):,}.\n"
        f"At {layer_1_gwei:g} / {layer_2_gwei:g} gwei a status update is"
        f" {_won(PUBLISH_STATUS, layer_1_gwei, won_per_ether)}"
        f" / {_won(PUBLISH_STATUS, layer_2_gwei, won_per_ether)} won."
    )


def _won(operation: tuple[str, str], gwei: float, won_per_ether: float) -> str:
    return f"{gas_of(operation) * gwei * GWEI / WEI_PER_ETHER * won_per_ether:,.2f}"
