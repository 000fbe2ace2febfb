"""What a ballot box publishes, checked by the independent verifier: offline, and on its chain."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ballotbox.config import VARIABLE
from mvote_verify.cli import INCOMPLETE, SUCCESS
from mvote_verify.cli import main as mvote_verify
from seoul_wallet.cli import main as seoul_wallet
from tests.support.ballot_chain import ElectionOnChain
from tests.support.chains import ledger_stack
from tests.support.voting import secret
from wallet.encoding import base64url
from wallet.voting.ballot import parse_ballot, tracking_code
from wallet.voting.board import BALLOT

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
        election.vote(range(1, 15))
        election.next_checkpoint()
        election.vote(range(15, 25))
        election.vote([1], sequence=2)
        election.next_checkpoint()
        election.finish()
        election.count()
        assert box.export(folder / "record")[0] == 0
        yield box
        election.application.close()


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
