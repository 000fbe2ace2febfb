"""What the demonstration leaves behind passes the audit; nothing changed in it does."""

from __future__ import annotations

import io
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import delete, select, update

from issuer.storage.tables import BATCHES, ISSUANCES, LEAVES, STATUS_PUBLICATIONS
from seoul_wallet.anvil import AnvilMissing
from seoul_wallet.audit.difference import AuditDifference, AuditIncomplete
from seoul_wallet.audit.issuer_records import IssuerUnderAudit, did_of
from seoul_wallet.audit.run import Audit, AuditReport
from seoul_wallet.chain import anvil_chain
from seoul_wallet.cli import main
from seoul_wallet.demo.run import run_demo
from seoul_wallet.kept import (
    CHAIN_STATE,
    DEPLOYMENT,
    ISSUER_DATABASE,
    ISSUER_DOCUMENT,
    REPLICAS,
    Kept,
    read_kept,
)
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.quorum import open_quorum
from wallet.adapters.sql.engine import open_engine, sqlite_url, write
from wallet.crypto.hashing import sha256

pytestmark = [pytest.mark.loopback, pytest.mark.anvil, pytest.mark.timeout(480), pytest.mark.early]
HOUSEHOLDS = 40


def _another_leaf(connection: Any) -> None:
    leaves = connection.execute(select(BATCHES.c.leaves)).scalars().first()
    connection.execute(update(BATCHES).values(leaves=bytes(32) + leaves[32:]))


def _another_root(connection: Any) -> None:
    # As somebody would who may write here: with the leaves of the batch following.
    root = connection.execute(select(BATCHES.c.root)).scalars().first()
    connection.execute(update(LEAVES).where(LEAVES.c.root == root).values(root=None))
    connection.execute(update(BATCHES).where(BATCHES.c.root == root).values(root=bytes(32)))


def _no_batch(connection: Any) -> None:
    root = connection.execute(select(BATCHES.c.root)).scalars().first()
    connection.execute(update(LEAVES).where(LEAVES.c.root == root).values(root=None))
    connection.execute(delete(BATCHES).where(BATCHES.c.root == root))


def _another_manifest(connection: Any) -> None:
    manifest = connection.execute(select(BATCHES.c.manifest)).scalars().first()
    header, claims, _ = manifest.split(".")
    other = ".".join((header, claims, "A" * 86))
    where = BATCHES.c.manifest == manifest
    digest = sha256(other.encode())
    connection.execute(update(BATCHES).where(where).values(manifest=other, manifest_digest=digest))


def _another_place(connection: Any) -> None:
    connection.execute(update(LEAVES).where(LEAVES.c.position == 0).values(position=1))
    connection.execute(update(LEAVES).values(position=LEAVES.c.position + 1))


def _valid_again(connection: Any) -> None:
    connection.execute(update(ISSUANCES).values(status=0))


def _another_digest(connection: Any) -> None:
    connection.execute(update(STATUS_PUBLICATIONS).values(digest=bytes(32)))


def _lost_publication(connection: Any) -> None:
    connection.execute(delete(STATUS_PUBLICATIONS))


def _not_withdrawn(connection: Any) -> None:
    connection.execute(update(BATCHES).values(revoked_at=None))


def _withdrawn(connection: Any) -> None:
    connection.execute(update(BATCHES).values(revoked_at=1))


def _lost_leaf(connection: Any) -> None:
    leaf = connection.execute(select(ISSUANCES.c.leaf).where(ISSUANCES.c.leaf.is_not(None)))
    connection.execute(delete(LEAVES).where(LEAVES.c.leaf == leaf.scalars().first()))


TAMPERED: dict[str, tuple[Callable[[Any], None], str]] = {
    "a leaf was replaced": (_another_leaf, "the root of its leaves is"),
    "a root was replaced": (_another_root, "the root of its leaves is"),
    "a batch was deleted": (_no_batch, "the issuer's database does not have it"),
    "a manifest was replaced": (_another_manifest, "its type, size and manifest is"),
    "a leaf was moved": (_another_place, "leaf "),
    "everybody is valid again": (_valid_again, "the digest of the statuses on record is"),
    "a status digest was replaced": (_another_digest, "version 1 is"),
    "the publications were deleted": (_lost_publication, "version 1 is missing"),
    "a withdrawn batch is not": (_not_withdrawn, "revoked it on the chain and not here"),
    "every batch is withdrawn": (_withdrawn, "it is revoked here and not on the chain"),
    "a leaf was deleted": (_lost_leaf, "its leaf is in no batch"),
}


