"""A whole local stack on loopback: chain, issuer with a register, verifier, holder side.

Keys, tokens and databases lie in one folder that the caller names. Everything here is for
demonstrations and development: the register is synthetic and the keys are throw-away. VC-API is
open, with issuers of its own that are never accredited.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Final
from urllib.parse import quote

from issuer.app import IssuerApplication, build_issuer
from issuer.authorization.clients import Client, ClientPolicy
from issuer.config import IssuerConfig, Operator
from issuer.parts import ServiceSettings
from issuer.register.appointment_letter import APPOINTMENT_LETTER_TYPE
from issuer.register.card_rule import FAMILY_CARD_TYPE
from issuer.register.csv_evidence import CsvEvidenceRegister
from issuer.register.csv_register import (
    APPOINTMENTS_FILE,
    FAMILIES_FILE,
    VOTERS_FILE,
    CsvAppointmentRegister,
    CsvElectoralRoll,
    CsvFamilyRegister,
)
from issuer.status import StatusTimes
from seoul_wallet.chain import LocalChain
from seoul_wallet.contexts import development_json_ld
from seoul_wallet.holder_api import build_holder_app
from seoul_wallet.sample.children import make_children
from seoul_wallet.sample.register import APPOINTMENTS, make_sample_register
from seoul_wallet.sample.residents import make_residents, never_received, write_evidence
from seoul_wallet.sample.voters import make_voters, write_roll
from seoul_wallet.server import ThreadedServer, free_port
from seoul_wallet.tls import LocalTls, Signer, make_local_tls
from verifier.app import Verifier, build_verifier
from verifier.catalogue import (
    ProgrammeShelf,
    example_programme_files,
    read_programme_files,
)
from verifier.config import VerifierConfig
from verifier.eligibility import programme_query
from verifier.exclusions.config import RegisterAtHand, RegisterConfig, did_of
from verifier.queries import DEFAULT_QUERIES
from verifier.register_app import ExclusionRegisterApplication, build_exclusion_register
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.follower import Follower
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.outbox import SqlTransactionJournal
from wallet.adapters.sql.replica import SqlReplica
from wallet.anchoring import AnchorTimes
from wallet.credentials.account import ACCOUNT_TYPE
from wallet.credentials.contract import CONTRACT_TYPE
from wallet.credentials.delegation import GUARDIANSHIP_TYPE
from wallet.credentials.jwe import DecryptionKey
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE
from wallet.crypto.certificates import TrustAnchors
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.eligibility.benefit_key import BENEFIT_KEY_TYPE
from wallet.eligibility.clauses import Window
from wallet.eligibility.evidence_types import evidence_types
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.holder.client_identity import ClientIdentity
from wallet.protocols.registration import Registration, registrations_of
from wallet.verification.policy import TrustPolicy

CLERK: Final = "clerk"
DIRECTOR: Final = "director"
# The wallet of the command line, as its issuer knows it.
APP: Final = ClientIdentity()
# The folder of a stack in which notices to people wait for a gateway that sends messages.
NOTICES: Final = "notices"
AGENCY: Final = "sports-centre"
VERIFIER_REPLICA: Final = "verifier-replica.db"
# The example programmes of which a person may have one a year.
EXCLUSION_GROUP: Final = "youth-benefits"


@dataclass(frozen=True, kw_only=True, slots=True)
class StackTimes:
    """How fast the stack moves, in seconds. The defaults suit a person who watches."""

    anchor_interval_s: int = 2
    worker_interval_s: float = 0.5
    status_reuse_s: int = 2
    follow_interval_s: int = 1
    refresh_after_s: int = 2
    max_replica_age_s: int = 3600


@dataclass
class LocalStack:
    """A running stack; `operator_tokens` and `agency_token` are its people's bearer tokens.

    `development_dids` are the issuers of VC-API by key; `tls` is made in any case and serves only
    a stack over https.
    """

    folder: Path
    chain: LocalChain
    issuer: IssuerApplication
    issuer_url: str
    issuer_did: str
    verifier: Verifier
    verifier_url: str
    register: ExclusionRegisterApplication
    holder_url: str
    development_dids: dict[str, str]
    tls: LocalTls
    families: CsvFamilyRegister
    appointments: CsvAppointmentRegister
    operator_tokens: dict[str, str]
    agency_token: str
    verifier_replica: SqlReplica
    _ends: ExitStack

    def __enter__(self) -> LocalStack:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop services, workers and the chain, if it is ours; let go of every database."""
        self._ends.close()


