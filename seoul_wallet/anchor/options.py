"""What the anchor commands share: how the chain is reached, who signs, how times are written."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from eth_account import Account
from rich.console import Console
from web3 import Web3

from issuer.calendar import start_of
from seoul_wallet.chain import split_urls
from seoul_wallet.files import FileUnusable, read_file
from wallet.adapters.evm.deployment import Deployment, parse_deployment
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.quorum import MIN_ENDPOINTS, NodeQuorum, open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.sender import Sender
from wallet.adapters.sql.engine import sqlite_url
from wallet.encoding.json import parse_json_object
from wallet.errors import MalformedError

KEY_VARIABLE: Final = "SEOUL_WALLET_OPERATOR_KEY"
PASSPHRASE_VARIABLE: Final = "SEOUL_WALLET_KEY_PASSPHRASE"  # noqa: S105
_PIPE_WIDTH: Final = 140
MAX_KEY_FILE_BYTES: Final = 16 * 1024
KEYSTORE_VERSION: Final = 3
_HEX_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
F = TypeVar("F", bound=Callable[..., Any])


class OperatorKeyUnusable(MalformedError):
    """No key to sign with: none given, others may read its file, or it is not a key."""

    code = "operator_key_unusable"


@dataclass
class ChainOptions:
    """How the chain is reached."""

    urls: list[str]
    finality: str
    min_endpoints: int | None
    is_development: bool
    deployment_file: Path | None

    def nodes(self) -> NodeQuorum:
        """Return the quorum of the nodes. Raises `QuorumTooSmall`, `NodeUrlMalformed`."""
        default = 1 if self.is_development else MIN_ENDPOINTS
        return open_quorum(
            self.urls, required=self.min_endpoints or default, development=self.is_development
        )

    def w3(self) -> Web3:
        """Return a connection to the first node, to write and to call views."""
        return connect(self.urls[0])

    def deployment(self) -> Deployment:
        """Return the deployment of the file. Raises `FileUnusable`, `DeploymentMismatch`."""
        if self.deployment_file is None:
            raise click.UsageError("name the deployment: --deployment or SEOUL_WALLET_DEPLOYMENT")
        return parse_deployment(parse_json_object(read_file(self.deployment_file)))

    def reader(self, nodes: NodeQuorum) -> EvmLedgerReader:
        """Return a reader of the finalized facts. Raises `FinalityUnknown`."""
        return EvmLedgerReader(nodes, self.deployment(), finality=self.finality)


def chain_options(command: F) -> F:
    """Give a command `--rpc` and the rest of them; it takes them as its first argument."""

    @click.option(
        "--rpc",
        envvar="SEOUL_WALLET_RPC_URL",
        metavar="URL[,URL]",
        help="Nodes of the chain; put keys in such a URL into the environment. "
        "[env: SEOUL_WALLET_RPC_URL]",
    )
    @click.option(
        "--deployment",
        envvar="SEOUL_WALLET_DEPLOYMENT",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The file that `anchor deploy` wrote. [env: SEOUL_WALLET_DEPLOYMENT]",
    )
    @click.option(
        "--finality",
        envvar="SEOUL_WALLET_FINALITY",
        default="tag",
        show_default=True,
        metavar="MODE",
        help="tag, instant or depth:N. [env: SEOUL_WALLET_FINALITY]",
    )
    @click.option(
        "--min-endpoints",
        envvar="SEOUL_WALLET_MIN_ENDPOINTS",
        type=click.IntRange(1, 8),
        help="How many nodes must agree; 2 unless set.",
    )
    @click.option(
        "--development",
        envvar="SEOUL_WALLET_DEVELOPMENT_CHAIN",
        is_flag=True,
        help="Accept a single node, on loopback only.",
    )
    @wraps(command)
    def wrapped(
        *args: Any,
        rpc: str | None,
        deployment: Path | None,
        finality: str,
        min_endpoints: int | None,
        development: bool,
        **kwargs: Any,
    ) -> Any:
        options = ChainOptions(
            split_urls(rpc or ""), finality, min_endpoints, development, deployment
        )
        return command(options, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def require_urls(chain: ChainOptions) -> None:
    """Raise `UsageError` when no node is named."""
    if not chain.urls:
        raise click.UsageError("name the chain's nodes: --rpc or SEOUL_WALLET_RPC_URL")


def key_option(command: F) -> F:
    """Give a command `--key-file`."""
    return click.option(
        "--key-file",
        envvar="SEOUL_WALLET_OPERATOR_KEY_FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Who signs: a secp256k1 key in hexadecimal, or a JSON keystore whose passphrase is "
        f"asked for or in {PASSPHRASE_VARIABLE}. Without it the key is in {KEY_VARIABLE}. Never "
        "give a key as an argument. [env: SEOUL_WALLET_OPERATOR_KEY_FILE]",
    )(command)


def operator(w3: Web3, key_file: Path | None) -> Sender:
    """Return the sender of the operator's key. Raises `OperatorKeyUnusable`."""
    if key_file is None:
        text = os.environ.get(KEY_VARIABLE, "")
        if not text:
            raise OperatorKeyUnusable(f"give --key-file, or the key in {KEY_VARIABLE}")
    else:
        text = private_text(key_file)
    return Sender.from_secret(w3, _secret(text.strip()))


