"""The group `seoul-wallet anchor`."""

from __future__ import annotations

import click

from seoul_wallet.anchor import acts, replicas
from seoul_wallet.anchor.auditing import audit
from seoul_wallet.anchor.costing import cost
from seoul_wallet.anchor.deploying import deploy, deprecate, list_contract
from seoul_wallet.anchor.looking import status
from seoul_wallet.anchor.receipts import verify_receipt
from seoul_wallet.anchor.rehearsal import rehearse
from seoul_wallet.typed_errors import TypedErrors


@click.group(cls=TypedErrors)
def anchor() -> None:
    """Deploy the contracts, give and take rights, audit what is on the chain.

    Nodes, deployment file and keys come from options or from the environment, as for the
    services: SEOUL_WALLET_RPC_URL, SEOUL_WALLET_DEPLOYMENT, SEOUL_WALLET_FINALITY. Keys are read
    from a file or the environment and never from the command line.

    \b
    Exit codes: 0 done, 2 the input is not what it should be, 3 checked and refused,
    4 the contract or the database refused, 5 could not be done or checked, try again.
    """


for command in (
    deploy,
    list_contract,
    deprecate,
    status,
    acts.accredit,
    acts.revoke,
    acts.suspend,
    acts.controller,
    verify_receipt,
    audit,
    cost,
    rehearse,
    replicas.follow,
    replicas.export_,
    replicas.import_,
    replicas.start_anew,
):
    anchor.add_command(command)
