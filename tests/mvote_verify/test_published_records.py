"""What a ballot box publishes, checked by the independent verifier: offline, and on its chain."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ballotbox.config import VARIABLE
from ballotbox.service import BallotRefused
from mvote_verify.cli import INCOMPLETE, SUCCESS
from mvote_verify.cli import main as mvote_verify
from seoul_wallet.cli import main as seoul_wallet
from tests.support.ballot_chain import ElectionOnChain
from tests.support.chains import ledger_stack
from tests.support.voting import secret, voter
from wallet.encoding import base64url
from wallet.voting.ballot import Ballot, ballot_digest, parse_ballot, tracking_code
from wallet.voting.board import BALLOT
from wallet.voting.casting import prepare_ballot
from wallet.voting.eligibility import ballot_header, prove_eligibility

pytestmark = [pytest.mark.anvil, pytest.mark.loopback]


@dataclass
class Published:
    """A finished election, its node, and the configuration of its ballot box."""

    election: ElectionOnChain
    url: str
    config: Path

    def export(self, folder: Path) -> tuple[int, str]:
        """Run `seoul-wallet ballotbox export`; return exit code and what its line begins with."""
        done = CliRunner().invoke(
            seoul_wallet,
            ["ballotbox", "export", str(folder)],
            env={VARIABLE: str(self.config)},
        )
        return done.exit_code, done.output.partition(":")[0].strip()


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("box")
    with ledger_stack("anvil") as stack:
        election = ElectionOnChain(stack, folder)
        (folder / "manifest.json").write_bytes(election.manifest.octets)
        key = secret("sign board").to_bytes(32, "big")
        (folder / "key").write_text(base64url.encode(key))
        config = folder / "ballotbox.toml"
        config.write_text(
            'manifest = "manifest.json"\nsigning_key = "key"\n'
            f"database_url = {json.dumps(election.database_url)}\n"
        )
        box = Published(election, stack.w3.provider.endpoint_uri, config)  # type: ignore[attr-defined]
        election.open()
        assert box.export(folder / "early") == (4, "record_incomplete")
        # One submission that is refused twice, for two reasons: a copy before and after the vote.
        codes = refuse_copy(election, lambda: election.vote(range(1, 15)))
        assert codes == ["ballot_sequence", "ballot_replayed"]
        election.next_checkpoint()
        election.vote(range(15, 25))
        election.vote([1], sequence=2)
        election.next_checkpoint()
        election.finish()
        election.count()
        assert box.export(folder / "record")[0] == 0
        yield box
        election.application.close()


def refuse_copy(running: ElectionOnChain, vote: Callable[[], None]) -> list[str]:
    """Send a copy of a ballot, under another nullifier, before and after `vote`."""
    box = running.application.box
    election = box.election()
    original = prepare_ballot(election, voter(40), [1, 0, 0, 0, 0, 0], sequence=1).cast(voter(40))
    header = ballot_header(voter(41), election, 2)
    digest = ballot_digest(header.context(election), original.body)
    proof = prove_eligibility(voter(41), election, header, digest)
    copy = Ballot(header, 0, original.body, proof).octets
    codes = []
    for act in (lambda: box.accept(original.octets), vote):
        with pytest.raises(BallotRefused) as refused:
            box.accept(copy)
        codes.append(refused.value.cause.code)
        act()
    return codes


def verified(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = mvote_verify([*arguments, "--workers", "1", "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_every_check_passes_on_what_the_box_publishes(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    board = published.election.application.box.board
    entries = board.entries(0, 100)
    election = published.election.application.box.election()
    ballot = next(entry.payload for entry in entries if entry.kind == BALLOT)
    code = tracking_code(parse_ballot(ballot, election).digest(election))
    folder = str(published.config.parent / "record")
    status, said = verified(capsys, folder, "--rpc", published.url, "--ballot", code)
    assert [check for check in said["checks"] if check["status"] != "passed"] == []
    assert status == SUCCESS


def test_without_a_node_the_checks_of_the_chain_are_skipped_and_no_other(
    published: Published, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = verified(capsys, str(published.config.parent / "record"))
    skipped = [check["check"] for check in said["checks"] if check["status"] != "passed"]
    assert skipped == ["V6", "V16", "V18", "V20"]
    assert status == INCOMPLETE


def test_writes_a_record_whole_and_into_no_folder_with_something_in_it(
    published: Published, tmp_path: Path
) -> None:
    first = published.config.parent / "record"
    assert published.export(tmp_path / "again")[0] == 0
    assert {p.name: p.read_bytes() for p in first.iterdir()} == {
        p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()
    }
    assert published.export(tmp_path / "again") == (4, "folder_not_empty")
    assert [path.name for path in tmp_path.iterdir()] == ["again"]
