"""Two phones: one is lost, the other gets everything back. Each is a process with its folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from rich.console import Console

from issuer.calendar import seoul_day
from issuer.register.card_rule import check_family_card, family_card_rule
from seoul_wallet.chain import in_process_chain
from seoul_wallet.demo.desk import Agency, Department
from seoul_wallet.demo.lines import ACCEPTED, Protocol, outcome_of
from seoul_wallet.demo.scene import FAMILY_QUERY, FINAL_WAIT_S, DemoFailed
from seoul_wallet.stack import CLERK, NOTICES, LocalStack, StackTimes, start_stack
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.encoding.json import parse_json_object

MAX_SECONDS: Final = 180
HOUSEHOLDS: Final = 30
# Of the chain in this process, where the newest block is final.
BLOCK_TIME_S: Final = 1
POLL_S: Final = 0.2
REFUSED_WITHIN_S: Final = 60
REFUSED: Final = "rejected: credential_revoked"
_OLD: Final = "옛 휴대전화 (가상)"
_NEW: Final = "새 휴대전화 (가상)"


class PhoneProcess:
    """A phone in a process of its own. It is killed when it takes longer than `MAX_SECONDS`."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 (this program itself)
            [sys.executable, "-m", "seoul_wallet.demo.phone", str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._watch = threading.Timer(MAX_SECONDS, self._process.kill)
        self._watch.start()

    def __enter__(self) -> PhoneProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watch.cancel()
        # Its input ends, and with it the phone; one that does not care is killed.
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    @property
    def pid(self) -> int:
        """The number of the phone's process."""
        return self._process.pid

    def do(self, command: str, **arguments: Any) -> Any:
        """Let the phone do something; return what it says. Raises `DemoFailed`."""
        sending, answering = self._process.stdin, self._process.stdout
        if sending is None or answering is None:
            raise DemoFailed("the phone has no line")
        sending.write(json.dumps({"do": command, **arguments}) + "\n")
        sending.flush()
        line = answering.readline()
        if not line:
            raise DemoFailed(f"the phone ended while it was to {command}")
        answer = json.loads(line)
        if "error" in answer:
            raise DemoFailed(f"{command}: {answer['error']}")
        return answer["done"]


@dataclass
class _Story:
    protocol: Protocol
    stack: LocalStack
    times: StackTimes
    clerk: Department
    agency: Agency
    old: PhoneProcess
    new: PhoneProcess

    def shown_by(self, phone: PhoneProcess) -> str:
        """Let a phone answer the agency, again while it cannot judge; return the outcome."""
        ends_at = time.monotonic() + FINAL_WAIT_S
        outcome = self.shown_once_by(phone)
        while outcome.startswith("unavailable") and time.monotonic() < ends_at:
            time.sleep(POLL_S)
            outcome = self.shown_once_by(phone)
        return outcome

    def shown_once_by(self, phone: PhoneProcess) -> str:
        """Let a phone answer the agency; return the outcome."""
        opened = self.agency.open_request(FAMILY_QUERY)
        phone.do("present", link=opened.link)
        return outcome_of(self.agency.result(opened))

    @property
    def bound_s(self) -> float:
        """How long a lost phone's card may still be accepted: see `docs/adr/0019`."""
        publication = self.times.worker_interval_s + BLOCK_TIME_S
        return (
            self.times.status_reuse_s
            + publication
            + self.times.follow_interval_s
            + self.times.refresh_after_s
        )


def run_phone_demo(console: Console, folder: Path) -> bool:
    """Run the story in `folder`, with a chain in this process; True if all was as expected."""
    started = time.perf_counter()
    console.print(
        "[bold]휴대전화를 잃어버린 날[/] · The day the phone was lost"
        " — [dim]모든 인물은 가상입니다 · everyone in it is synthetic[/]"
    )
    protocol = Protocol(console)
    with _told(console, protocol, folder) as story:
        _hold_and_back_up(story, folder)
        _restore_and_reissue(story, folder)
        _lose(story)
    protocol.print_table()
    passed = protocol.all_as_expected
    verdict = "모두 예상대로 · all as expected" if passed else "실패 · failed"
    console.print(f"[bold]{verdict}[/] ({time.perf_counter() - started:.1f} s)")
    return passed


@contextmanager
def _told(console: Console, protocol: Protocol, folder: Path) -> Iterator[_Story]:
    times = StackTimes()
    today = seoul_day(SystemClock().now())
    client = GuardedClient(allow_loopback_http=True)
    with (
        PhoneProcess(folder / "old-phone") as old,
        PhoneProcess(folder / "new-phone") as new,
        start_stack(
            folder / "city", in_process_chain(), households=HOUSEHOLDS, on=today, times=times
        ) as stack,
    ):
        console.print(f"  issuer {stack.issuer_url}, verifier {stack.verifier_url}")
        yield _Story(
            protocol,
            stack,
            times,
            Department(client, stack.issuer_url, stack.operator_tokens[CLERK]),
            Agency(client, stack.verifier_url, stack.agency_token),
            old,
            new,
        )
    client.close()


def _entitled(stack: LocalStack) -> tuple[str, str]:
    today = seoul_day(SystemClock().now())
    rule = family_card_rule(today)
    for chunk in stack.families.families():
        for family in chunk:
            decision = check_family_card(family, today, rule)
            if decision.granted:
                return family.family_id, next(iter(decision.cards))
    raise DemoFailed("no family of the register has a right to the card")


def _hold_and_back_up(story: _Story, folder: Path) -> None:
    add = story.protocol.add

    def receive() -> tuple[str, str]:
        story.old.do("create", name=_OLD)
        link, tx_code = story.clerk.offer_card(*_entitled(story.stack))
        cards = story.old.do("receive", link=link, tx_code=tx_code)
        return f"{len(cards)} card", "four single-use copies, each on a key of its own"

    def present() -> tuple[str, str]:
        if not story.old.do("await_receipts"):
            raise DemoFailed("the old phone's receipts are not final in time")
        return story.shown_by(story.old), ""

    add("옛 전화에 카드 받기", "the old phone receives a card", "1 card", receive)
    add("옛 전화로 제시", "the old phone presents it", ACCEPTED, present)

    def back_up() -> tuple[str, str]:
        words = story.old.do("back_up", export=str(folder / "backup"))
        (folder / "paper").touch(mode=0o600)
        (folder / "paper").write_text(words, "utf-8")
        return f"{len(words.split())} words", "on paper, and an encrypted file on a stick"

    add("복구 문구와 백업 파일", "recovery phrase and backup file", "24 words", back_up)


def _restore_and_reissue(story: _Story, folder: Path) -> None:
    add = story.protocol.add

    def restore() -> tuple[str, str]:
        words = (folder / "paper").read_text("utf-8")
        export = str(folder / "backup")
        count = story.new.do("restore", name=_NEW, words=words, export=export)
        return ("restored" if count > 0 else "nothing"), f"{count} records on a blank phone"

    def reissue() -> tuple[str, str]:
        told = story.new.do("reissue", keep=True)
        return ", ".join(outcome for outcome, _ in told), "on new keys, no visit to an office"

    def both() -> tuple[str, str]:
        if not story.new.do("await_receipts"):
            raise DemoFailed("the new phone's receipts are not final in time")
        outcomes = [story.shown_by(phone) for phone in (story.old, story.new)]
        return " and ".join(outcomes), "two phones at once, each with copies of its own"

    def devices() -> tuple[str, str]:
        known = story.new.do("devices")
        names = sorted(item["name"] for item in known)
        return f"{len(known)} devices", ", ".join(names)

    add("잃어버림: 새 전화에 되살리기", "lost: restore on a blank phone", "restored", restore)
    add("새 전화에 재발급", "issued anew to the new phone", "reissued", reissue)
    add("두 전화 함께", "both phones present", f"{ACCEPTED} and {ACCEPTED}", both)
    add("기기 목록", "the list of devices", "2 devices", devices)


def _lose(story: _Story) -> None:
    add = story.protocol.add
    bound_s = story.bound_s

    def lose() -> tuple[str, str]:
        (lost,) = [item for item in story.new.do("devices") if not item["this"]]
        failed = story.new.do("lost", device_id=lost["id"])
        if failed:
            return "not told", ", ".join(failed)
        reported, accepted_s = time.monotonic(), 0.0
        outcome, began_s = "", 0.0
        while outcome != REFUSED and began_s < REFUSED_WITHIN_S:
            began_s = time.monotonic() - reported
            outcome = story.shown_once_by(story.old)
            if outcome == ACCEPTED:
                accepted_s = began_s
                time.sleep(POLL_S)
        note = f"{began_s:.1f} s after the report; at most {bound_s:.1f} s by the stack's times"
        # What counts is when a presentation begins: how long it takes is the machine's affair.
        return (outcome if accepted_s <= bound_s else f"{outcome}, too late"), note

    def no_more() -> tuple[str, str]:
        return story.old.do("more_copies"), "its refresh token and recovery key give it nothing"

    def present() -> tuple[str, str]:
        return story.shown_by(story.new), "the new phone's copies were left alone"

    add("옛 전화 분실 신고, 제시 거절", "old phone reported, then refused", REFUSED, lose)
    add("옛 전화는 더 받지 못함", "the old phone gets no more copies",
        "recovery_device_lost", no_more)  # fmt: skip
    add("새 전화로 제시", "the new phone presents", ACCEPTED, present)
    add("본인에게 알림", "the person was told", "device_lost, reissued", lambda: _notices(story))


def _notices(story: _Story) -> tuple[str, str]:
    """Return what waits for the message gateway; nothing in it says more than a template."""
    spool = story.stack.folder / NOTICES
    ends_at = time.monotonic() + 10
    found: list[dict[str, Any]] = []
    while len(found) < 2 and time.monotonic() < ends_at:
        found = [parse_json_object(path.read_bytes()) for path in spool.glob("*.json")]
        time.sleep(POLL_S)
    members = {name for notice in found for name in notice}
    if members != {"notice_id", "recipient", "template", "at"}:
        return f"other members: {sorted(members)}", ""
    templates = sorted(str(notice["template"]) for notice in found)
    return ", ".join(templates), "opaque id and template only"
