"""`mvote-verify RECORD`: checks a published election from the manifest to the funded projects.

With `--challenge` it checks one ballot that a wallet opened instead, for which `manifest.json` and
the beginning of `log.bin` are enough.

Exit codes: 0 every check ran and passed; 1 a check failed; 2 wrong arguments; 3 nothing failed,
but a check was skipped or not reached; 4 the folder cannot be read; 130 interrupted.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from mvote_verify.challenge import check_code, open_challenge
from mvote_verify.checks import Verification
from mvote_verify.engines import Work, default_workers, has_dask
from mvote_verify.failures import Refused
from mvote_verify.limits import (
    CHUNK_BALLOTS,
    MAX_CHUNK_BALLOTS,
    MAX_JSON_BYTES,
    MAX_WORKERS,
)
from mvote_verify.node import Node
from mvote_verify.plan import Options, Result
from mvote_verify.pool import Resume
from mvote_verify.report import (
    challenge_json,
    print_challenge,
    print_end,
    print_refusal,
    print_result,
    to_json,
)
from mvote_verify.texts import LANGUAGES, LINES, pick

SUCCESS, FAILED, USAGE, INCOMPLETE, UNREADABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        found = int(text)
        if not 1 <= found <= most:
            raise argparse.ArgumentTypeError(f"a whole number from 1 to {most}")
        return found

    return number


def _scheduler(address: str) -> str:
    if not has_dask():
        raise argparse.ArgumentTypeError("a Dask cluster needs the extra `cluster`")
    return address


def arguments() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(
        prog="mvote-verify",
        description="Verify the published record of an election (SW-MVOTE-V1). "
        "엠보팅 선거 기록을 검증합니다.",
        epilog="Exit codes: 0 every check ran and passed; 1 a check failed; 2 wrong arguments; "
        "3 nothing failed, but a check was skipped or not reached; 4 the folder cannot be read.",
    )
    parser.add_argument("record", type=Path, metavar="RECORD", help="folder of the record")
    parser.add_argument("--rpc", type=Node, metavar="URL", help="a node of the election's chain")
    parser.add_argument("--ballot", metavar="CODE", help="tracking code of your ballot")
    parser.add_argument(
        "--challenge",
        type=Path,
        metavar="FILE",
        help="check only the ballot that a wallet opened to this file, against --ballot CODE",
    )
    parser.add_argument(
        "--workers", type=_up_to(MAX_WORKERS), default=default_workers(), metavar="N"
    )
    parser.add_argument(
        "--dask",
        type=_scheduler,
        metavar="URL",
        help="verify ballots on your own Dask cluster instead of processes of this machine",
    )
    parser.add_argument(
        "--chunk-ballots",
        type=_up_to(MAX_CHUNK_BALLOTS),
        default=CHUNK_BALLOTS,
        metavar="N",
        help="how many ballots a worker verifies at once",
    )
    parser.add_argument("--resume", type=Path, metavar="FILE", help="keep results of chunks here")
    parser.add_argument("--lang", choices=LANGUAGES, default="ko")
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    return parser


def main(given: Sequence[str] | None = None) -> int:
    """Runs the command; gives the exit code."""
    parser = arguments()
    args = parser.parse_args(given)
    if args.challenge is not None and args.ballot is None:
        parser.error("--challenge needs the code that the device showed: --ballot CODE")
    console = Console(file=sys.stdout)
    if not args.record.is_dir():
        Console(stderr=True).print(pick(LINES["unreadable"], args.lang))
        return UNREADABLE
    if args.challenge is not None:
        return _challenge(args, console)
    resume = None
    try:
        resume = Resume(args.resume) if args.resume else None
        verification = _run(args, console, resume)
    except OSError as error:
        Console(stderr=True).print(f"{pick(LINES['unreadable'], args.lang)} {error.strerror}")
        return UNREADABLE
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if resume:
            resume.close()
    if args.json:
        sys.stdout.write(json.dumps(to_json(verification), ensure_ascii=False) + "\n")
    else:
        print_end(console, verification, args.lang)
    if verification.success:
        return SUCCESS
    return FAILED if verification.failed else INCOMPLETE


def _challenge(args: argparse.Namespace, console: Console) -> int:
    """Checks one opened ballot; gives the exit code."""
    try:
        with args.challenge.open("rb") as file:
            challenge = open_challenge(args.record, file.read(MAX_JSON_BYTES + 1))
        check_code(challenge, args.ballot)
    except OSError as error:
        Console(stderr=True).print(f"{pick(LINES['unreadable'], args.lang)} {error.strerror}")
        return UNREADABLE
    except Refused as error:
        if args.json:
            found = {"success": False, "code": error.code, "detail": error.detail}
            sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
        else:
            print_refusal(console, error.code, error.detail, args.lang)
        return FAILED
    if args.json:
        sys.stdout.write(json.dumps(challenge_json(challenge), ensure_ascii=False) + "\n")
    else:
        print_challenge(console, challenge, args.lang)
    return SUCCESS


def _run(args: argparse.Namespace, console: Console, resume: Resume | None) -> Verification:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as bar:
        task = bar.add_task(pick(LINES["ballots"], args.lang), total=None, visible=False)

        def progress(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        def report(result: Result) -> None:
            if not args.json:
                print_result(console, result, args.lang)

        work = Work(args.workers, args.dask, args.chunk_ballots)
        options = Options(args.rpc, args.ballot, work, resume, progress)
        verification = Verification(args.record, options)
        verification.run(report)
    return verification


def run() -> None:
    """Entry point of the console script."""
    sys.exit(main())


if __name__ == "__main__":
    run()
