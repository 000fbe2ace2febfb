"""One election over HTTP: roll, credentials, wallets, ballot box, chain, tally, second opinion."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from ballotbox.export import complete_record
from ballotbox.storage.publication import SqlPublication
from ballotbox.storage.records import SqlBoxRecords
from issuer.calendar import seoul_day
from issuer.register.electoral_roll import Stratum, Voter
from issuer.voting import VOTING_CREDENTIAL
from mvote_verify.cli import INCOMPLETE
from mvote_verify.cli import main as mvote_verify
from seoul_wallet.ballotbox_cli import write_record
from seoul_wallet.cli import main as seoul_wallet
from seoul_wallet.sample.voters import write_roll
from seoul_wallet.server import ThreadedServer, free_port
from seoul_wallet.stack import CLERK
from seoul_wallet.stack_file import write_private
from tests.support.ballot_chain import ElectionOnChain
from tests.support.chains import ledger_stack
from tests.support.clock import SettableClock
from tests.support.holder_stores import create_store
from tests.support.issuing import ALICE, IssuerWorld, issuer_world
from tests.support.polling import PollingPlace, cast_through_wallet, choices_of
from tests.support.voting import OPENS, manifest
from wallet.adapters.evm.follower import Follower
from wallet.adapters.http.fetch import GuardedClient
from wallet.adapters.http.holder import HttpHolderTransport, RecentFacts
from wallet.adapters.http.sources import HttpDidResolver
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.engine import migrate, open_engine, sqlite_url
from wallet.adapters.sql.replica import SqlReplica
from wallet.adapters.sql.replica_records import SqlReplicaRecords
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.holder.ballot_box import BallotBoxClient, BallotNotAccepted
from wallet.holder.issuer_session import OfferRefused
from wallet.holder.tracking import Standing
from wallet.holder.voting import NoVotingCredential, Voting
from wallet.holder.wallet import Wallet
from wallet.ports.facts import BoardRegistry, BoardUnknown
from wallet.ports.holder import HttpAnswer
from wallet.voting.acceptance import ElectionNotOpen
from wallet.voting.ballot import Ballot, parse_ballot
from wallet.voting.board import BALLOT
from wallet.voting.eligibility import CredentialNotEligible
from wallet.voting.published import ElectionNotPublished

pytestmark = pytest.mark.loopback

CITIZENS, MEMBERS, VOTERS = 24, 22, 22
APPROVED = ("p1", "p3")


def roll(day: date) -> list[Voter]:
    """Citizens, committee members and a child; the first of each vote."""
    kinds = [Stratum.CITIZEN, Stratum.COMMITTEE] * MEMBERS
    kinds += [Stratum.CITIZEN] * (CITIZENS - MEMBERS)
    adults = [
        Voter(f"SYN-R-{number}", date(1990, 5, 5), "11590", kind, day, synthetic=True)
        for number, kind in enumerate(kinds, start=1)
    ]
    child = replace(adults[0], register_id="SYN-R-CHILD", birth_date=date(2020, 5, 5))
    return [*adults, child]


@dataclass
class Town:
    """An issuer, a ballot box on a chain, and residents with wallets, all over HTTP."""

    folder: Path
    issuer: IssuerWorld
    election: ElectionOnChain
    box_url: str
    boards: BoardRegistry
    client: GuardedClient
    wallets: dict[str, Wallet] = field(default_factory=dict)

    def resident(self, name: str, *, boards: BoardRegistry | None = None) -> Wallet:
        """A new wallet; not yet with a credential."""
        folder = self.folder / f"{name}-{len(self.wallets)}"
        folder.mkdir()
        store, clock = create_store(folder / "wallet.db"), self.election.clock
        made = Wallet(
            records=store,
            keys=SoftwareKeyStore(store),
            transport=HttpHolderTransport(self.client),
            dids=HttpDidResolver(self.client, RecentFacts(clock), clock, development=True),
            clock=clock,
            development=True,
            boards=boards,
            close=store.close,
        )
        self.wallets[folder.name] = made
        return made

    def offer(self, register_id: str) -> str:
        """A clerk offers a resident the voting credential."""
        self.issuer.clock.set(self.election.clock.now())
        body = {
            "configuration_id": VOTING_CREDENTIAL,
            "subject_id": register_id,
            "holder_id": register_id,
            "tx_code": False,
        }
        made = self.issuer.operate("/credential-offers", body)
        assert made.status_code == 201, made.text
        link: str = made.get_json()["link"]
        return link

    def voter(self, register_id: str) -> Wallet:
        """A resident who received the credential over OpenID4VCI."""
        wallet = self.resident(register_id, boards=self.boards)
        (card,) = wallet.receive(self.offer(register_id))
        assert card.claims["stratum"] in ("citizen", "committee")
        return wallet


def census_of(issuer: IssuerWorld, folder: Path) -> JsonObject:
    """What the organiser writes into the manifest, by `seoul-wallet issuer census`."""
    server = ThreadedServer(issuer.application.flask_app, urlsplit(issuer.base_url).port or 0)
    tokens = folder / "tokens.json"
    write_private(tokens, {"operators": {CLERK: ALICE}})
    url = issuer.base_url
    stack = {"issuer": url, "verifier": url, "tokens": str(tokens), "trust_anchor": None}
    write_private(folder / "stack.json", stack)
    done = CliRunner().invoke(
        seoul_wallet,
        ["issuer", "census", "--min-age", "14"],
        env={"SEOUL_WALLET_STACK": str(folder / "stack.json")},
    )
    server.stop()
    assert done.exit_code == 0, done.output
    return parse_json_object(done.output.encode())


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with ledger_stack("eth-tester") as stack:
        now = stack.now()
        (folder / "issuer").mkdir()
        write_roll(folder / "issuer", roll(seoul_day(now - 2 * 86_400)))
        ports = [free_port(), free_port()]
        issuer = issuer_world(
            folder / "issuer",
            base_url=f"http://localhost:{ports[0]}",
            config_changes={"development": True, "nym_epoch": "2027-1"},
            now=now,
        )
        electorate = census_of(issuer, folder)
        election = ElectionOnChain(stack, folder, **electorate)
        replica, chain_id = folder / "replica.db", stack.deployment.chain_id
        engine = open_engine(sqlite_url(replica))
        migrate(engine, "replica")
        servers = [
            ThreadedServer(issuer.application.flask_app, ports[0]),
            ThreadedServer(election.application.flask_app, ports[1]),
        ]
        client = GuardedClient(allow_loopback_http=True)
        election.open()
        Follower(election.reader, SqlReplica(engine), election.clock).run_once()
        boards = SqlReplicaRecords(engine, chain_id)
        box_url = f"http://localhost:{ports[1]}"
        running = Town(folder, issuer, election, box_url, boards, client)
        yield running
        for wallet in running.wallets.values():
            wallet.close()
        for server in servers:
            server.stop()
        client.close()
        engine.dispose()
        election.application.close()
        issuer.close()


def a_child_holds_a_credential_that_does_not_admit(town: Town) -> None:
    child = town.resident("child", boards=town.boards)
    child.receive(town.offer("SYN-R-CHILD"))
    with pytest.raises(CredentialNotEligible):
        child.voting.look(town.box_url)


def a_second_device_of_a_resident_gets_no_second_secret(town: Town) -> None:
    device = town.resident("second-device")
    with pytest.raises(OfferRefused) as refused:
        device.receive(town.offer("SYN-R-1"))
    assert refused.value.error == "nym_key_registered"
    assert device.credentials() == ()
    with pytest.raises(NoVotingCredential):
        device.voting.look(town.box_url)


def a_re_issued_credential_is_the_same_voter(town: Town) -> None:
    wallet = town.wallets["SYN-R-2-1"]
    election = town.election.application.box.election()
    wallet.receive(town.offer("SYN-R-2"))
    seen = wallet.voting.look(town.box_url)
    assert wallet.voting.find_own(town.box_url)
    assert len(wallet.credentials()) == 2
    assert seen.header.nullifier in {ballot.header.nullifier for ballot in on_board(town)}
    assert seen.election.digest == election.digest


def a_manifest_that_the_way_there_changes_is_not_shown(town: Town) -> None:
    class Thief(HttpHolderTransport):
        def get(self, url: str, *, accept: str) -> HttpAnswer:
            answer = super().get(url, accept=accept)
            body = answer.body.replace(b'"grace_s":600', b'"grace_s":601')
            return replace(answer, body=body) if url.endswith("manifest.json") else answer

    wallet = town.wallets["SYN-R-2-1"]
    voting = Voting(
        records=create_store(town.folder / "thief.db"),
        transport=Thief(town.client),
        clock=town.election.clock,
        credentials=lambda: (wallet.voting.look(town.box_url).credential,),
        boards=town.boards,
    )
    with pytest.raises(ElectionNotPublished):
        voting.look(town.box_url)


def a_box_that_the_chain_does_not_know_is_not_voted_at(town: Town) -> None:
    """Another election at another box; and ballots of this one are none of that one's."""
    value = parse_json_object(town.election.manifest.octets)
    electorate = {name: value[name] for name in ("eligibility", "census")}
    place = PollingPlace(
        town.folder / "other",
        manifest(trustees=2, threshold=2, id="another", **electorate),
        SettableClock(OPENS - 1000),
    ).open()
    port = free_port()
    server = ThreadedServer(place.application.flask_app, port)
    other = f"http://localhost:{port}"
    clock = SettableClock(OPENS)
    wallet = town.wallets["SYN-R-2-1"]
    credential = wallet.voting.look(town.box_url).credential
    known, unknown = (
        Voting(
            records=create_store(town.folder / f"{name}.db"),
            transport=HttpHolderTransport(town.client),
            clock=clock,
            credentials=lambda: (credential,),
            boards=boards,
        )
        for name, boards in (("with-chain", town.boards), ("without", None))
    )
    with pytest.raises(BoardUnknown):
        known.look(other)
    seen = unknown.look(other)
    assert seen.header.nullifier not in {item.header.nullifier for item in on_board(town)}
    box = BallotBoxClient(other, HttpHolderTransport(town.client))
    with pytest.raises(BallotNotAccepted) as refused:
        box.send(place.election, on_board(town)[0].octets)
    assert refused.value.reason in ("ballot_proof_invalid", "eligibility_proof_invalid")
    server.stop()
    place.close()


