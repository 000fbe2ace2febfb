"""`mvote-verify` on the command line: exit codes, both languages, JSON, workers, resuming."""

import json
from pathlib import Path

import pytest

from mvote_verify.cli import FAILED, INCOMPLETE, UNREADABLE, main
from mvote_verify.engines import Work
from mvote_verify.node import Node
from mvote_verify.plan import Options, Status
from tests.mvote_verify.conftest import Verify
from tests.support.dask import dask_scheduler
from tests.support.mvote.elections import Election
from tests.support.mvote.records import Files


@pytest.fixture
def folder(tmp_path: Path, honest: Files) -> Path:
    record = tmp_path / "record"
    record.mkdir()
    for name, data in honest.items():
        (record / name).write_bytes(data)
    return record


def _run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    code = main(["--workers", "1", *map(str, arguments)])
    return code, capsys.readouterr().out


def test_a_skipped_check_is_not_a_passed_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _run(capsys, folder, "--json")
    document = json.loads(said)
    assert code == INCOMPLETE
    assert not document["success"]
    statuses = {check["check"]: check["status"] for check in document["checks"]}
    assert statuses.pop("V6") == statuses.pop("V18") == statuses.pop("V16") == "skipped"
    assert statuses.pop("V20") == "skipped"
    assert set(statuses.values()) == {"passed"}
    assert len(document["checks"]) == 20


def test_speaks_korean_and_english(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, korean = _run(capsys, folder)
    _, english = _run(capsys, folder, "--lang", "en")
    assert "건너뛴 확인은 통과가 아닙니다" in korean
    assert "A skipped check is not a passed one" in english
    assert "short by ₩" in english
    assert "₩" in korean


def test_names_the_code_and_ends_with_one(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "outcome.json").write_bytes(b"{}")
    code, said = _run(capsys, folder, "--lang", "en")
    assert code == FAILED
    assert "outcome_differs" in said
    assert "record_differs" in said


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = _run(capsys, tmp_path / "nowhere")
    assert (code, said) == (UNREADABLE, "")


def test_an_empty_folder_fails_the_first_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _run(capsys, tmp_path, "--json")
    checks = json.loads(said)["checks"]
    assert code == FAILED
    assert checks[0]["code"] == "manifest_malformed"
    assert {check["status"] for check in checks[1:18]} == {"not_reached"}
    assert checks[18]["code"] == "record_differs"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--workers", "0"],
        ["--chunk-ballots", "10001"],
        ["--rpc", "file:///x"],
        ["--lang", "fr"],
        ["--weights"],
    ],
)
def test_refuses_wrong_arguments(folder: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(folder), *arguments])
    assert ended.value.code == 2


def test_finds_my_ballot_and_whether_it_counts(
    folder: Path, election: Election, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = election.ballots[0], election.ballots[-2]
    notes = []
    for code in (first.code.lower(), second.code):
        _, said = _run(capsys, folder, "--json", "--ballot", code)
        check = json.loads(said)["checks"][19]
        assert check["status"] == "passed"
        notes += check["notes"]
    assert "is replaced by entry" in notes[0]
    assert notes[1].endswith("counts")


def test_names_a_ballot_that_is_not_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _run(capsys, folder, "--json", "--ballot", "AAAA-BBBB-CCCC-DDDD-EEEE")
    assert code == FAILED
    assert json.loads(said)["checks"][19]["code"] == "ballot_not_found"


@pytest.mark.loopback
def test_a_node_that_does_not_answer_is_no_verdict(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = _run(capsys, folder, "--json", "--rpc", "http://127.0.0.1:9")
    checks = json.loads(said)["checks"]
    assert code == INCOMPLETE
    assert [checks[n]["status"] for n in (5, 15, 17)] == ["skipped"] * 3


def test_a_node_has_an_address_of_http() -> None:
    with pytest.raises(ValueError, match="http"):
        Node("ftp://127.0.0.1")


def test_two_workers_and_a_resumed_run_say_the_same(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    outputs = []
    for arguments in (
        ["--workers", "2", "--resume", kept],
        ["--workers", "1", "--resume", kept],
    ):
        code = main([str(folder), "--json", "--chunk-ballots", "20", *map(str, arguments)])
        outputs.append((code, capsys.readouterr().out))
        lines = [line for line in kept.read_bytes().split(b"\n") if line]
        assert len(lines) == 3
    assert outputs[0] == outputs[1]


@pytest.mark.loopback
def test_a_cluster_says_what_the_processes_of_this_machine_say(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, here = _run(capsys, folder, "--json")
    kept = tmp_path / "kept"
    with dask_scheduler(processes=False) as address:
        arguments = ["--json", "--dask", address, "--chunk-ballots", "20", "--resume", kept]
        assert _run(capsys, folder, *arguments) == (code, here)
    # Three chunks were verified, each of them there.
    assert len([line for line in kept.read_bytes().split(b"\n") if line]) == 3


@pytest.mark.loopback
def test_a_cluster_that_does_not_answer_is_no_verdict(honest: Files, verify: Verify) -> None:
    pytest.importorskip("distributed")
    nobody = Work(dask="tcp://127.0.0.1:9", dask_timeout_s=1)
    verification = verify(honest, Options(work=nobody))
    assert [verification.results[number].status for number in (9, 10)] == [Status.SKIPPED] * 2
    assert (verification.success, verification.failed) == (False, False)


def test_a_damaged_sum_of_the_resumed_run_is_no_verdict(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    _run(capsys, folder, "--json", "--resume", kept)
    line = json.loads(kept.read_bytes())
    for points in ("", "00", line["sums"][0]["points"][:66], "05" * 33):
        line["sums"][0]["points"] = points
        kept.write_bytes(json.dumps(line, separators=(",", ":"), sort_keys=True).encode())
        code, said = _run(capsys, folder, "--json", "--resume", kept)
        checks = json.loads(said)["checks"]
        assert (code, checks[13]["status"]) == (INCOMPLETE, "skipped")


def test_a_cut_line_of_the_resumed_run_is_passed_over(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    _, first = _run(capsys, folder, "--json", "--resume", kept)
    kept.write_bytes(kept.read_bytes()[:-40])
    code, second = _run(capsys, folder, "--json", "--resume", kept)
    assert (code, second) == (INCOMPLETE, first)
    assert len([line for line in kept.read_bytes().split(b"\n") if line]) == 2
