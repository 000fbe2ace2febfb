"""Runs the official W3C suites against our services: `python -m tools.w3c_suites FOLDER`.

FOLDER has checkouts of the suites that w3c_suites.toml names, and beside them of the packages that
they take from repositories (`vc-test-suite-implementations`,
`data-integrity-test-suite-assertion`, `mocha-w3c-interop-reporter`), which are then installed from
there, and of their test data (`vc-di-ecdsa`, `vc-di-bbs`). A suite without
`node_modules` is installed with npm. In each checkout the tool writes `localConfig.cjs` with us
as the only implementation, and our name as the holder's in `config/runner.json`. The services are
those of `seoul-wallet serve --tls`, started for the run.

The exit status is 0 if every failure is a known one and every known one still fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

ROOT: Final = Path(__file__).resolve().parents[1]
LIST: Final = Path(__file__).with_suffix(".toml")
NAME: Final = "Seoul Wallet"
TIMEOUT_MS: Final = 60_000
NPM: Final = (
    "npm",
    "install",
    "--ignore-scripts",
    "--install-links",
    "--no-audit",
    "--no-fund",
    "--no-package-lock",
)
UNRESOLVABLE: Final = "did:web:nowhere.invalid"
VERSIONS: Final = {"vc": ["1.1", "2.0"]}
# (cryptosuite, key, tags, more): the issuers of VC-API, and which suites find them.
ISSUERS: Final[tuple[tuple[str, str, list[str], dict[str, Any]], ...]] = (
    ("eddsa-rdfc-2022", "ed25519", ["eddsa-rdfc-2022", "vc-api"], {}),
    # The data model's suite asks for text with a direction, which RDF has no place for.
    ("eddsa-jcs-2022", "ed25519", ["eddsa-jcs-2022", "vc2.0"], {}),
    ("ecdsa-rdfc-2019", "p256", ["ecdsa-rdfc-2019"], {"supportedEcdsaKeyTypes": ["P-256"]}),
    ("ecdsa-rdfc-2019", "p384", ["ecdsa-rdfc-2019"], {"supportedEcdsaKeyTypes": ["P-384"]}),
    ("ecdsa-jcs-2019", "p256", ["ecdsa-jcs-2019"], {"supportedEcdsaKeyTypes": ["P-256"]}),
    ("ecdsa-jcs-2019", "p384", ["ecdsa-jcs-2019"], {"supportedEcdsaKeyTypes": ["P-384"]}),
    ("ecdsa-sd-2023", "p256", ["ecdsa-sd-2023"], {"supportedEcdsaKeyTypes": ["P-256"]}),
    # The suite checks what we issue with a library that can check no status.
    ("bbs-2023", "bls", ["bbs-2023"], {"options": {"statusPurpose": None}}),
    ("bitstring", "ed25519", ["BitstringStatusList"], {}),
    ("jwt", "p256", ["EnvelopingProof"], {}),
)


@dataclass(frozen=True, slots=True)
class Exemption:
    """Tests that fail for a reason that is not ours; `count` is how many."""

    test: str
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class Suite:
    """An official suite, by the name of its checkout; `vectors` is that of its test data."""

    name: str
    specification: str
    exempt: tuple[Exemption, ...] = ()
    vectors: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gave: `known` failures by reason, the others by title; and what else is odd."""

    passed: int
    known: Mapping[str, int]
    failed: tuple[str, ...]
    not_applicable: int
    stale: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether there is no failure but the known ones, and all of these."""
        return self.passed > 0 and not self.failed and not self.stale


def listed_suites() -> tuple[Suite, ...]:
    """Return the suites of w3c_suites.toml."""
    return tuple(
        Suite(
            entry["name"],
            entry["specification"],
            tuple(Exemption(**exempt) for exempt in entry.get("exempt", ())),
            entry.get("vectors"),
        )
        for entry in tomllib.loads(LIST.read_text("utf-8"))["suite"]
    )


def local_config(ready: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of the suites from what `seoul-wallet serve` printed."""
    issuers = [
        {
            "id": ready["dids"][key],
            "endpoint": f"{ready['issuer']}/issuers/{suite}/{key}/credentials/issue",
            "supports": VERSIONS,
            "tags": tags,
            **more,
        }
        for suite, key, tags, more in ISSUERS
    ]
    tags = sorted({tag for _, _, each, _ in ISSUERS for tag in each})
    common = {"supports": VERSIONS, "supportedEcdsaKeyTypes": ["P-256", "P-384"]}

    def endpoint(service: str, path: str, more: Sequence[str] = ()) -> list[dict[str, Any]]:
        url = ready[service]
        return [{"id": url, "endpoint": url + path, "tags": [*tags, *more], **common}]

    implementation = {
        "name": NAME,
        "implementation": NAME,
        "issuers": issuers,
        "verifiers": endpoint("verifier", "/credentials/verify"),
        "vpVerifiers": endpoint("verifier", "/presentations/verify"),
        "vcHolders": endpoint("holder", "/credentials/derive", ["vcHolder"]),
        "didResolvers": [did_resolver(ready)],
    }
    settings = {"enableInteropTests": True, "testAllImplementations": False}
    return {"settings": settings, "implementations": [implementation]}