def start_stack(
    folder: Path,
    chain: LocalChain,
    *,
    seed: int = 1,
    households: int = 1000,
    residents: int = 0,
    on: date,
    times: StackTimes | None = None,
    with_tls: bool = False,
    programmes: Path | None = None,
) -> LocalStack:
    """Start issuer, verifier and holder side in `folder` over a running chain.

    The register has `households` synthetic families as of `on`; with `residents` there are
    registers of evidence about as many people and the families' children, and an electoral roll,
    and the issuer may issue evidence and voting credentials. `with_tls` makes a certificate for
    localhost and serves all of it over https. `programmes` is a folder of programme files, the
    examples if None. Raises what configuration, storage and chain raise.
    """
    pace = StackTimes() if times is None else times
    folder.mkdir(parents=True, exist_ok=True)
    make_sample_register(seed=seed, households=households, on=on, appointments=APPOINTMENTS).write(
        folder
    )
    families = CsvFamilyRegister(folder / FAMILIES_FILE)
    appointments = CsvAppointmentRegister(folder / APPOINTMENTS_FILE)
    families.load()
    appointments.load()
    evidence = roll = None
    if residents:
        people = list(make_residents(seed=seed, count=residents, on=on))
        if programmes is not None:
            people = never_received(people, _counted_by_documents(programmes))
        known = (family for chunk in families.families() for family in chunk)
        children = make_children(known, seed=seed, on=on)
        write_evidence(folder, [*people, *children], seed=seed)
        evidence = CsvEvidenceRegister(folder, families)
        evidence.load()
        write_roll(folder, make_voters(people, seed=seed, on=on))
        roll = CsvElectoralRoll(folder / VOTERS_FILE)
        roll.load()
    clock = SystemClock()
    tokens = {name: secrets.token_urlsafe(24) for name in (CLERK, DIRECTOR)}
    agency_token = secrets.token_urlsafe(24)
    register_token = secrets.token_urlsafe(24)
    ports = [free_port() for _ in range(4)]
    issuer_url, verifier_url, holder_url, register_url = (
        f"{'https' if with_tls else 'http'}://localhost:{port}" for port in ports
    )
    verifier_key = Es256SigningKey.generate()
    verifier_did = "did:web:" + quote(verifier_url.partition("://")[2], safe="")
    signer = Signer(
        "Seoul Wallet development verifier", verifier_key.public_key.compressed, verifier_did
    )
    tls = make_local_tls(folder, now=clock.now(), signers={"verifier": signer})
    ca_file = str(tls.trust_anchor)
    json_ld = development_json_ld()
    # Beside the databases and the chain's state: with it others can follow what is kept.
    (folder / "deployment.json").write_bytes(to_json(chain.deployment.to_json()))
    issuer_config = IssuerConfig(
        base_url=issuer_url,
        signing_key=Es256SigningKey.generate(),
        database_url=sqlite_url(folder / "issuer.db"),
        operators=tuple(Operator(name, sha256(token.encode())) for name, token in tokens.items()),
        development=True,
        vc_api=True,
        worker_interval_s=pace.worker_interval_s,
        settings=ServiceSettings(
            anchoring=AnchorTimes(interval_s=pace.anchor_interval_s),
            status=StatusTimes(reuse_s=pace.status_reuse_s),
            clients=ClientPolicy(
                clients=(Client(APP.client_id, (APP.redirect_uri,), "Seoul Wallet"),)
            ),
        ),
        nym_epoch=str(on.year),
        contact_spool=folder / NOTICES,
    )
    ends = ExitStack()
    ends.callback(chain.stop)
    issuer_replica = _replica(folder / "issuer-replica.db", ends)
    verifier_replica = _replica(folder / VERIFIER_REPLICA, ends)
    issuer_follower = Follower(chain.reader(), issuer_replica, clock)
    issuer = build_issuer(
        issuer_config,
        ledger_writer=chain.writer(_journal(issuer_config.database_url, ends), clock),
        replica=issuer_replica,
        follower=issuer_follower,
        clock=clock,
        families=families,
        appointments=appointments,
        evidence=evidence,
        roll=roll,
        json_ld=json_ld,
    )
    ends.callback(issuer.close)
    register = build_exclusion_register(
        _register_config(folder, register_url, verifier_url, register_token), clock=clock
    )
    ends.callback(register.close)
    types = [FAMILY_CARD_TYPE, APPOINTMENT_LETTER_TYPE]
    if roll is not None:
        types.append(VOTING_CREDENTIAL_TYPE)
    if evidence is not None:
        types += [GUARDIANSHIP_TYPE, *(kind.vct for kind in evidence_types().by_name.values())]
        types += [BENEFIT_KEY_TYPE, ACCOUNT_TYPE, CONTRACT_TYPE]
    chain.accredit(issuer.service.identity.did, tuple(types))
    chain.accredit_agency(verifier_did)
    registrations = _registrations(on, programmes, with_programmes=evidence is not None)
    chain.register(verifier_did, registrations)
    chain.run()
    verifier_database = sqlite_url(folder / "verifier.db")
    verifier = build_verifier(
        VerifierConfig(
            base_url=verifier_url,
            database_url=verifier_database,
            signing_key_file=_key_file(folder / "verifier-key", verifier_key),
            certificate_file=tls.signers["verifier"],
            trust_anchors=TrustAnchors.from_pem(tls.trust_anchor.read_bytes()),
            page_queries=frozenset(DEFAULT_QUERIES),
            registrations=registrations,
            programmes_folder=programmes,
            agency_token_digests={AGENCY: sha256(agency_token.encode())},
            trust=TrustPolicy(max_replica_age_s=pace.max_replica_age_s),
            exclusion_register=RegisterAtHand(register_url, register.key, register_token),
            follow_interval_s=pace.follow_interval_s,
            refresh_after_s=pace.refresh_after_s,
            anchor_interval_s=pace.anchor_interval_s,
            recheck_interval_s=pace.refresh_after_s,
            development=True,
            vc_api=True,
        ),
        replica=verifier_replica,
        follower=Follower(chain.reader(), verifier_replica, clock),
        clock=clock,
        ledger_writer=chain.agency_writer(_journal(verifier_database, ends), clock),
        json_ld=json_ld,
        ca_file=ca_file,
    )
    ends.callback(verifier.close)
    holder, holder_client = build_holder_app(holder_url, json_ld, ca_file=ca_file)
    ends.callback(holder_client.close)
    development_issuer = issuer.development_issuer
    context = tls.server_context() if with_tls else None
    applications = (issuer.flask_app, verifier.app, holder, register.app)
    for app, port in zip(applications, ports, strict=True):
        ends.callback(ThreadedServer(app, port, tls=context).stop)
    issuer.run_worker()
    verifier.background.start()
    return LocalStack(
        folder=folder,
        chain=chain,
        issuer=issuer,
        issuer_url=issuer_config.base_url,
        issuer_did=issuer.service.identity.did,
        verifier=verifier,
        verifier_url=verifier_url,
        register=register,
        holder_url=holder_url,
        development_dids=dict(development_issuer.dids if development_issuer else {}),
        tls=tls,
        families=families,
        appointments=appointments,
        operator_tokens=tokens,
        agency_token=agency_token,
        verifier_replica=verifier_replica,
        _ends=ends,
    )


