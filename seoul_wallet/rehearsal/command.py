"""The command `seoul-wallet rehearsal`."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

import click

from seoul_wallet.chain import LocalChain, anvil_chain, remote_chain, split_urls
from seoul_wallet.files import read_file
from seoul_wallet.progress import progress_bar
from seoul_wallet.rehearsal.election import synthetic_file
from seoul_wallet.rehearsal.plan import Plan, Report, Tell
from seoul_wallet.rehearsal.run import Rehearsal
from seoul_wallet.typed_errors import fail
from wallet.adapters.compute.processes import ProcessPool
from wallet.errors import SeoulWalletError
from wallet.ports.compute import Compute
from wallet.voting.pabulib import PbElection, parse_pabulib

VECTORS_VARIABLE: Final = "SEOUL_WALLET_VECTORS"
DEFAULT_FILE: Final = "pabulib/poland_warszawa_2024_mokotow.pb"
DEFAULT_VOTERS: Final = 1000
DEFAULT_WALLETS: Final = 100
MIN_VOTERS: Final = 20
INTERRUPTED: Final = 130


@click.command("rehearsal")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--voters",
    type=click.IntRange(MIN_VOTERS, 1_000_000),
    help="How many vote; 1000 unless told, or all of a smaller file.",
)
@click.option("--all", "everybody", is_flag=True, help="Every vote of the file is cast.")
@click.option(
    "--through-wallet",
    type=click.IntRange(0, 10_000),
    help="How many of them through a wallet of their own; 100 unless told.",
)
@click.option("--trustees", type=click.IntRange(2, 32), default=5, show_default=True)
@click.option("--threshold", type=click.IntRange(2, 32), default=3, show_default=True)
@click.option("--rpc", metavar="URL", help="A node of a development chain, not an own anvil.")
@click.option("--workers", type=click.IntRange(1, 64), default=os.cpu_count() or 1)
@click.option("--dask", metavar="URL", help="Cast on a Dask cluster that reaches this machine.")
@click.option("--lead-s", type=click.IntRange(5, 3600), default=60, show_default=True)
@click.option("--vote-s", type=click.IntRange(5, 86400), help="Estimated unless told.")
@click.option("--every-s", type=click.IntRange(1, 3600), default=20, show_default=True)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder that keeps the record, the key folders and the box's database.",
)
def rehearsal(
    file: Path | None,
    voters: int | None,
    everybody: bool,
    through_wallet: int | None,
    trustees: int,
    threshold: int,
    rpc: str | None,
    workers: int,
    dask: str | None,
    lead_s: int,
    vote_s: int | None,
    every_s: int,
    keep: Path | None,
) -> None:
    """Rehearse the election of a pabulib FILE on this machine, from the keys to mvote-verify.

    Without FILE it is Warszawa-Mokotow 2024 of the vectors (SEOUL_WALLET_VECTORS), or a synthetic
    one. Everything happens in real time: trustees and ballot box are processes of their own, the
    board is on a chain. Voters are synthetic, and the keys are thrown away. Who has not voted by
    the close is left out.

    Ctrl-C and SIGTERM end every process that was started. What --keep has by then stays to be
    looked at; it is not gone on with, since its chain and its voters are gone.
    """
    try:
        election, name = _election(file)
        most = len(election.votes)
        count = most if everybody else voters or min(DEFAULT_VOTERS, most)
        wallets = min(DEFAULT_WALLETS, count) if through_wallet is None else through_wallet
        if wallets > count or threshold > trustees:
            raise click.UsageError("more wallets than voters, or more needed than trustees")
        plan = Plan(
            voters=count,
            through_wallet=wallets,
            trustees=trustees,
            threshold=threshold,
            lead_s=lead_s,
            vote_s=vote_s,
            every_s=every_s,
            workers=workers,
        )
        click.echo(f"{name}: {most:,} votes, {len(election.projects)} projects; {count:,} vote")
        with interruptible(), ExitStack() as ends:
            folder, tell = ends.enter_context(_folder(keep)), ends.enter_context(_progress())
            chain = _chain(rpc)
            ends.callback(chain.stop)
            url = split_urls(rpc)[0] if rpc else str(chain.w3.provider.endpoint_uri)  # type: ignore[attr-defined]
            run = Rehearsal(
                folder, chain, url, election, plan, partial(_compute, workers, dask), tell
            )
            report = run.run()
    except SeoulWalletError as error:
        fail(error)
    except KeyboardInterrupt:
        click.echo("interrupted: every process of the rehearsal is ended", err=True)
        raise SystemExit(INTERRUPTED) from None
    show(report)
    if report.verifier_exit or report.is_official is False:
        raise SystemExit(1)


def show(report: Report) -> None:
    """Print what came out: times, memory, cost per ballot."""
    click.echo(
        f"{report.ballots:,} ballots of {report.bits} bits on {report.projects} projects,"
        f" {report.through_wallet:,} through wallets; {report.counted:,} counted"
    )
    if report.ballots < report.voters:
        click.echo(f"{report.ballots:,} of {report.voters:,} voted before the close")
    for step, seconds in report.seconds.items():
        click.echo(f"  {step}: {seconds:.1f} s")
    for what, seconds in report.processor_s.items():
        wallets = report.through_wallet
        ballots = {
            "a vote through a wallet": wallets,
            "making a ballot": report.ballots - wallets,
        }.get(what, report.ballots)
        each = 1000 * seconds / max(1, ballots)
        click.echo(f"  processor, {what}: {seconds:.1f} s, {each:.1f} ms a ballot")
    for name, octets in report.memory_bytes.items():
        click.echo(f"  largest memory, {name}: {octets / 2**20:.0f} MiB")
    click.echo(f"  record: {report.record_bytes / 2**20:.1f} MiB")
    states = sorted(set(report.checks.values()))
    passed = sum(state == "passed" for state in report.checks.values())
    click.echo(
        f"mvote-verify: exit {report.verifier_exit}, {passed} of {len(report.checks)} checks"
        f" passed ({', '.join(states)})"
    )
    official = {None: "not compared: not every vote of the file was cast", True: "equal"}
    click.echo(f"official selection of the file: {official.get(report.is_official, 'DIFFERENT')}")


@contextmanager
def interruptible() -> Iterator[None]:
    """Have SIGTERM, and the end of the terminal, unwind as Ctrl-C does.

    A second signal does not cut that short.
    """
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}

    def interrupt(number: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _election(file: Path | None) -> tuple[PbElection, str]:
    vectors = os.environ.get(VECTORS_VARIABLE)
    if file is None and vectors and (Path(vectors) / DEFAULT_FILE).is_file():
        file = Path(vectors) / DEFAULT_FILE
    if file is None:
        return synthetic_file(), "a synthetic election"
    return parse_pabulib(read_file(file)), file.name


def _chain(rpc: str | None) -> LocalChain:
    return remote_chain(rpc, finality="tag", funding_key=None) if rpc else anvil_chain()


@contextmanager
def _compute(workers: int, dask: str | None) -> Iterator[Compute]:
    if dask is None:
        with ProcessPool(workers) as pool:
            yield pool
        return
    from wallet.adapters.compute.dask import open_cluster

    with open_cluster(dask) as cluster:
        yield cluster


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(mode=0o700, parents=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="seoul-wallet-rehearsal-") as folder:
        yield Path(folder)


@contextmanager
def _progress() -> Iterator[Tell]:
    with progress_bar() as progress:
        tasks = {}

        def tell(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done)

        yield tell