def did_resolver(ready: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of the DID resolver: what it can and cannot resolve."""
    valid = [{"did": did, "resolutionOptions": {}} for did in ready["dids"].values()]
    return {
        "id": ready["holder"],
        "endpoint": ready["holder"] + "/1.0/identifiers",
        "tags": ["did-resolution"],
        "supportedDids": {"valid": valid, "notFound": UNRESOLVABLE},
    }


def configure(checkout: Path, config: Mapping[str, Any]) -> None:
    """Write the configuration into a checkout, with us as the holder that derives."""
    text = f"module.exports = {json.dumps(config, indent=2)};\n"
    (checkout / "localConfig.cjs").write_text(text, "utf-8")
    runner = checkout / "config" / "runner.json"
    if runner.exists():
        found = runner.read_text("utf-8")
        named = re.sub(r'("(?:holder|issuer)Name": )"[^"]*"', rf'\1"{NAME}"', found)
        runner.write_text(named, "utf-8")


def install(checkout: Path, vectors: str | None = None) -> None:
    """Install a suite that is not yet, with its repository packages from the checkouts beside."""
    if vectors is not None and not (place := checkout / "tests" / "input" / vectors).exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(checkout.parent / vectors, target_is_directory=True)
    if (checkout / "node_modules" / "mocha").exists():
        return
    manifest = checkout / "package.json"
    found = json.loads(manifest.read_text("utf-8"))
    for name, version in found["dependencies"].items():
        beside = checkout.parent / version.rpartition("/")[2].partition("#")[0]
        if version.startswith("github:") and beside.is_dir():
            found["dependencies"][name] = f"file:../{beside.name}"
    manifest.write_text(json.dumps(found, indent=2) + "\n", "utf-8")
    subprocess.run(NPM, cwd=checkout, check=True, stdout=subprocess.DEVNULL)


def run(checkout: Path, trust_anchor: str) -> dict[str, Any]:
    """Run a suite and return mocha's JSON report."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        options = ["--reporter", "json", "--reporter-option", f"output={report}"]
        options += ["--timeout", str(TIMEOUT_MS), "--preserve-symlinks"]
        done = subprocess.run(
            ["node_modules/.bin/mocha", "tests/", *options],
            cwd=checkout,
            env={**os.environ, "NODE_EXTRA_CA_CERTS": trust_anchor, "ISSUER_NAME": NAME},
            capture_output=True,
            text=True,
            check=False,
        )
        if not report.exists():
            raise SystemExit(f"{checkout.name} did not run:\n{done.stdout}{done.stderr}")
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
        return found


def judge(suite: Suite, report: Mapping[str, Any]) -> Outcome:
    """Tell the failures that are known from those that are not."""
    titles = [test["fullTitle"] for test in report["failures"]]
    known = {
        exempt: [title for title in titles if exempt.test in title] for exempt in suite.exempt
    }
    excused = {title for found in known.values() for title in found}
    return Outcome(
        passed=len(report["passes"]),
        known={exempt.reason: len(found) for exempt, found in known.items() if found},
        failed=tuple(title for title in titles if title not in excused),
        not_applicable=len(report["pending"]),
        stale=tuple(
            f"{exempt.test}: {len(found)} of {exempt.count} fail"
            for exempt, found in known.items()
            if len(found) != exempt.count
        ),
    )


@contextmanager
def services() -> Iterator[dict[str, Any]]:
    """Start the development services and yield their addresses; stop them at the end."""
    command = [sys.executable, "-m", "seoul_wallet", "serve", "--tls"]
    command += ["--households", "30", "--chain", "in-process"]
    with tempfile.TemporaryDirectory() as folder:
        place = {"SEOUL_WALLET_STACK": str(Path(folder) / "stack.json")}
        with subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **place}, stdout=subprocess.PIPE, text=True
        ) as serving:
            try:
                for line in serving.stdout or ():
                    if line.startswith("READY "):
                        yield json.loads(line.removeprefix("READY "))
                        break
                else:
                    raise SystemExit("the services did not start")
            finally:
                serving.send_signal(signal.SIGINT)