def _counted_by_documents(folder: Path) -> frozenset[str]:
    """Return of which programmes those of a folder ask what was received."""
    catalogue = ProgrammeShelf(partial(read_programme_files, folder)).load()
    return frozenset(
        fact.path[1]
        for programme in catalogue.programmes()
        for fact in programme.facts.values()
        if fact.path[0] == "received"
    )


def _registrations(
    on: date, folder: Path | None, *, with_programmes: bool
) -> tuple[Registration, ...]:
    """Return what the verifier registers: its named queries, and the programmes on that day."""
    queries = list(DEFAULT_QUERIES.values())
    if with_programmes:
        shelf = ProgrammeShelf(
            example_programme_files if folder is None else partial(read_programme_files, folder)
        )
        queries += map(programme_query, shelf.load().all_in_force(on))
    return tuple(words for one in queries for words in registrations_of(one.query, one.purpose))


def _register_config(
    folder: Path, register_url: str, verifier_url: str, token: str
) -> RegisterConfig:
    return RegisterConfig(
        base_url=register_url,
        database_url=sqlite_url(folder / "exclusions.db"),
        key=DecryptionKey.generate(),
        groups={EXCLUSION_GROUP: Window(calendar_year=True)},
        agency_token_digests={did_of(verifier_url): sha256(token.encode())},
        development=True,
    )


def _journal(database_url: str, ends: ExitStack) -> SqlTransactionJournal:
    engine = open_engine(database_url)
    ends.callback(engine.dispose)
    migrate(engine, "outbox")
    return SqlTransactionJournal(engine)


def _replica(path: Path, ends: ExitStack) -> SqlReplica:
    engine = open_engine(sqlite_url(path))
    ends.callback(engine.dispose)
    migrate(engine, "replica")
    return SqlReplica(engine)


def _key_file(path: Path, key: Es256SigningKey) -> Path:
    path.touch(mode=0o600)
    path.write_text(base64url.encode(key.secret()), "ascii")
    return path
