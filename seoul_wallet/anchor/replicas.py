"""The commands about a local replica: `follow`, `export`, `import` and `start-anew`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import Engine

from seoul_wallet.anchor.options import (
    ChainOptions,
    chain_options,
    database_url,
    private_text,
    require_urls,
)
from seoul_wallet.files import FileUnusable, read_file, write_new_file
from seoul_wallet.progress import progress_bar
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.follower import Follower
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_snapshot import export_snapshot, import_bundle
from wallet.crypto.keys import Es256SigningKey, parse_jwk
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.trust.facts import BlockRef
from wallet.trust.replica_bundle import (
    MAX_BUNDLE_BYTES,
    issue_replica_bundle,
    verify_replica_bundle,
)

_replica = click.option(
    "--replica",
    required=True,
    envvar="SEOUL_WALLET_REPLICA_URL",
    metavar="URL",
    help="The replica's database: URL or SQLite file. [env: SEOUL_WALLET_REPLICA_URL]",
)


@contextmanager
def open_replica(url: str, *, must_exist: bool = True) -> Iterator[Engine]:
    """Open a replica's database. Raises `FileUnusable`, `StorageUnavailable`."""
    engine = open_engine(database_url(url, must_exist=must_exist))
    try:
        migrate(engine, "replica")
        yield engine
    finally:
        engine.dispose()


def follow_once(chain: ChainOptions, engine: Engine) -> BlockRef:
    """Bring a replica up to the finalized block. Raises as `Follower.run_once` does."""
    require_urls(chain)
    nodes = chain.nodes()
    try:
        follower = Follower(chain.reader(nodes), SqlReplica(engine), SystemClock())
        with progress_bar() as progress:
            progress.add_task("following the chain", total=None)
            return follower.run_once()
    finally:
        nodes.close()


@click.command("follow")
@_replica
@chain_options
def follow(chain: ChainOptions, replica: str) -> None:
    """Bring a replica up to the finalized block, once; make it if it is not there.

    Services follow by themselves: this is for a machine that only makes bundles. Everything is
    proven before it is applied.
    """
    with open_replica(replica, must_exist=False) as engine:
        _tell("followed", follow_once(chain, engine))


@click.command("export")
@_replica
@click.option(
    "--signing-key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The operator's P-256 key: 32 bytes in base64url.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The bundle to write.",
)
def export_(replica: str, signing_key_file: Path, out: Path) -> None:
    """Write the replica as one signed file, for verifiers that reach no chain.

    Prints the public key as a JWK, for them to pin. Refused while the replica is empty or its
    alarm is raised.
    """
    secret = base64url.decode(private_text(signing_key_file).strip())
    key = Es256SigningKey.from_secret(secret)
    with open_replica(replica) as engine:
        snapshot = export_snapshot(engine)
    write_new_file(out, issue_replica_bundle(snapshot, key, SystemClock().now()))
    _tell("exported", snapshot.head)
    click.echo(to_json(dict(key.public_key.jwk)).decode())


@click.command("import")
@_replica
@click.option(
    "--bundle",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The file that `anchor export` wrote.",
)
@click.option(
    "--operator-key",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The operator's public key as a JWK, which you have from elsewhere than the bundle.",
)
@chain_options
def import_(chain: ChainOptions, replica: str, bundle: Path, operator_key: Path) -> None:
    """Replace a replica's facts by those of a signed bundle; make it if it is not there.

    The deployment file says whose facts are wanted. An older bundle than what the replica holds
    is refused, and so is one of another deployment or operator. How old the facts may be is the
    verifier's policy, as with a replica that follows a chain.
    """
    try:
        if bundle.stat().st_size > MAX_BUNDLE_BYTES:
            raise FileUnusable(f"a bundle has at most {MAX_BUNDLE_BYTES} bytes")
    except OSError as error:
        raise FileUnusable(f"{bundle.name} cannot be read: {error.strerror}") from None
    identity = chain.deployment().identity
    key = parse_jwk(parse_json_object(read_file(operator_key)))
    verified = verify_replica_bundle(read_file(bundle), key)
    with open_replica(replica, must_exist=False) as engine:
        SqlReplica(engine).bind(identity)
        head = import_bundle(engine, verified)
    _tell("imported", head)
    snapshot = verified.snapshot
    age_s = SystemClock().now() - min(head.time, snapshot.observed_at)
    proven = "proven" if snapshot.assurance.proven else "not proven"
    click.echo(f"{age_s} s old, {snapshot.assurance.endpoints} node(s) agreed, {proven}", err=True)


@click.command("start-anew")
@_replica
@click.option("--yes", is_flag=True, help="Do not ask.")
@chain_options
def start_anew(chain: ChainOptions, replica: str, yes: bool) -> None:
    """Forget a replica's facts and its alarm, and read everything again from genesis.

    For the day on which a final block was replaced: first find out, with others who run nodes,
    which chain is the true one, and name nodes of that chain here. Until the new facts are read
    and proven, verifiers of this replica answer `unavailable`.
    """
    require_urls(chain)
    with open_replica(replica) as engine:
        store = SqlReplica(engine)
        alarm, head = store.alarm(), store.head()
        click.echo(f"alarm: {alarm or 'none'}; facts up to block {head.number if head else '-'}")
        if not yes:
            click.confirm("Forget all of it?", abort=True)
        store.start_anew()
        _tell("followed", follow_once(chain, engine))


def _tell(done: str, head: BlockRef) -> None:
    click.echo(f"{done}: facts up to block {head.number}, 0x{head.hash.hex()}", err=True)
