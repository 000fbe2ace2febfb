"""The command `anchor audit`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.table import Table
from sqlalchemy import Engine
from web3 import Web3

from seoul_wallet.anchor.options import (
    ChainOptions,
    chain_options,
    console,
    database_url,
    require_urls,
)
from seoul_wallet.audit.difference import AuditIncomplete
from seoul_wallet.audit.issuer_records import IssuerUnderAudit, did_of
from seoul_wallet.audit.replicas import ReplicaUnderAudit
from seoul_wallet.audit.run import Audit, AuditReport, CheckState
from seoul_wallet.files import read_file
from seoul_wallet.kept import ISSUER_DATABASE, REPLICAS, read_kept
from seoul_wallet.progress import progress_bar
from wallet.adapters.evm.deployment import Deployment
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.quorum import NodeQuorum, open_quorum
from wallet.adapters.sql.engine import open_engine
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import parse_json_object, to_json

_MARKS = {CheckState.PASSED: "✓", CheckState.NOT_ASKED: "-", CheckState.COULD_NOT_RUN: "✗"}


@dataclass
class _Subject:
    """What is audited, wherever it was named."""

    nodes: NodeQuorum
    w3: Web3
    deployment: Deployment
    finality: str
    replicas: tuple[str, ...]
    issuer_database: str | None
    did: str | None
    document: DidDocument | None


@click.command("audit")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Audit what `demo --keep FOLDER` left: its chain is started again from its state.",
)
@click.option(
    "--replica",
    "replicas",
    multiple=True,
    metavar="URL",
    help="A local replica to compare: database URL or SQLite file; may be repeated.",
)
@click.option("--without-replica", is_flag=True, help="Compare no local replica.")
@click.option("--issuer-database", metavar="URL", help="An issuer's database: URL or SQLite file.")
@click.option("--issuer-did", metavar="DID", help="Whose it is; else as its manifests say.")
@click.option(
    "--did-document",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The issuer's DID document, to verify the manifests' signatures.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@chain_options
def audit(
    chain: ChainOptions,
    folder: Path | None,
    replicas: tuple[str, ...],
    without_replica: bool,
    issuer_database: str | None,
    issuer_did: str | None,
    did_document: Path | None,
    as_json: bool,
) -> None:
    """Recompute everything the contracts say from genesis; name the first difference.

    \b
    1  the nodes agree on the finalized block; its hash is computed here
    2  every contract has the code that the deployment pins
    3  every event since genesis obeys the contracts' rules
    4  the replica holds exactly these facts, at its own block
    5  the log heads over all events are those that are proven in the state: none was withheld
    6  every view of every contract answers what the events lead to
    7  the directory lists the contracts as they are pinned, with the code they have
    8  the issuer's database: every root from its leaves, every manifest, every status digest,
       every batch here and there

    \b
    Only reads. An issuer that works meanwhile may change a status between two checks: repeat.
    Exit codes: 0 all that was asked for ran and is equal, 2 the input is not what it should be,
    3 a difference, 5 something could not be checked.
    """
    if bool(replicas) == without_replica and folder is None:
        raise click.UsageError("name the replica by --replica, or say --without-replica")
    document = None
    if did_document is not None:
        text = parse_json_object(read_file(did_document))
        document = parse_did_document(text, parse_did(str(text.get("id"))))
    if folder is not None:
        with _kept(folder) as subject:
            report = _run(subject)
    else:
        require_urls(chain)
        named = tuple(map(database_url, replicas))
        issuer = None if issuer_database is None else database_url(issuer_database)
        nodes = chain.nodes()
        try:
            report = _run(
                _Subject(
                    nodes,
                    chain.w3(),
                    chain.deployment(),
                    chain.finality,
                    named,
                    issuer,
                    issuer_did or (None if document is None else str(document.did)),
                    document,
                )
            )
        finally:
            nodes.close()
    if as_json:
        click.echo(to_json(_to_json(report)).decode())
    else:
        _print(report)
    if not report.is_complete:
        raise AuditIncomplete("not every check could run")


@contextmanager
def _kept(folder: Path) -> Iterator[_Subject]:
    kept = read_kept(folder)
    node = kept.start_chain()
    nodes = open_quorum([node.url], required=1, development=True)
    try:
        yield _Subject(
            nodes,
            connect(node.url),
            kept.deployment,
            "tag",
            tuple(database_url(str(folder / name)) for name in REPLICAS),
            database_url(str(folder / ISSUER_DATABASE)),
            str(kept.issuer.did),
            kept.issuer,
        )
    finally:
        nodes.close()
        node.kill()


def _run(subject: _Subject) -> AuditReport:
    engines: list[Engine] = []

    def opened(url: str) -> Engine:
        engines.append(open_engine(url))
        return engines[-1]

    try:
        issuer = None
        if subject.issuer_database is not None:
            engine = opened(subject.issuer_database)
            did = subject.did or did_of(engine)
            issuer = IssuerUnderAudit(engine, did=did, document=subject.document)
        replicas = [ReplicaUnderAudit.of(_name(url), opened(url)) for url in subject.replicas]
        with _progress() as tell:
            return Audit(
                subject.nodes,
                subject.w3,
                subject.deployment,
                finality=subject.finality,
                tell=tell,
                replicas=replicas,
                issuer=issuer,
            ).run()
    finally:
        for engine in engines:
            engine.dispose()


def _name(url: str) -> str:
    # The last part alone: a URL may hold a password.
    return f"replica {url.rsplit('/', 1)[-1].split('?')[0]}"


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with progress_bar(*columns) as progress:
        tasks: dict[str, TaskID] = {}

        def tell(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name)
            progress.update(tasks[name], completed=done, total=total)

        yield tell


def _print(report: AuditReport) -> None:
    head = report.head
    table = Table(
        title=f"Audit as of block {head.number}, 0x{head.hash.hex()}", title_justify="left"
    )
    for column in ("", "check", "over"):
        table.add_column(column)
    for check in report.checks:
        note = check.went_over if check.state is CheckState.PASSED else check.state.value
        if check.state is CheckState.COULD_NOT_RUN:
            note += f": {check.went_over}"
        table.add_row(_MARKS[check.state], check.name, note)
    console().print(table)
    if report.is_complete:
        click.echo("no difference")


def _to_json(report: AuditReport) -> dict[str, object]:
    return {
        "block": {"number": report.head.number, "hash": "0x" + report.head.hash.hex()},
        "complete": report.is_complete,
        "checks": [
            {"name": check.name, "state": check.state.value, "over": check.went_over}
            for check in report.checks
        ],
    }
