"""A trustee's process that is killed in the middle of any step is started again and goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from seoul_wallet.server import ThreadedServer, free_port
from seoul_wallet.trustee.folder import HEADER_FILE, KeyFolder
from tests.support.chains import LedgerStack
from tests.support.trustee_desks import CHEAP, PASSPHRASE, TrusteeDesks, new_folder
from tests.support.trustee_process import TrusteeProcesses
from wallet.adapters.compute.here import ThisProcess
from wallet.encoding.json import parse_json_object
from wallet.voting.board import CEREMONY
from wallet.voting.decryption import KIND as SHARE
from wallet.voting.statements import parse_statement

KILLS = int(os.environ.get("SOAK_TRUSTEE_KILLS", "2"))
# More than any of them takes: the last runs end by themselves.
MAX_STEPS = 60
STRIDE = max(1, MAX_STEPS // (2 * KILLS))
KILLED = -signal.SIGKILL

pytestmark = [pytest.mark.soak, pytest.mark.loopback]


@pytest.fixture(scope="module")
def processes() -> Iterator[TrusteeProcesses]:
    with TrusteeProcesses() as started:
        yield started


class KilledTrustee:
    """The first trustee of an election, whose tool is killed `KILLS` times in everything it does.

    The second one, in this process, has better luck.
    """

    def __init__(self, desks: TrusteeDesks, processes: TrusteeProcesses) -> None:
        self.desks = desks
        self.killed = 0
        self._processes = processes
        port = free_port()
        self._url = f"http://localhost:{port}"
        self._server = ThreadedServer(desks.election.application.flask_app, port)

    @property
    def folder(self) -> KeyFolder:
        """The key folder, opened anew."""
        return KeyFolder.open(self.desks.folders[0].path, PASSPHRASE, floor=CHEAP)

    def does(self, verb: str) -> None:
        """Be killed at later and later steps of it, then do it to its end."""
        for stop in [*range(0, KILLS * STRIDE, STRIDE), None]:
            path, now = self.desks.folders[0].path, self.desks.election.clock.now()
            status = self._processes.run(verb, path, stop=stop, url=self._url, now=now)
            assert status in ({0} if stop is None else {0, KILLED})
            self.killed += status == KILLED
            self._check_aggregate()

    def _check_aggregate(self) -> None:
        """Whatever was sent is of the one aggregate that was written down before."""
        for payload in self.desks.election.application.publication.messages(SHARE):
            body = parse_statement(payload).body
            if body["trustee"] == 1:
                written = self.folder.get("decrypted-aggregate")
                assert written is not None
                assert body["aggregate"] == written.hex()

    def close(self) -> None:
        """Stop the ballot box."""
        self._server.stop()
        self.desks.election.application.close()


@pytest.fixture
def trustee(
    stack: LedgerStack, processes: TrusteeProcesses, tmp_path: Path
) -> Iterator[KilledTrustee]:
    made = KilledTrustee(TrusteeDesks(stack, tmp_path, count=2), processes)
    yield made
    made.close()


@pytest.mark.timeout(0)
def test_a_trustee_that_is_killed_in_everything_it_does_decrypts_one_aggregate(
    trustee: KilledTrustee,
) -> None:
    desks, election = trustee.desks, trustee.desks.election
    trustee.does("join")
    desks.join(2)
    for _ in CEREMONY:
        trustee.does("advance")
        desks.office(2).advance()
        election.application.box.work()
    trustee.does("advance")
    desks.office(2).advance()
    election.open_board()
    election.vote(range(1, 22))
    election.finish()
    election.work()
    trustee.does("decrypt")
    desks.office(2).decrypt(ThisProcess(), lambda done, total: None)
    election.travel_to(election.manifest.tie_block_time + 1)
    election.settle(lambda: election.application.publication.tie_block() is not None)
    trustee.does("nonce")
    desks.office(2).reveal_nonce()
    election.settle(lambda: election.application.publication.state().sealed is not None)
    assert trustee.killed >= 2 * KILLS
    result = election.application.publication.result()
    assert result is not None
    tally, outcome = parse_json_object(result.tally), parse_json_object(result.outcome)
    assert (tally["trustees"], tally["ignored"], outcome["withheld"]) == ([1, 2], [], [])
    assert sum(group["counted"] for group in tally["groups"]) == 21


def test_keys_that_are_being_made_when_the_power_fails_are_there_whole_or_made_anew(
    processes: TrusteeProcesses, tmp_path: Path
) -> None:
    kept = []
    for stop in range(8):
        path = tmp_path / f"keys-{stop}"
        status = processes.run("new", path, stop=stop)
        is_there = (path / HEADER_FILE).exists()
        assert status == (KILLED if stop < 4 else 0)
        kept.append(is_there)
        folder = KeyFolder.open(path, PASSPHRASE, floor=CHEAP) if is_there else new_folder(path)
        assert KeyFolder.open(path, PASSPHRASE, floor=CHEAP).public == folder.public
    assert kept == sorted(kept)
    assert set(kept) == {False, True}
