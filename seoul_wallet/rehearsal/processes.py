"""The processes of a rehearsal: the ballot box, the trustees, the commands that end it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from seoul_wallet.server import free_port
from seoul_wallet.trustee.command import PASSPHRASE_VARIABLE
from wallet.adapters.http.fetch import GuardedClient
from wallet.encoding.json import JsonObject, parse_json_object
from wallet.errors import MalformedError, UnavailableError

POLL_S: Final = 0.2
END_TIMEOUT_S: Final = 60
_TOOL: Final = (sys.executable, "-m", "seoul_wallet")


class RehearsalFailed(UnavailableError):
    """A process of the rehearsal failed, or something did not come in its time."""

    code = "rehearsal_failed"


class BoxProcess:
    """`seoul-wallet run ballotbox`, and a client of it."""

    def __init__(self, variables: Mapping[str, str], log: Path) -> None:
        self.variables = {**os.environ, **variables}
        self._log = log
        port = free_port()
        self.url = f"http://localhost:{port}"
        self._client = GuardedClient(allow_loopback_http=True)
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 (our own arguments)
                [*_TOOL, "run", "ballotbox", "--port", str(port)],
                env=self.variables,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for the rehearsal, which ends its processes in order.
                start_new_session=True,
            )

    def ask(self, path: str) -> JsonObject | None:
        """Return what the box says, None if it does not say it yet. Raises `RehearsalFailed`."""
        if self._process.poll() is not None:
            raise RehearsalFailed(f"the ballot box ended: see {self._log.name}")
        try:
            answer = self._client.get(self.url + path)
            return parse_json_object(answer.body) if answer.status == 200 else None
        except (UnavailableError, MalformedError):
            return None

    def wait_for(
        self, path: str, is_so: Callable[[JsonObject], bool], *, within_s: float
    ) -> JsonObject:
        """Return what the box says once it is so. Raises `RehearsalFailed`."""
        ends_at = time.monotonic() + within_s
        while time.monotonic() < ends_at:
            found = self.ask(path)
            if found is not None and is_so(found):
                return found
            time.sleep(POLL_S)
        raise RehearsalFailed(f"{path} did not come to that within {within_s:.0f} s")

    def peak_memory_bytes(self) -> int:
        """Return the largest memory of the box and its workers so far, added up; 0 if unknown."""
        return sum(map(_peak, _family(self._process.pid)))

    def processor_s(self) -> float:
        """Return the processor time of the box and its workers so far; 0 if unknown."""
        return sum(map(_processor, _family(self._process.pid)))

    def end(self) -> None:
        """End the box in order."""
        self._client.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(END_TIMEOUT_S)


class TrusteeProcess:
    """One trustee: a key folder, a passphrase, and the tool in processes of its own."""

    def __init__(self, folder: Path, passphrase: str) -> None:
        self._folder = folder
        self._environment = {**os.environ, PASSPHRASE_VARIABLE: passphrase}
        self._running: list[subprocess.Popen[str]] = []

    def run(self, command: str, *arguments: str) -> str:
        """Run a command of the tool; return what it printed. Raises `RehearsalFailed`."""
        return self.finish(self.start(command, *arguments))

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the tool; it is ended by `finish` or `end`."""
        started = subprocess.Popen(  # noqa: S603 (our own arguments)
            [
                *_TOOL,
                *("trustee", "--lang", "en", "--development"),
                *(command, str(self._folder), *arguments),
            ],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._running.append(started)
        return started

    def finish(self, started: subprocess.Popen[str]) -> str:
        """Wait for a command. Raises `RehearsalFailed`."""
        said, complaint = started.communicate()
        self._running.remove(started)
        if started.returncode:
            raise RehearsalFailed(f"trustee: {complaint.strip()[-300:]}")
        return said

    def run_until(self, command: str, *arguments: str, within_s: float) -> None:
        """Run a command again and again while it is too early or nobody answers."""
        ends_at = time.monotonic() + within_s
        while True:
            try:
                self.run(command, *arguments)
            except RehearsalFailed:
                if time.monotonic() > ends_at:
                    raise
                time.sleep(1)
            else:
                return

    def end(self) -> None:
        """End what still runs; the key folder stays usable."""
        for process in self._running:
            process.terminate()
        for process in self._running:
            process.communicate()


def run_tool(arguments: Sequence[str], variables: Mapping[str, str]) -> str:
    """Run a command of `seoul-wallet` in a process of its own. Raises `RehearsalFailed`."""
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [*_TOOL, *arguments],
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        raise RehearsalFailed(f"{arguments[0]}: {done.stderr.strip()[-300:]}")
    return done.stdout


def verify_record(
    folder: Path, rpc: str, workers: int, resume: Path, code: str | None
) -> tuple[int, JsonObject]:
    """Run `mvote-verify` over a record; return its exit code and what it says."""
    done = subprocess.run(  # noqa: S603 (our own arguments)
        [
            *(sys.executable, "-m", "mvote_verify", str(folder), "--rpc", rpc, "--json"),
            *("--workers", str(workers), "--resume", str(resume)),
            *(() if code is None else ("--ballot", code)),
        ],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    try:
        said: JsonObject = json.loads(done.stdout)
    except ValueError:
        raise RehearsalFailed(f"mvote-verify: {done.stderr.strip()[-300:]}") from None
    return done.returncode, said


def children_s() -> float:
    """Return the processor time of all ended children of this process, and of theirs."""
    import resource  # not on every system that runs the other commands

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def children_peak_bytes() -> int:
    """Return the largest memory that one of them held."""
    import resource

    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in _family(int(child)))]


def _peak(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def _processor(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