def table(outcomes: Mapping[Suite, Outcome], commits: Mapping[Suite, str]) -> Table:
    """Return the table of results."""
    shown = Table(title="Official W3C suites")
    for name in ("suite", "commit"):
        shown.add_column(name, no_wrap=True)
    for name in ("passed", "failed", "known", "n/a"):
        shown.add_column(name, justify="right")
    for suite, outcome in outcomes.items():
        numbers = (
            outcome.passed,
            len(outcome.failed),
            sum(outcome.known.values()),
            outcome.not_applicable,
        )
        style = "green" if outcome.good else "red"
        shown.add_row(suite.name, commits[suite], *map(str, numbers), style=style)
    return shown


def commit_of(checkout: Path) -> str:
    """Return the commit of a checkout, "-" if it is none of its own."""
    done = subprocess.run(
        ["git", "rev-parse", "--short=7", "HEAD"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() if (checkout / ".git").exists() and done.returncode == 0 else "-"


def main() -> int:
    """Install, start, run and tell; return the exit status."""
    parser = argparse.ArgumentParser(description="Run the official W3C suites on our services.")
    parser.add_argument("folder", type=Path, help="folder with the checkouts of the suites")
    parser.add_argument("--only", metavar="NAME", action="append", help="run this suite alone")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.resolve()
    wanted = [
        suite
        for suite in listed_suites()
        if (folder / suite.name / "package.json").exists()
        and suite.name in (arguments.only or [suite.name])
    ]
    if not wanted:
        parser.error("no checkout of a suite that tools/w3c_suites.toml names is there")
    console = Console()
    outcomes: dict[Suite, Outcome] = {}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress, services() as ready:
        task = progress.add_task("", total=len(wanted))
        for suite in wanted:
            progress.update(task, description=suite.name)
            install(folder / suite.name, suite.vectors)
            configure(folder / suite.name, local_config(ready))
            outcomes[suite] = judge(suite, run(folder / suite.name, ready["trust_anchor"]))
            progress.advance(task)
    console.print(table(outcomes, {suite: commit_of(folder / suite.name) for suite in wanted}))
    for suite, outcome in outcomes.items():
        for kind, lines in (("failed", outcome.failed), ("known no more", outcome.stale)):
            for line in lines:
                console.print(f"{suite.name}: {kind}: {line}", markup=False, highlight=False)
    return 0 if all(outcome.good for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
