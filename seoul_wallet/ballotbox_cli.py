"""The command `seoul-wallet ballotbox`: what the people around a ballot box do by hand."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import click

from ballotbox.app import board_name, check_board_chain
from ballotbox.config import BallotBoxConfig
from ballotbox.export import RecordExport, complete_record, finished_ceremony
from ballotbox.storage.publication import SqlPublication
from ballotbox.storage.records import SqlBoxRecords
from ballotbox.storage.tables import migrate_ballot_box
from seoul_wallet.anchor.options import (
    Address,
    ChainOptions,
    chain_options,
    key_option,
    operator,
    require_urls,
)
from seoul_wallet.typed_errors import TypedErrors
from wallet.adapters.evm.board import open_board
from wallet.adapters.sql.engine import open_engine
from wallet.errors import ConflictError
from wallet.ports.ballot_board import BoardTerms
from wallet.voting.manifest import Manifest


class FolderNotEmpty(ConflictError):
    """The folder for the record is not empty; a record is not mixed with anything else."""

    code = "folder_not_empty"


@click.group("ballotbox", cls=TypedErrors)
def ballotbox() -> None:
    """Run and publish an election. SEOUL_WALLET_BALLOTBOX_CONFIG names its configuration."""


@ballotbox.command("check")
def check() -> None:
    """Say what the configuration is of, or why it cannot be used."""
    config = BallotBoxConfig.from_env()
    manifest = config.manifest
    click.echo(f"{manifest.id}: {manifest.title.ko} / {manifest.title.en}")
    click.echo(f"manifest {manifest.digest.hex()}")


@ballotbox.command("open")
@chain_options
@key_option
@click.option("--operator", "address", type=Address(), required=True, help="Who checkpoints.")
def open_(chain: ChainOptions, key_file: Path | None, address: str) -> None:
    """Open the board of the election on the chain, with the organiser's key.

    After the key ceremony and before the opening of the vote. Not needed where the ballot box has
    the organiser's key itself. Prints the transaction.
    """
    require_urls(chain)
    manifest, database_url = _configured()
    with _records(manifest, database_url) as (records, _):
        election = finished_ceremony(manifest, records)
    check_board_chain(manifest, chain.deployment())
    w3, nodes = chain.w3(), chain.nodes()
    try:
        terms = BoardTerms(election.digest, manifest.opens, manifest.closes, manifest.grace_s)
        sender, name = operator(w3, key_file), board_name(manifest)
        transaction = open_board(w3, chain.reader(nodes), sender, name, address, terms)
    finally:
        nodes.close()
    click.echo(f"0x{transaction.hex()}")


@ballotbox.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
def export(folder: Path) -> None:
    """Write the published record of a finished election into FOLDER.

    FOLDER is new or empty; it is there whole or not at all. Anybody checks it with
    `mvote-verify FOLDER --rpc URL`.
    """
    manifest, database_url = _configured()
    with _records(manifest, database_url) as (records, publication):
        write_record(complete_record(manifest, records, publication), folder)
    click.echo(str(folder))


def _configured() -> tuple[Manifest, str]:
    config = BallotBoxConfig.from_env()
    return config.manifest, config.database_url


@contextmanager
def _records(
    manifest: Manifest, database_url: str
) -> Iterator[tuple[SqlBoxRecords, SqlPublication]]:
    engine = open_engine(database_url)
    try:
        migrate_ballot_box(engine)
        yield SqlBoxRecords(engine, manifest.digest), SqlPublication(engine, manifest.digest)
    finally:
        engine.dispose()


def write_record(record: RecordExport, folder: Path) -> None:
    """Write the files of a record. Raises `FolderNotEmpty`."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty("the folder for the record is not empty")
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, so that the last step is a renaming.
    unfinished = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        digests = {}
        for name, pieces in record.hashed_files().items():
            hashed = sha256()
            with (unfinished / name).open("wb") as file:
                for piece in pieces:
                    hashed.update(piece)
                    file.write(piece)
            digests[name] = hashed.digest()
        for name, data in record.further_files(digests).items():
            (unfinished / name).write_bytes(data)
        unfinished.chmod(0o755)
        unfinished.replace(folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
