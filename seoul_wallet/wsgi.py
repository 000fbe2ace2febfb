"""WSGI factories for production: services composed from the environment over a real chain.

Besides what `issuer.config`, `verifier.config` and `ballotbox.config` read (the register of
exclusion groups reads `verifier.exclusions.config` alone):

SEOUL_WALLET_RPC_URL            JSON-RPC addresses of nodes that others run, separated by commas
SEOUL_WALLET_MIN_ENDPOINTS      how many of them must agree; 2 unless set
SEOUL_WALLET_DEVELOPMENT_CHAIN  1 accepts a single node, on loopback only
SEOUL_WALLET_RPC_TIMEOUT_S      how long a node may take to answer; 10 unless set
SEOUL_WALLET_DEPLOYMENT         a JSON file: chain_id, first_block, contracts with address and
                                code_hash
SEOUL_WALLET_FINALITY           tag (default), instant or depth:N
SEOUL_WALLET_REPLICA_URL        the database of the local replica of the contracts
SEOUL_WALLET_CONTROLLER_KEY     a file with a secp256k1 key in hex: the issuer's controller, the
                                operator of the ballot box's board, or, for a verifier that anchors
                                receipts of decisions, its own controller
SEOUL_WALLET_MAX_FEE_GWEI       the most that is paid per gas (default 300)
SEOUL_WALLET_FEE_RAISE_AFTER_S  seconds after which a stuck offer is raised (default 120)
SEOUL_WALLET_REGISTER           issuer: the folder of families.csv and appointments.csv, and with
                                a file sector-key of the registers that evidence is drawn from;
                                voters.csv, if there is one, is the electoral roll of the epoch
"""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from sqlalchemy import Engine

from ballotbox.app import board_name, build_ballot_box, check_board_chain
from ballotbox.config import BallotBoxConfig
from issuer.app import build_issuer
from issuer.config import IssuerConfig
from issuer.register.csv_evidence import SECTOR_KEY_FILE, CsvEvidenceRegister
from issuer.register.csv_register import (
    APPOINTMENTS_FILE,
    FAMILIES_FILE,
    VOTERS_FILE,
    CsvAppointmentRegister,
    CsvElectoralRoll,
    CsvFamilyRegister,
)
from seoul_wallet.chain import split_urls
from seoul_wallet.worker_process import CLOSE_TIMEOUT_S, end_in_order
from verifier.app import build_verifier
from verifier.config import VerifierConfig
from verifier.exclusions.config import RegisterConfig
from verifier.register_app import build_exclusion_register
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.board import EvmBoardWriter
from wallet.adapters.evm.deployment import (
    CONTRACTS,
    Deployment,
    DeploymentMismatch,
    parse_deployment,
)
from wallet.adapters.evm.fees import GWEI, FeeLimits
from wallet.adapters.evm.follower import Follower
from wallet.adapters.evm.node import connect
from wallet.adapters.evm.publisher import Publisher
from wallet.adapters.evm.quorum import MIN_ENDPOINTS, NodeQuorum, open_quorum
from wallet.adapters.evm.reader import EvmLedgerReader
from wallet.adapters.evm.rpc import REQUEST_TIMEOUT_S
from wallet.adapters.evm.writer import EvmLedgerWriter
from wallet.adapters.sql.engine import migrate, open_engine
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_records import SqlReplicaRecords
from wallet.encoding.json import parse_json_object
from wallet.errors import MalformedError
from wallet.ports.facts import ChainUnavailable

PREFIX = "SEOUL_WALLET_"
_LOG = logging.getLogger(__name__)


class SettingMissing(MalformedError):
    """A setting of the composition is missing or cannot be used; the message names it."""

    code = "setting_missing"


@dataclass(frozen=True, slots=True)
class _Chain:
    """What both services need of the chain; transactions go to the node at `url`.

    `ends` lets go of what was opened, the latest first.
    """

    url: str
    deployment: Deployment
    replica: SqlReplica
    records: SqlReplicaRecords
    follower: Follower
    reader: EvmLedgerReader
    # contracts that take no new records
    deprecated: frozenset[str]
    ends: ExitStack


