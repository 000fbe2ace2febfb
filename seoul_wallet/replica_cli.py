"""The command `seoul-wallet replica`: facts of the chain for verifiers that have none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from sqlalchemy import Engine

from wallet.adapters.evm.deployment import parse_deployment
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_snapshot import export_snapshot, import_bundle
from wallet.crypto.keys import Es256SigningKey, parse_jwk
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.errors import SeoulWalletError
from wallet.trust.replica_bundle import (
    MAX_BUNDLE_BYTES,
    issue_replica_bundle,
    verify_replica_bundle,
)

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_EXISTING: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("replica")
def replica() -> None:
    """Carry the finalized facts of the contracts to a verifier without a chain."""


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    """Open the database of a replica; what goes wrong ends the command with one line."""
    try:
        engine = open_engine(url)
        try:
            migrate(engine, "replica")
            yield engine
        finally:
            engine.dispose()
    except SeoulWalletError as error:
        raise click.ClickException(f"{error.code}: {error}") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error


@replica.command("export")
@click.option("--replica", "url", required=True, metavar="URL", help="The replica's database.")
@click.option("--key", required=True, type=_EXISTING, help="A P-256 secret, base64url.")
@click.option("--out", required=True, type=_FILE, help="The file to write.")
def export(url: str, key: Path, out: Path) -> None:
    """Sign everything that a replica holds into one file.

    Prints the public key, for the verifiers to pin.
    """
    with _engine(url) as engine:
        secret = base64url.decode(key.read_text("ascii").strip())
        signer = Es256SigningKey.from_secret(secret)
        snapshot = export_snapshot(engine)
        out.write_bytes(issue_replica_bundle(snapshot, signer, int(time.time())))
    click.echo(f"block {snapshot.head.number}, read at {snapshot.observed_at}", err=True)
    click.echo(to_json(signer.public_key.jwk).decode())


@replica.command("import")
@click.argument("bundle", type=_EXISTING)
@click.option("--replica", "url", required=True, metavar="URL", help="The database to fill.")
@click.option("--operator", required=True, type=_EXISTING, help="The pinned public key, a JWK.")
@click.option("--deployment", required=True, type=_EXISTING, help="As SEOUL_WALLET_DEPLOYMENT.")
def import_(bundle: Path, url: str, operator: Path, deployment: Path) -> None:
    """Fill a replica from a file that the pinned operator signed; an older file is refused.

    How old the facts may be is the verifier's policy, as with a replica that follows a chain.
    """
    with _engine(url) as engine:
        if bundle.stat().st_size > MAX_BUNDLE_BYTES:
            raise click.ClickException(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes")
        pinned = parse_jwk(parse_json_object(operator.read_bytes()))
        verified = verify_replica_bundle(bundle.read_bytes(), pinned)
        identity = parse_deployment(parse_json_object(deployment.read_bytes())).identity
        SqlReplica(engine).bind(identity)
        head = import_bundle(engine, verified)
    assurance = verified.snapshot.assurance
    age_s = int(time.time()) - min(head.time, verified.snapshot.observed_at)
    proven = "proven" if assurance.proven else "not proven"
    click.echo(f"block {head.number}, {age_s} s old, {assurance.endpoints} endpoints, {proven}")
