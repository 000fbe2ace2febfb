"""The commands `anchor deploy` and `anchor list`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from seoul_wallet.anchor.acts import Acting, act
from seoul_wallet.anchor.options import (
    ADDRESS,
    ChainOptions,
    chain_options,
    key_option,
    operator,
    require_urls,
)
from seoul_wallet.files import FileUnusable, write_new_file
from wallet.adapters.evm.authority import ContractDirectory
from wallet.adapters.evm.deployment import DIRECTORY
from wallet.adapters.evm.node import deploy as deploy_contracts
from wallet.encoding.json import to_json
from wallet.ports.outbox import Inclusion

HOURS: Final = 3600


@click.command("deploy")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file to write, which services read as SEOUL_WALLET_DEPLOYMENT.",
)
@click.option(
    "--root",
    type=ADDRESS,
    help="The root authority; in production a multisignature or timelock contract. The key that "
    "signs unless given.",
)
@click.option(
    "--hand-over-delay-h",
    type=click.IntRange(0, 24 * 365),
    default=48,
    show_default=True,
    help="Hours between the announcement of a new root authority and its acceptance.",
)
@key_option
@chain_options
def deploy(
    chain: ChainOptions, out: Path, root: str | None, hand_over_delay_h: int, key_file: Path | None
) -> None:
    """Deploy all contracts and write their addresses, code hashes and first block to a file.

    The contracts have no owner of their code and never change. When another than the signing key
    is root, the directory stays empty until root lists the contracts (`anchor list`). If it breaks
    off, what was deployed so far is worth nothing: run it again.
    """
    require_urls(chain)
    if out.exists():
        raise FileUnusable(f"{out.name} is there already; a deployment is never overwritten")
    w3 = chain.w3()
    sender = operator(w3, key_file)

    def send(call: Any) -> Any:
        receipt = sender.send(call)
        click.echo(f"block {receipt['blockNumber']}: {receipt['gasUsed']:,} gas", err=True)
        return receipt

    authority = root or sender.address
    made = deploy_contracts(w3, send, authority, hand_over_delay_s=hand_over_delay_h * HOURS)
    write_new_file(out, to_json(made.to_json()))
    for name, pin in made.contracts.items():
        click.echo(f"{name:20} {pin.address}  code 0x{pin.code_hash.hex()}")
    if authority == sender.address:
        ContractDirectory(w3, made, sender).list_all()
    click.echo(f"root authority       {authority}")
    click.echo(f"written to           {out}")


@click.command("list")
@click.argument("name")
@act
def list_contract(acting: Acting, name: str) -> Inclusion:
    """Put the contract NAME of the deployment file into the directory, as its next version.

    Root signs. The directory refuses an address whose code is not the pinned code.
    """
    if name not in acting.deployment.contracts or name == DIRECTORY:
        raise click.BadParameter("the deployment has no such contract", param_hint="NAME")
    return acting.directory.list_contract(name)


@click.command("deprecate")
@click.argument("name")
@click.argument("version", type=click.IntRange(1))
@act
def deprecate(acting: Acting, name: str, version: int) -> Inclusion:
    """Mark a VERSION of the contract NAME in the directory as no longer for new records.

    Root signs. What the contract holds stays good.
    """
    return acting.directory.deprecate(name, version)