def a_ballot_is_not_sent_again_under_another_name(town: Town) -> None:
    first, second = on_board(town)[:2]
    copied = replace(
        first, header=replace(first.header, nullifier=second.header.nullifier, sequence=2)
    )
    election = town.election.application.box.election()
    box = BallotBoxClient(town.box_url, HttpHolderTransport(town.client))
    with pytest.raises(BallotNotAccepted) as refused:
        box.send(election, copied.octets)
    assert refused.value.reason == "ballot_replayed"


REFUSALS = (
    a_child_holds_a_credential_that_does_not_admit,
    a_second_device_of_a_resident_gets_no_second_secret,
    a_re_issued_credential_is_the_same_voter,
    a_manifest_that_the_way_there_changes_is_not_shown,
    a_box_that_the_chain_does_not_know_is_not_voted_at,
    a_ballot_is_not_sent_again_under_another_name,
)


def on_board(town: Town) -> list[Ballot]:
    """The ballots that the board shows."""
    box = BallotBoxClient(town.box_url, HttpHolderTransport(town.client))
    election = town.election.application.box.election()
    size = town.election.application.box.board.published_size()
    entries = box.all_entries(size)
    return [parse_ballot(item.payload, election) for item in entries if item.kind == BALLOT]


def test_an_election_from_the_roll_to_the_outcome(
    town: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    election, rules = town.election, town.election.manifest
    voters = [town.voter(f"SYN-R-{number}") for number in range(1, VOTERS + 1)]
    for wallet in voters:
        cast_through_wallet(wallet.voting, town.box_url, choices_of(rules, APPROVED))
    election.next_checkpoint()
    again = cast_through_wallet(voters[0].voting, town.box_url, choices_of(rules, ("p2",)))
    assert again.sequence == 2
    for refused in REFUSALS:
        refused(town)
    election.next_checkpoint()
    for wallet in voters[1:3]:
        assert wallet.track(town.box_url).standing is Standing.ON_BOARD
    tracked = voters[0].track(town.box_url, search=True)
    assert (tracked.ballot.tracking_code, tracked.counts) == (again.tracking_code, True)
    election.finish()
    with pytest.raises(ElectionNotOpen):
        voters[1].voting.look(town.box_url)
    election.count()
    record = town.folder / "record"
    engine = open_engine(election.database_url)
    publication = SqlPublication(engine, rules.digest)
    write_record(complete_record(rules, SqlBoxRecords(engine, rules.digest), publication), record)
    engine.dispose()
    code = again.tracking_code
    status = mvote_verify([str(record), "--ballot", code, "--workers", "1", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert status == INCOMPLETE
    skipped = [check["check"] for check in said["checks"] if check["status"] != "passed"]
    assert skipped == ["V6", "V16", "V18"]
    tally = json.loads((record / "tally.json").read_bytes())
    totals = [sum(column) for column in zip(*(g["totals"] for g in tally["groups"]), strict=True)]
    # All but one for p1 and p3, that one at last for p2.
    assert totals == [VOTERS - 1, 1, VOTERS - 1, 0, 0, 0]
