"""Answering together at two terminals: a child of 14 and its father."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import IO

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.files import FileUnusable
from seoul_wallet.wallet_cli import wallet
from seoul_wallet.wallet_views import Session
from tests.support.family_town import FATHER, KIM, TEEN, FamilyTown
from wallet.holder.cards import CardUnknown
from wallet.holder.consent import ConsentRefused
from wallet.holder.joint import JointMessageMalformed
from wallet.holder.wallet import Wallet


class Opened(Session):
    """The options of the group, over a wallet of the town that is open already."""

    def __init__(self, opened: Wallet) -> None:
        super().__init__(Path("unused"), "en", False, None, None, None)
        object.__setattr__(self, "opened", opened)

    opened: Wallet

    def open(self, *, create: bool = False) -> Wallet:
        return nullcontext(self.opened)  # type: ignore[return-value]


class Typing(io.RawIOBase):
    """What is typed, found out only when the prompt is there."""

    def __init__(self, type_line: Callable[[], str]) -> None:
        self._type_line = type_line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        line = self._type_line().encode()
        buffer[: len(line)] = line
        return len(line)


def run(opened: Wallet, *arguments: str, typed: IO[bytes] | str | None = None) -> Result:
    name, *rest = arguments
    return CliRunner().invoke(
        wallet.commands[name], rest, obj=Opened(opened), input=typed, env={"COLUMNS": "200"}
    )


@pytest.fixture(scope="module")
def teen(town: FamilyTown) -> Wallet:
    made = town.open_wallet("teen-at-a-terminal")
    town.residence_for(made, TEEN)
    town.settle()
    return made


@pytest.fixture(scope="module")
def father(town: FamilyTown) -> Wallet:
    made = town.open_wallet("father-at-a-terminal")
    town.give_guardianship(made, KIM, FATHER, TEEN)
    town.settle()
    return made


def test_two_terminals_answer_as_one(
    town: FamilyTown, teen: Wallet, father: Wallet, tmp_path: Path
) -> None:
    opened = town.request("child")
    question, part = tmp_path / "question", tmp_path / "part"
    answers: list[Result] = []

    def guardian() -> str:
        answers.append(run(father, "take-part", str(question), "--part", str(part), "--yes"))
        return f"{part}\n"

    asked = ("present-together", opened["link"], "--question", str(question), "--yes")
    typed: IO[bytes] = io.BufferedReader(Typing(guardian))
    done = run(teen, *asked, typed=typed)
    assert [answer.exit_code for answer in answers] == [0], answers[0].output
    assert done.exit_code == 0, done.output
    assert town.result(opened)["outcome"] == "accepted"
    assert town.result(opened)["acted_for"][0]["jointly"] is True


def test_both_terminals_list_the_decision_on_what_they_applied_for_together(
    town: FamilyTown, tmp_path: Path
) -> None:
    child, guardian = town.open_wallet("child-applying"), town.open_wallet("guardian-applying")
    for kind in ("residence", "welfare"):
        town.give(child, kind, TEEN, TEEN)
    town.give_guardianship(guardian, KIM, FATHER, TEEN)
    town.settle()
    question, part = tmp_path / "question", tmp_path / "part"

    def take_part() -> str:
        run(guardian, "take-part", str(question), "--part", str(part), "--yes")
        return f"{part}\n"

    link = town.ask("seoul-learn-child")["link"]
    asked = ("present-together", link, "--question", str(question), "--yes")
    typed: IO[bytes] = io.BufferedReader(Typing(take_part))
    done = run(child, *asked, typed=typed)
    assert done.exit_code == 0, done.output
    assert "not yet" in run(guardian, "decisions").output
    told = [run(each, "decisions", "--refresh").output for each in (child, guardian)]
    for text, applied in zip(told, ("with a guardian", "with a child"), strict=True):
        assert "seoul-learn-child" in text
        assert applied in text
        assert "eligible" in text
    logs = [run(each, "log").output for each in (child, guardian)]
    assert all("accepted" in text for text in logs)


def test_a_guardian_who_says_no_gives_no_part_and_the_child_sends_nothing(
    town: FamilyTown, teen: Wallet, father: Wallet, tmp_path: Path
) -> None:
    opened, before = town.request("child"), teen.log()
    question, part = tmp_path / "question", tmp_path / "part"

    def guardian() -> str:
        refused = run(father, "take-part", str(question), "--part", str(part), typed="n\n")
        assert isinstance(refused.exception, ConsentRefused)
        return f"{part}\n"

    asked = ("present-together", opened["link"], "--question", str(question), "--yes")
    typed: IO[bytes] = io.BufferedReader(Typing(guardian))
    done = run(teen, *asked, typed=typed)
    assert isinstance(done.exception, FileUnusable)
    assert not part.exists()
    assert teen.log() == before


@pytest.mark.parametrize("text", ["e30", "질문"])
def test_a_file_that_is_no_question_is_refused(father: Wallet, tmp_path: Path, text: str) -> None:
    (tmp_path / "question").write_text(text, "utf-8")
    done = run(father, "take-part", str(tmp_path / "question"), "--part", str(tmp_path / "part"))
    assert isinstance(done.exception, JointMessageMalformed)


def test_the_account_is_shown_alone_and_named_one_way(town: FamilyTown, teen: Wallet) -> None:
    missing = run(teen, "show", "--account")
    assert isinstance(missing.exception, CardUnknown)
    assert run(teen, "show").exit_code == run(teen, "show", "abc", "--account").exit_code == 2
    account = town.give(teen, "account", TEEN, TEEN)
    shown = run(teen, "show", "--account")
    assert shown.exit_code == 0, shown.output
    assert account.claims["account_id"] in shown.output
    assert "Residence" not in shown.output
