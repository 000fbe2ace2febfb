"""The command `anchor status`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click
from rich.table import Table
from web3 import Web3

from issuer.calendar import SEOUL
from issuer.storage.tables import ANCHORED
from seoul_wallet.anchor.options import (
    ChainOptions,
    chain_options,
    console,
    database_url,
    require_urls,
)
from seoul_wallet.anchor.replicas import open_replica
from seoul_wallet.audit.views import Views
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.deployment import REGISTRY, Deployment, DeploymentMismatch
from wallet.adapters.evm.log_chain import watched_contracts
from wallet.adapters.evm.node import ask
from wallet.adapters.evm.quorum import Agreement, NodeQuorum
from wallet.adapters.sql.batches import SqlBatchRecords
from wallet.adapters.sql.engine import open_engine
from wallet.adapters.sql.replica import SqlReplica
from wallet.encoding.json import to_json
from wallet.trust.identifiers import issuer_id, schema_id


@click.command("status")
@click.option("--did", metavar="DID", help="Show this issuer too.")
@click.option(
    "--type", "types", multiple=True, metavar="VCT", help="With --did: its scopes for this type."
)
@click.option("--replica", metavar="URL", help="Show this replica too: URL or SQLite file.")
@click.option("--issuer-database", metavar="URL", help="Show what waits in an issuer's database.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@chain_options
def status(
    chain: ChainOptions,
    did: str | None,
    types: tuple[str, ...],
    replica: str | None,
    issuer_database: str | None,
    as_json: bool,
) -> None:
    """Show the finalized block, the contracts, and what you ask for beside them.

    Code and log heads are proven against the finalized block where the chain gives proofs. What
    is shown of an issuer is what the first node says.
    """
    require_urls(chain)
    deployment = chain.deployment()
    nodes = chain.nodes()
    try:
        nodes.check(deployment, listing=False)
        agreed = nodes.agree(deployment.chain_id, chain.reader(nodes).finality)
        now = SystemClock().now()
        shown: dict[str, Any] = {
            "chain_id": deployment.chain_id,
            "nodes_agreeing": len(agreed.endpoints),
            "finalized": {
                "block": agreed.head.number,
                "hash": "0x" + agreed.head.hash.hex(),
                "age_s": now - agreed.head.time,
            },
            "contracts": dict(_contracts(nodes, agreed, deployment)),
            "directory": _listing(nodes, deployment),
        }
        if did is not None:
            shown["issuer"] = _issuer(chain.w3(), deployment, agreed, did, types)
        if replica is not None:
            shown["replica"] = _replica(replica, now)
        if issuer_database is not None:
            shown["issuer_database"] = _waiting(issuer_database)
    finally:
        nodes.close()
    if as_json:
        click.echo(to_json(shown).decode())
    else:
        table = Table(show_header=False)
        for name, text in _lines(shown, ""):
            table.add_row(name, text)
        console().print(table)


def _contracts(
    nodes: NodeQuorum, agreed: Agreement, deployment: Deployment
) -> Iterator[tuple[str, dict[str, Any]]]:
    for contract in watched_contracts(deployment):
        entry = {"address": contract.address, "code": "as pinned"}
        if nodes.proves:
            address, slot = contract.address, contract.head_slot
            proven = agreed.first(lambda node: node.slot(agreed.head, address, slot))  # noqa: B023
            entry["log_head"] = "0x" + proven.value.hex()
        yield contract.name, entry


def _listing(nodes: NodeQuorum, deployment: Deployment) -> str:
    try:
        deprecated = nodes.check(deployment)
    except DeploymentMismatch as error:
        return str(error)
    return f"deprecated: {', '.join(sorted(deprecated))}" if deprecated else "as pinned"


def _issuer(
    w3: Web3, deployment: Deployment, agreed: Agreement, did: str, types: tuple[str, ...]
) -> dict[str, Any]:
    views = Views(w3, deployment, agreed.head)
    issuer = issuer_id(did)
    controller = views.call(REGISTRY, "controllerOf", issuer)
    balance = ask(lambda: w3.eth.get_balance(Web3.to_checksum_address(controller)))
    shown: dict[str, Any] = {
        "did": did,
        "controller": controller,
        "controller_balance_ether": str(Web3.from_wei(balance, "ether")),
        "suspended": views.call(REGISTRY, "isSuspended", issuer),
    }
    for vct in types:
        scopes = views.call(REGISTRY, "issuerScopes", issuer, schema_id(vct))
        shown[vct] = [
            f"{_day(start)} to {_day(end)}" + (f", revoked {_day(over)}" if over else "")
            for _, start, end, over in scopes
        ]
    return shown


def _day(time: int) -> str:
    return datetime.fromtimestamp(time, SEOUL).isoformat()


def _replica(url: str, now: int) -> dict[str, Any]:
    with open_replica(url) as engine:
        store = SqlReplica(engine)
        head, assurance = store.head(), store.assurance()
        return {
            "block": None if head is None else head.number,
            "age_s": None if head is None else now - head.time,
            "nodes_agreed": None if assurance is None else assurance.endpoints,
            "proven": None if assurance is None else assurance.proven,
            "alarm": store.alarm(),
        }


def _waiting(url: str) -> dict[str, Any]:
    engine = open_engine(database_url(url))
    try:
        records = SqlBatchRecords(engine, ANCHORED)
        return {
            "leaves_waiting": sum(pending.count for pending in records.pending()),
            "batches_not_final": len(records.unfinished()),
        }
    finally:
        engine.dispose()


def _lines(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{name} {key}".strip())
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _lines(inner, f"{name} {number}")
    else:
        yield name, "-" if value is None else str(value)