def copy_database(source: Path, target: Path) -> None:
    """Copy what is in a database, whatever of it is still in its write-ahead log."""
    with closing(sqlite3.connect(source)) as whole, closing(sqlite3.connect(target)) as copy:
        whole.backup(copy)


def audit(kept: Kept, url: str, database: Path, *, signed: bool = False) -> AuditReport:
    """Audit an issuer's database; without the DID document the signatures are not looked at."""
    engine = open_engine(sqlite_url(database))
    nodes = open_quorum([url], required=1, development=True)
    try:
        document = kept.issuer if signed else None
        issuer = IssuerUnderAudit(engine, did=str(kept.issuer.did), document=document)
        return Audit(
            nodes,
            connect(url),
            kept.deployment,
            finality="tag",
            tell=lambda name, done, total: None,
            issuer=issuer,
        ).run()
    finally:
        nodes.close()
        engine.dispose()


def batches_not_final(database: Path) -> int:
    """Count them in the tables: the demonstration cuts its chain off whatever is on its way."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT state FROM issuer_batches").fetchall()
    assert ("final",) in rows
    return sum(state != "final" for (state,) in rows)


def check_by_options(url: str, folder: Path) -> None:
    """Name every part of the folder instead of the folder."""
    chain = {
        "SEOUL_WALLET_RPC_URL": url,
        "SEOUL_WALLET_DEVELOPMENT_CHAIN": "1",
        "SEOUL_WALLET_DEPLOYMENT": str(folder / DEPLOYMENT),
    }
    database = ("--issuer-database", str(folder / ISSUER_DATABASE))
    parts = [*database, "--did-document", str(folder / ISSUER_DOCUMENT)]
    parts += [argument for name in REPLICAS for argument in ("--replica", str(folder / name))]
    passed = CliRunner().invoke(main, ["anchor", "audit", *parts], env=chain)
    assert passed.exit_code == 0, passed.output
    assert "no difference" in passed.output
    shown = CliRunner().invoke(main, ["anchor", "status", "--json", *database], env=chain)
    told = json.loads(shown.stdout)["issuer_database"]
    assert told["batches_not_final"] == batches_not_final(folder / ISSUER_DATABASE)
    stranger = [
        "anchor",
        "audit",
        *parts[:2],
        "--issuer-did",
        "did:web:other",
        "--without-replica",
    ]
    other = CliRunner().invoke(main, stranger, env=chain)
    assert other.exit_code == 3
    assert "what its manifest says" in other.stderr


def test_the_audit_passes_on_what_is_kept_and_on_nothing_that_was_changed(tmp_path: Path) -> None:
    folder, copies = tmp_path / "kept", tmp_path / "copies"
    copies.mkdir()
    folder.mkdir()
    try:
        chain = anvil_chain(state_file=folder / CHAIN_STATE)
    except AnvilMissing:
        pytest.skip("needs node: anvil from npm")
    text = io.StringIO()
    console = Console(file=text, width=200)
    assert run_demo(console, chain, folder, seed=3, households=HOUSEHOLDS), text.getvalue()
    command = ["anchor", "audit", "--folder", str(folder), "--json"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    assert '"complete":true' in result.stdout.replace(" ", "")
    assert "not asked" not in result.stdout
    kept = read_kept(folder)
    node = kept.start_chain()
    try:
        check_by_options(node.url, folder)
        for number, (case, (tamper, message)) in enumerate(TAMPERED.items()):
            copy = copies / f"{number}.db"
            copy_database(folder / ISSUER_DATABASE, copy)
            engine = open_engine(sqlite_url(copy))
            with write(engine) as connection:
                connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
                tamper(connection)
            engine.dispose()
            with pytest.raises(AuditDifference) as raised:
                audit(kept, node.url, copy)
            assert message in str(raised.value), case
        with_nothing = open_engine(sqlite_url(copies / "0.db"))
        with write(with_nothing) as connection:
            connection.execute(delete(LEAVES))
            connection.execute(delete(BATCHES))
        with pytest.raises(AuditIncomplete):
            did_of(with_nothing)
        with_nothing.dispose()
    finally:
        node.stop()
    (folder / CHAIN_STATE).unlink()
    refused = CliRunner().invoke(main, command)
    assert refused.exit_code == 2
    assert "kept_folder_incomplete" in refused.stderr