def _text(name: str, default: str | None = None) -> str:
    value = os.environ.get(PREFIX + name, default)
    if not value:
        raise SettingMissing(f"{PREFIX}{name} is not set")
    return value


def _number(name: str, default: int) -> int:
    text = _text(name, str(default))
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:9]) < 10**8):
        raise SettingMissing(f"{PREFIX}{name} is not a positive whole number")
    return int(text)


def _bytes(name: str) -> bytes:
    try:
        return Path(_text(name)).read_bytes()
    except OSError:
        raise SettingMissing(f"{PREFIX}{name} names a file that cannot be read") from None


def _nodes(urls: list[str]) -> NodeQuorum:
    is_development = _text("DEVELOPMENT_CHAIN", "0") == "1"
    return open_quorum(
        urls,
        required=_number("MIN_ENDPOINTS", 1 if is_development else MIN_ENDPOINTS),
        development=is_development,
        timeout_s=_number("RPC_TIMEOUT_S", int(REQUEST_TIMEOUT_S)),
    )


def _reader(urls: list[str]) -> tuple[EvmLedgerReader, NodeQuorum, frozenset[str]]:
    """Return the reader, its nodes, and which contracts are deprecated."""
    nodes = _nodes(urls)
    deployment = parse_deployment(parse_json_object(_bytes("DEPLOYMENT")))
    reader = EvmLedgerReader(nodes, deployment, finality=_text("FINALITY", "tag"))
    deprecated: frozenset[str] = frozenset()
    try:
        deprecated = reader.check_deployment()
    except DeploymentMismatch:
        nodes.close()
        raise
    except ChainUnavailable as error:
        # A verifier decides from its replica while the chain is away, also after a restart. What
        # could not be checked now is proven before anything is applied.
        _LOG.warning("the deployment could not be checked at the start: %s", error.code)
    if deprecated:
        _LOG.warning("deprecated in the directory: %s", ", ".join(sorted(deprecated)))
    return reader, nodes, deprecated


def check_start(service: str) -> None:
    """Raise what a service (`issuer`, `verifier`, `ballotbox`, `register`) would end with at once.

    Raises `SettingMissing`, `DeploymentMismatch`, `NodeUrlMalformed`, `QuorumTooSmall`,
    `FinalityUnknown`, and what the service's own configuration raises; for the register what
    `build_exclusion_register` raises.
    """
    if service == "register":
        build_exclusion_register(RegisterConfig.from_env(), clock=SystemClock()).close()
        return
    reader, nodes, deprecated = _reader(split_urls(_text("RPC_URL")))
    nodes.close()
    if service == "issuer":
        _check_takes_records(deprecated)
        IssuerConfig.from_env()
    elif service == "ballotbox":
        check_board_chain(BallotBoxConfig.from_env().manifest, reader.deployment)
    else:
        VerifierConfig.from_env()


def _check_takes_records(deprecated: frozenset[str]) -> None:
    for name in sorted(deprecated & set(CONTRACTS)):
        raise DeploymentMismatch(f"{name} is deprecated in the directory: use its successor")


def _chain() -> _Chain:
    ends = ExitStack()
    urls = split_urls(_text("RPC_URL"))
    reader, nodes, deprecated = _reader(urls)
    ends.callback(nodes.close)
    engine = open_engine(_text("REPLICA_URL"))
    ends.callback(engine.dispose)
    migrate(engine, "replica")
    replica = SqlReplica(engine)
    records = SqlReplicaRecords(engine, reader.deployment.chain_id)
    follower = Follower(reader, replica, SystemClock())
    return _Chain(urls[0], reader.deployment, replica, records, follower, reader, deprecated, ends)


def _writer(chain: _Chain, database_url: str) -> EvmLedgerWriter:
    engine = open_engine(database_url)
    chain.ends.callback(engine.dispose)
    publisher = _publisher(chain.url, chain.reader, engine)
    return EvmLedgerWriter(connect(chain.url), chain.deployment, publisher)


