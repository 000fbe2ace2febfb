"""`wallet vote`, `challenge` and `track` against a real ballot box over loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mvote_verify.cli import main as mvote_verify
from seoul_wallet.server import ThreadedServer, free_port
from seoul_wallet.voting_cli import ChoiceMalformed, parse_choices
from seoul_wallet.wallet_cli import wallet
from tests.support.clock import SettableClock
from tests.support.polling import PollingPlace, hold_voting_credential
from tests.support.voting import manifest, manifest_json, project
from wallet.adapters.clock import SystemClock
from wallet.adapters.sql.holder_store import SqliteRecordStore

PASSPHRASE = "한강을 건너는 비밀 문장"
DAY = 86_400


@dataclass
class Terminal:
    """A wallet at a terminal, and the ballot box that it goes to."""

    file: Path
    box: str
    place: PollingPlace

    def run(self, *arguments: str, lang: str = "en", typed: str | None = None) -> Result:
        return CliRunner().invoke(
            wallet,
            ["--file", str(self.file), "--lang", lang, "--development", *arguments],
            env={"SEOUL_WALLET_PASSPHRASE": PASSPHRASE, "COLUMNS": "200"},
            input=typed,
        )


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    now = SystemClock().now()
    census = {**manifest_json()["census"], "taken_at": now - DAY}
    rules = manifest(
        trustees=2,
        threshold=2,
        opens=now,
        closes=now + DAY,
        census=census,
        tie_break={"block_time": now + 2 * DAY},
        projects=[project("p1", 500, "green"), project("p2", 300, "safe"), project("p3", 200)],
        ballot={
            "kind": "approval",
            "limits": [
                {"limit": "count", "min": 1, "max": 2},
                {"limit": "category", "category": "green", "min": 0, "max": 1},
                {"limit": "cost", "max": 700},
            ],
        },
    )
    place = PollingPlace(tmp_path / "box", rules, SettableClock(now - 1000)).open()
    port = free_port()
    server = ThreadedServer(place.application.flask_app, port)
    file = tmp_path / "wallet.db"
    with SqliteRecordStore.create(file, PASSPHRASE) as store:
        hold_voting_credential(store)
    yield Terminal(file, f"http://localhost:{port}", place)
    server.stop()
    place.close()


@pytest.mark.loopback
def test_votes_challenges_and_tracks(terminal: Terminal, tmp_path: Path) -> None:
    box = terminal.box
    # The ballot, its rules in words, and a choice that breaks them: nothing is sent.
    broken = terminal.run("vote", box, "--choose", "p1", "--choose", "p2", lang="ko")
    assert broken.exit_code == 3
    for said in (
        "project p3",
        "사업: 1개 이상 2개 이하",
        "'green' 분야의 사업: 1개까지",
        "고른 사업비의 합계: 700 KRW 이하",
        "규칙에 어긋납니다: 고른 사업비의 합계: 700 KRW 이하",
        "체인과 맞추어 보지 않았습니다",
    ):
        assert said in broken.output
    assert "choices_invalid" in broken.output

    stopped = terminal.run("vote", box, typed="p1 p3\nstop\n")
    assert stopped.exit_code == 0, stopped.output
    assert "Nothing was sent." in stopped.output
    assert "Tracking code (write it down)" in stopped.output
    assert "cost of what you choose: up to 700 KRW" in stopped.output
    assert terminal.run("track", box).exit_code == 4

    # The device is tested first, by a program that shares nothing with it.
    opened = tmp_path / "challenge.json"
    asked = terminal.run("vote", box, "--choose", "p2", "--out", str(opened), typed="challenge\n")
    assert asked.exit_code == 0, asked.output
    code = asked.output.rpartition("--ballot ")[2].strip()
    board = tmp_path / "board"
    board.mkdir()
    client = terminal.place.application.flask_app.test_client()
    (board / "manifest.json").write_bytes(client.get("/manifest.json").data)
    (board / "log.bin").write_bytes(client.get("/log?count=100").data)
    check = [str(board), "--challenge", str(opened), "--ballot", code]
    assert mvote_verify(check) == 0
    assert json.loads(opened.read_bytes())["choices"] == [0, 1, 0]
    assert opened.stat().st_mode & 0o077 == 0
    again = terminal.run("challenge", box, "--choose", "p2", "--out", str(opened))
    assert (again.exit_code, "file_unavailable" in again.output) == (5, True)

    fingerprint = terminal.place.manifest.digest.hex()
    arguments = ("vote", box, "--choose", "p1", "--fingerprint", fingerprint)
    cast = terminal.run(*arguments, typed="cast\n", lang="ko")
    assert cast.exit_code == 0, cast.output
    assert "투표함이 접수했습니다" in cast.output
    assert "공고된 지문과 같습니다." in cast.output
    assert "아직 실릴 때가 아닙니다" in terminal.run("track", box, lang="ko").output
    wrong = terminal.run("vote", box, "--blank", "--fingerprint", "00" * 32)
    assert (wrong.exit_code, "election_not_published" in wrong.output) == (3, True)

    revote = terminal.run("vote", box, "--choose", "p3", "--yes")
    assert "It replaces your ballot before. Sequence: 2" in revote.output
    terminal.place.publish()
    evidence = tmp_path / "evidence.json"
    tracked = terminal.run("track", box, "--search", "--evidence", str(evidence))
    assert tracked.exit_code == 0, tracked.output
    assert "It is on the board." in tracked.output
    assert "This ballot counts." in tracked.output
    assert json.loads(evidence.read_bytes())["receipt"]["index"] > 0


@pytest.mark.loopback
def test_tells_what_to_do_when_a_ballot_is_missing(terminal: Terminal) -> None:
    """The box accepts a ballot, and has forgotten it when the time of its promise has come."""
    empty = terminal.place.copy(terminal.file.parent / "forgetful")
    assert terminal.run("vote", terminal.box, "--choose", "p3", "--yes").exit_code == 0
    by = terminal.place.clock.now() + 2 * terminal.place.manifest.checkpoint_every_s
    empty.work(by)
    port = free_port()
    server = ThreadedServer(empty.application.flask_app, port)
    result = terminal.run("track", f"http://localhost:{port}", lang="ko")
    server.stop()
    empty.close()
    assert "실릴 때가 지났는데 게시판에 없습니다." in result.output
    assert "현장 투표소가 가장 확실합니다" in result.output
    assert "누구에게도 주지 마십시오" in result.output


@pytest.mark.parametrize(
    "words", [("p1", "p1=2"), ("=1",), ("p1=",) * 2, ("p1=x",), ("p1=-1",), ("p1=" + "9" * 9,)]
)
def test_refuses_choices_that_cannot_be_read(words: tuple[str, ...]) -> None:
    with pytest.raises(ChoiceMalformed):
        parse_choices(words)


def test_reads_choices_with_points_or_places() -> None:
    assert parse_choices(("p1", "p2=3", "p3=0")) == {"p1": 1, "p2": 3, "p3": 0}
