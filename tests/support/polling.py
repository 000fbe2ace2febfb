"""A polling place for tests: a real ballot box with its trustees, and wallets that vote there.

Residents are synthetic. `cast_through_wallet` is one voter's whole way through a wallet.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from ballotbox.app import BallotBoxApplication, build_ballot_box
from ballotbox.timing import BoxTimes
from tests.support.bbs import ISSUER
from tests.support.clock import SettableClock
from tests.support.holder_stores import create_store
from tests.support.voting import EPOCH, OPENS, Trustees, manifest, signing_key
from wallet.adapters.sql.engine import sqlite_url
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.bbs_nym import nym_header, nym_layout, nym_messages
from wallet.credentials.formats import BBS_NYM_FORMAT
from wallet.credentials.voting import VOTING_CREDENTIAL_TYPE, voting_claims
from wallet.crypto.bbs.nym_issuance import NymCredential, blind_sign_with_nym
from wallet.crypto.bbs.registered_nym import verify_registered_commitment
from wallet.encoding.json import to_json
from wallet.holder.cards import HeldCredential, to_put
from wallet.holder.handles import new_nym_handle
from wallet.holder.nyms import Nyms
from wallet.holder.votes import CastBallot
from wallet.holder.voting import Voting
from wallet.holder.voting_secrets import VotingSecrets
from wallet.ports.facts import BoardRegistry
from wallet.ports.holder import HolderTransport, HttpAnswer, PeerUnreachable, RecordStore
from wallet.protocols.oid4vci.nym_proof import NymCredentialMessage, parse_nym_proof
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest

BOX_URL = "https://box.example"
BOX_FILE = "box.db"
ISSUER_URL = "https://issuer.example"
ENTROPY = 7
Alter = Callable[[str, str, HttpAnswer], HttpAnswer]


class AppTransport:
    """`HolderTransport` to one WSGI application at `BOX_URL`; remembers what was sent.

    `before` may refuse to send, `alter` may change or lose an answer after it was given.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.sent: list[tuple[str, str, bytes]] = []
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.alter: Alter = lambda method, path, answer: answer

    def get(self, url: str, *, accept: str) -> HttpAnswer:
        return self._send("GET", url, b"", {"Accept": accept})

    def post(self, url: str) -> HttpAnswer:
        raise PeerUnreachable("nobody answers this here")

    def post_form(self, url: str, form: bytes, *, accept: str = "application/json") -> HttpAnswer:
        raise PeerUnreachable("nobody answers this here")

    def post_json(self, url: str, value: Mapping[str, Any], *, bearer: str) -> HttpAnswer:
        raise PeerUnreachable("nobody answers this here")

    def post_body(
        self, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str]
    ) -> HttpAnswer:
        return self._send("POST", url, body, {**headers, "Content-Type": content_type})

    def _send(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer:
        split = urlsplit(url)
        if f"{split.scheme}://{split.netloc}" != BOX_URL:
            raise PeerUnreachable("nobody else is here")
        self.before(method, split.path)
        self.sent.append((method, split.path, body))
        path = split.path + (f"?{split.query}" if split.query else "")
        answer = self.app.test_client().open(path, method=method, data=body, headers=dict(headers))
        found = HttpAnswer(answer.status_code, answer.mimetype or "", answer.get_data())
        return self.alter(method, split.path, found)


@dataclass
class PollingPlace:
    """A ballot box whose key ceremony is over; `clock` is its own, the voters may have others."""

    folder: Path
    manifest: Manifest = field(default_factory=lambda: manifest(trustees=2, threshold=2))
    clock: SettableClock = field(default_factory=lambda: SettableClock(OPENS - 1000))
    application: BallotBoxApplication = field(init=False)
    trustees: Trustees | None = None

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.application = build_ballot_box(
            self.manifest,
            signing_key("board"),
            sqlite_url(self.folder / BOX_FILE),
            self.clock,
            times=BoxTimes(ceremony_round_s=100),
        )
        if self.trustees is None:
            self.trustees = Trustees(self.manifest)
            self._run_ceremony(self.trustees)

    def _run_ceremony(self, trustees: Trustees) -> None:
        while trustees.ceremony.round < 4:
            start = len(trustees.ceremony.payloads)
            trustees.run_round()
            for payload in trustees.ceremony.payloads[start:]:
                self.application.box.ceremony.take(payload)
            self.application.box.work()

    @property
    def election(self) -> Election:
        """The election that is voted in."""
        return self.application.box.election()

    def open(self) -> PollingPlace:
        """Move to the opening."""
        return self.work(self.manifest.opens)

    def work(self, now: int) -> PollingPlace:
        """Move to a time and do what the box's clock then asks for."""
        self.clock.set(now)
        self.application.box.work()
        return self

    def publish(self) -> PollingPlace:
        """Move on by a period of checkpoints, so that what was accepted is on the board."""
        return self.work(self.clock.now() + self.manifest.checkpoint_every_s)

    def copy(self, folder: Path) -> PollingPlace:
        """Return another one as this one was when it was closed, with the same trustees."""
        folder.mkdir(parents=True)
        for file in self.folder.glob(f"{BOX_FILE}*"):
            shutil.copy(file, folder)
        clock = SettableClock(self.clock.now())
        return PollingPlace(folder, self.manifest, clock, self.trustees)

    def close(self) -> None:
        """Release the database."""
        self.application.close()


@dataclass
class VotingWallet:
    """The part of a wallet that votes, over a real store."""

    store: SqliteRecordStore
    transport: HolderTransport
    voting: Voting

    @classmethod
    def at(
        cls,
        folder: Path,
        transport: HolderTransport,
        clock: SettableClock,
        *credentials: NymCredential,
        boards: BoardRegistry | None = None,
    ) -> VotingWallet:
        """Return a new wallet that holds these credentials."""
        folder.mkdir(parents=True, exist_ok=True)
        return cls.over(
            create_store(folder / "wallet.db"), transport, clock, *credentials, boards=boards
        )

    @classmethod
    def over(
        cls,
        store: SqliteRecordStore,
        transport: HolderTransport,
        clock: SettableClock,
        *credentials: NymCredential,
        boards: BoardRegistry | None = None,
    ) -> VotingWallet:
        """Return a wallet over a store that is there, as after a restart."""
        voting = Voting(
            records=store,
            transport=transport,
            clock=clock,
            credentials=lambda: credentials,
            boards=boards,
        )
        return cls(store, transport, voting)


def cast_through_wallet(voting: Voting, box_url: str, choices: Mapping[str, int]) -> CastBallot:
    """Cast a vote as a wallet does: look, prepare, cast. Returns it with its acceptance."""
    return voting.cast(voting.prepare(voting.look(box_url), choices))


def choices_of(manifest_: Manifest, approved: Sequence[str]) -> dict[str, int]:
    """The choices of a voter who approves these projects."""
    return {project.id: int(project.id in approved) for project in manifest_.projects}


def hold_voting_credential(
    records: RecordStore, voter: str = "one", *, received_at: int = OPENS, **changes: Any
) -> None:
    """Put a voting credential into a wallet's store, as its issuer and its wallet make it.

    `changes` are of `voting_claims` and `epoch`.
    """
    nyms, handle = Nyms(records, VotingSecrets(records)), new_nym_handle()
    epoch = changes.pop("epoch", EPOCH)
    claims = voting_claims(
        **{"district": "11590", "stratum": "citizen", "is_over_14": True, **changes}
    )
    proof = parse_nym_proof(nyms.commit(handle, ISSUER_URL, ISSUER.public_key, "n" * 22))
    commitment = verify_registered_commitment(
        proof.commitment,
        nym_layout(claims),
        public_key=ISSUER.public_key,
        nonce=proof.c_nonce.encode(),
        registered=None,
    ).commitment
    header = nym_header(VOTING_CREDENTIAL_TYPE)
    messages = nym_messages(VOTING_CREDENTIAL_TYPE, epoch, claims)
    signature = blind_sign_with_nym(ISSUER, commitment, ENTROPY, messages, header=header)
    message = NymCredentialMessage(
        VOTING_CREDENTIAL_TYPE,
        epoch,
        "did:web:issuer.example",
        "did:web:issuer.example#bbs-1",
        claims,
        ISSUER.public_key,
        signature,
        ENTROPY,
        header,
    )
    held = HeldCredential(
        id=f"voting-{voter}",
        credential_issuer=ISSUER_URL,
        configuration_id="voting-credential",
        credential=to_json(message.to_json()).decode(),
        key_handle=handle,
        received_at=received_at,
        format=BBS_NYM_FORMAT,
    )
    records.write(to_put(held))