def _publisher(url: str, reader: EvmLedgerReader, engine: Engine) -> Publisher:
    """Return the publisher of the controller's key, with its journal in a database."""
    fees = FeeLimits()
    migrate(engine, "outbox")
    try:
        return Publisher.from_secret(
            connect(url),
            bytes.fromhex(_bytes("CONTROLLER_KEY").decode("ascii").strip()),
            chain_id=reader.deployment.chain_id,
            journal=SqlTransactionJournal(engine),
            clock=SystemClock(),
            finalized=reader.finalized_head,
            fees=FeeLimits(
                max_fee_wei=_number("MAX_FEE_GWEI", fees.max_fee_wei // GWEI) * GWEI,
                raise_after_s=_number("FEE_RAISE_AFTER_S", fees.raise_after_s),
            ),
        )
    except ValueError:
        raise SettingMissing(f"{PREFIX}CONTROLLER_KEY holds no key in hex") from None


def issuer_app() -> Flask:
    """Return the issuer's application; its worker thread runs. Raises typed errors at start."""
    chain = _chain()
    _check_takes_records(chain.deprecated)
    folder = Path(_text("REGISTER"))
    families = CsvFamilyRegister(folder / FAMILIES_FILE)
    appointments = CsvAppointmentRegister(folder / APPOINTMENTS_FILE)
    families.load()
    appointments.load()
    evidence = roll = None
    if (folder / SECTOR_KEY_FILE).exists():
        evidence = CsvEvidenceRegister(folder, families)
        evidence.load()
    if (folder / VOTERS_FILE).exists():
        roll = CsvElectoralRoll(folder / VOTERS_FILE)
        roll.load()
    config = IssuerConfig.from_env()
    application = build_issuer(
        config,
        ledger_writer=_writer(chain, config.database_url),
        replica=chain.replica,
        follower=chain.follower,
        clock=SystemClock(),
        families=families,
        evidence=evidence,
        roll=roll,
        appointments=appointments,
    )
    application.run_worker()
    chain.ends.callback(application.close, CLOSE_TIMEOUT_S)
    end_in_order(chain.ends)
    return application.flask_app


def verifier_app() -> Flask:
    """Return the verifier's application; its follower thread runs. Raises typed errors."""
    chain = _chain()
    config = VerifierConfig.from_env()
    anchors = bool(os.environ.get(PREFIX + "CONTROLLER_KEY"))
    if anchors:
        _check_takes_records(chain.deprecated)
    verifier = build_verifier(
        config,
        replica=chain.replica,
        follower=chain.follower,
        clock=SystemClock(),
        did_histories=chain.records,
        ledger_writer=_writer(chain, config.database_url) if anchors else None,
    )
    verifier.background.start()
    chain.ends.callback(verifier.close, CLOSE_TIMEOUT_S)
    end_in_order(chain.ends)
    return verifier.app


def ballotbox_app() -> Flask:
    """Return the ballot box's application; its worker threads run. Raises typed errors."""
    ends = ExitStack()
    urls = split_urls(_text("RPC_URL"))
    reader, nodes, _ = _reader(urls)
    ends.callback(nodes.close)
    config = BallotBoxConfig.from_env()
    check_board_chain(config.manifest, reader.deployment)
    journal = open_engine(config.database_url)
    ends.callback(journal.dispose)
    application = build_ballot_box(
        config.manifest,
        config.signing_key,
        config.database_url,
        SystemClock(),
        writer=EvmBoardWriter(
            connect(urls[0]),
            reader,
            _publisher(urls[0], reader, journal),
            board_name(config.manifest),
        ),
        times=config.times,
        count_workers=config.count_workers,
    )
    application.run_worker()
    ends.callback(application.close, CLOSE_TIMEOUT_S)
    end_in_order(ends)
    return application.flask_app


def register_app() -> Flask:
    """Return the application of the register of exclusion groups. Raises typed errors at start."""
    register = build_exclusion_register(RegisterConfig.from_env(), clock=SystemClock())
    ends = ExitStack()
    ends.callback(register.close)
    end_in_order(ends)
    return register.app