def private_text(path: Path) -> str:
    """Return what is in a file of a key. Raises `OperatorKeyUnusable` if others may read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            raw = file.read(MAX_KEY_FILE_BYTES)
    except OSError as error:
        raise OperatorKeyUnusable(f"the key file cannot be read: {error.strerror}") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise OperatorKeyUnusable("others may read the key file: chmod 600 it")
    return raw.decode("utf-8", "replace")


def _secret(text: str) -> bytes:
    if text.startswith("{"):
        passphrase = os.environ.get(PASSPHRASE_VARIABLE)
        if passphrase is None:
            passphrase = click.prompt("Passphrase of the key", hide_input=True, err=True)
        secret = _open_keystore(text, passphrase)
    else:
        found = _HEX_KEY.fullmatch(text)
        if found is None:
            raise OperatorKeyUnusable("a key is 32 bytes in hexadecimal, or a JSON keystore")
        secret = bytes.fromhex(found[1])
    try:
        Account.from_key(secret)
    except ValueError:
        raise OperatorKeyUnusable("the key is not one of secp256k1") from None
    return secret


def _open_keystore(text: str, passphrase: str) -> bytes:
    try:
        keystore = parse_json_object(text.encode())
    except MalformedError:
        raise OperatorKeyUnusable("the keystore is not JSON") from None
    if keystore.get("version") != KEYSTORE_VERSION:
        raise OperatorKeyUnusable(f"the keystore is not of version {KEYSTORE_VERSION}")
    try:
        return bytes(Account.decrypt(keystore, passphrase))
    except ValueError:
        raise OperatorKeyUnusable("the keystore does not open with this passphrase") from None
    except (KeyError, TypeError, ArithmeticError, NotImplementedError):
        # The library reads members as it needs them and raises what that raises: one is missing
        # (KeyError), of another type (TypeError), a number that is out of reach
        # (ArithmeticError), or a cipher or key derivation that it does not have.
        raise OperatorKeyUnusable("the keystore is incomplete or of another kind") from None


class Address(click.ParamType[str]):
    """An address of 20 bytes; mixed case must be a correct checksum (ERC-55)."""

    name = "address"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not _ADDRESS.fullmatch(value) or not (
            value[2:].islower() or value[2:].isupper() or Web3.is_checksum_address(value)
        ):
            self.fail("not an address, or one with a typing error", param, ctx)
        return str(value).lower()


class Digest(click.ParamType[bytes]):
    """32 bytes in hexadecimal."""

    name = "digest"

    def convert(self, value: Any, param: Any, ctx: Any) -> bytes:
        if isinstance(value, bytes):
            return value
        found = _HEX_KEY.fullmatch(value)
        if found is None:
            self.fail("not 32 bytes in hexadecimal", param, ctx)
        return bytes.fromhex(found[1])


class Moment(click.ParamType[int]):
    """A day in Seoul (its beginning), a time with its offset, or unix seconds."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        try:
            if value.isascii() and value.isdecimal():
                return int(value)
            if len(value) == len("2026-12-31"):
                return start_of(date.fromisoformat(value))
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail("not a day, a time with offset, or unix seconds", param, ctx)
        if moment.tzinfo is None:
            self.fail("a time needs its offset, as in 2026-12-31T18:00+09:00", param, ctx)
        return int(moment.timestamp())


ADDRESS: Final = Address()
DIGEST: Final = Digest()
MOMENT: Final = Moment()


def console() -> Console:
    """Return where tables go: as wide as the terminal, and wide enough where there is none."""
    found = Console()
    return found if found.is_terminal else Console(width=_PIPE_WIDTH)


def database_url(text: str, *, must_exist: bool = True) -> str:
    """Return the URL of a database that is named by URL or, for SQLite, by its file.

    Raises `FileUnusable` for a file that should be there and is not.
    """
    if "://" in text and not text.startswith("sqlite"):
        return text
    path = Path(text.removeprefix("sqlite:///")) if "://" in text else Path(text)
    if must_exist and not path.is_file():
        raise FileUnusable(f"there is no database {path.name}")
    return sqlite_url(path)
