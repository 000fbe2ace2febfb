"""The command `seoul-wallet ballotbox`: what the people around a ballot box do by hand."""

from __future__ import annotations

import shutil
import tempfile
from hashlib import sha256
from pathlib import Path

import click

from ballotbox.config import BallotBoxConfig
from ballotbox.export import RecordExport, complete_record
from ballotbox.storage.publication import SqlPublication
from ballotbox.storage.records import SqlBoxRecords
from ballotbox.storage.tables import migrate_ballot_box
from seoul_wallet.typed_errors import TypedErrors
from wallet.adapters.sql.engine import open_engine
from wallet.errors import ConflictError


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


@ballotbox.command("export")
@click.argument("folder", type=click.Path(path_type=Path))
def export(folder: Path) -> None:
    """Write the published record of a finished election into FOLDER.

    FOLDER is new or empty; it is there whole or not at all. Anybody checks it with
    `mvote-verify FOLDER --rpc URL`.
    """
    config = BallotBoxConfig.from_env()
    engine = open_engine(config.database_url)
    try:
        migrate_ballot_box(engine)
        digest = config.manifest.digest
        records, publication = SqlBoxRecords(engine, digest), SqlPublication(engine, digest)
        write_record(complete_record(config.manifest, records, publication), folder)
    finally:
        engine.dispose()
    click.echo(str(folder))


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
