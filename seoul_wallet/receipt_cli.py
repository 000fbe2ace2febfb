"""`seoul-wallet receipt`: check a decision's receipt offline, years later."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import click

from seoul_wallet.files import read_file
from seoul_wallet.typed_errors import EXIT_CODES, TypedErrors
from wallet.eligibility.days import SEOUL
from wallet.eligibility.receipts.file import (
    MAX_FILE_BYTES,
    ReceiptFile,
    ReceiptReport,
    check_receipt_file,
    file_root,
    parse_receipt_file,
)
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA, DecisionReceipt, Shown, shown_of
from wallet.encoding import base64url
from wallet.encoding.json import to_json
from wallet.errors import MalformedError
from wallet.holder.texts import shown as safe
from wallet.trust.facts import AnchorFacts
from wallet.trust.identifiers import issuer_id, schema_id

_STEPS: Final = {
    "agency_signature": ("기관의 서명", "the agency's signature"),
    "holder_signature": ("본인의 확인 서명", "the holder's countersignature"),
    "commitments": ("보여 준 증명과의 일치", "what was shown"),
    "anchored": ("체인에 기록된 묶음 안에 있음", "its place in an anchored batch"),
    "agency_key": ("서명한 키가 그 기관의 것", "the key is the agency's"),
    "accreditation": ("기록 당시 기관의 자격", "the agency's accreditation when it was anchored"),
    "log": ("기관의 결정 기록 안에 있음", "its place in the agency's log"),
}
_OPEN: Final = {
    "not_shown": (
        "영수증에는 증명의 내용이 없습니다 (--presentation)",
        "the file has nothing of what was shown (--presentation)",
    ),
    "no_facts": (
        "체인의 사실이 있어야 알 수 있습니다 (--replica, --rpc)",
        "takes facts of the chain (--replica, --rpc)",
    ),
    "no_log": ("기관이 기록의 증거를 주지 않았습니다", "the file has no proof from the log"),
}
_OUTCOMES: Final = {
    "eligible": ("대상입니다", "eligible"),
    "not_eligible": ("대상이 아닙니다", "not eligible"),
    "unknown": ("알 수 없습니다", "unknown"),
}


class RootMalformed(MalformedError):
    """A root is 32 bytes, in hex or base64url."""

    code = "root_malformed"


def _root(text: str) -> bytes:
    try:
        plain = text.removeprefix("0x")
        found = bytes.fromhex(plain) if len(plain) == 64 else base64url.decode(text)
    except (ValueError, MalformedError):
        found = b""
    if len(found) != 32:
        raise RootMalformed("a root is 32 bytes, in hex or base64url")
    return found


@click.group(cls=TypedErrors)
def receipt() -> None:
    """Check receipts of agencies' decisions."""


_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@receipt.command()
@click.argument("file", type=_FILE)
@click.option("--root", metavar="ROOT", help="A root of the chain that you have from elsewhere.")
@click.option("--replica", metavar="URL", help="Ask this replica: database URL or SQLite file.")
@click.option("--rpc", metavar="URL[,URL]", help="Read and prove the chain at these nodes.")
@click.option("--deployment", type=_FILE, help="With --rpc: the file of `anchor deploy`.")
@click.option("--finality", default="tag", show_default=True, help="With --rpc: as in `anchor`.")
@click.option("--development", is_flag=True, help="With --rpc: one node on loopback will do.")
@click.option(
    "--presentation",
    "presentations",
    multiple=True,
    type=(str, _FILE),
    metavar="ID FILE",
    help="What was shown for a piece of evidence, to open its commitment; all of them, or none.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(
    file: Path,
    root: str | None,
    replica: str | None,
    rpc: str | None,
    deployment: Path | None,
    finality: str,
    development: bool,
    presentations: tuple[tuple[str, Path], ...],
    as_json: bool,
) -> None:
    """Check the receipt in FILE against a root, a replica or the chain; ask nobody else.

    Says what the receipt says, what was checked and what was not. Exit code 0: what could be
    checked is good; 2: no receipt file; 3: a signature, a place or an accreditation is not good;
    5: the batch is not among the facts at hand, or none were given.
    """
    found = parse_receipt_file(read_file(file)[: MAX_FILE_BYTES + 1])
    facts = None
    if root is None and found.proof is not None and found.proof.anchor is not None:
        facts = _facts(found, replica, rpc, deployment, finality, development)
    report = check_receipt_file(
        found,
        facts=facts,
        root=None if root is None else _root(root),
        shown={name: _shown(path) for name, path in presentations} or None,
    )
    click.echo(to_json(_as_json(report)).decode() if as_json else _told(report))
    if report.failure is not None:
        raise SystemExit(
            next(code for family, code in EXIT_CODES if isinstance(report.failure, family))
        )


def _facts(
    file: ReceiptFile,
    replica: str | None,
    rpc: str | None,
    deployment: Path | None,
    finality: str,
    development: bool,
) -> AnchorFacts | None:
    if replica is None and rpc is None:
        return None
    # Slow to import, and not needed to check against a root.
    from seoul_wallet.anchor.options import ChainOptions
    from seoul_wallet.anchor.replicas import follow_once, open_replica
    from seoul_wallet.chain import split_urls
    from wallet.adapters.sql.replica import SqlReplica

    with ExitStack() as open_things:
        if replica is not None:
            engine = open_things.enter_context(open_replica(replica))
        else:
            folder = open_things.enter_context(TemporaryDirectory())
            place = str(Path(folder) / "replica.db")
            engine = open_things.enter_context(open_replica(place, must_exist=False))
            urls = split_urls(rpc or "")
            follow_once(ChainOptions(urls, finality, None, development, deployment), engine)
        agency, schema = issuer_id(file.issuer), schema_id(RECEIPT_SCHEMA)
        return SqlReplica(engine).anchor_facts(agency, schema, file_root(file), None).value


def _shown(path: Path) -> Shown:
    return shown_of(read_file(path).decode("utf-8", "replace").strip())


def _time(at: int) -> str:
    return datetime.fromtimestamp(at, SEOUL).strftime("%Y-%m-%d %H:%M:%S %z")


def _as_json(report: ReceiptReport) -> dict[str, Any]:
    found = report.receipt
    return {
        "valid": report.failure is None,
        "code": None if report.failure is None else report.failure.code,
        "anchored_at": report.anchored_at,
        "receipt": None
        if found is None
        else {
            "id": found.id,
            "agency": found.issuer,
            "holder": found.holder,
            "guardian": found.guardian,
            "acted_for": None if found.acted_for is None else found.acted_for.to_json(),
            "programme": found.programme,
            "version": found.version,
            "outcome": found.outcome.value,
            "reasons": list(found.reasons),
            "decided_at": found.decided_at,
            "facts_age_s": found.facts_age_s,
            "log_index": found.log_index,
        },
        "steps": [
            {
                "name": step.name,
                "outcome": _outcome(step.error is not None, step.open),
                "code": None if step.error is None else step.error.code,
                "why_not": step.open,
            }
            for step in report.steps
        ],
    }


def _outcome(failed: bool, left_open: str | None) -> str:
    if failed:
        return "failed"
    return "passed" if left_open is None else "not_checked"


def _told(report: ReceiptReport) -> str:
    lines = [] if report.receipt is None else _what_it_says(report.receipt)
    if report.anchored_at is not None:
        at = _time(report.anchored_at)
        lines.append(f"체인에 기록된 때 · anchored at: {at}")
    for step in report.steps:
        ko, en = _STEPS[step.name]
        if step.error is not None:
            lines.append(f"✗ {ko} · {en}: {step.error.code} ({safe(str(step.error))})")
        elif step.open is not None:
            why_ko, why_en = _OPEN[step.open]
            lines.append(f"- {ko} · {en}: 확인하지 않음, {why_ko} · not checked: {why_en}")
        else:
            lines.append(f"✓ {ko} · {en}")
    lines.append(
        "확인하지 않는 것: 결정이 옳은지, 증명이 그 뒤로 바뀌었는지 · never checked: whether the "
        "decision is right, or what became of the evidence since"
    )
    good = report.failure is None
    lines.append(
        "유효합니다 · valid" if good else "유효하다고 볼 수 없습니다 · not shown to be valid"
    )
    return "\n".join(lines)


def _what_it_says(found: DecisionReceipt) -> list[str]:
    ko, en = _OUTCOMES[found.outcome.value]
    reasons = ", ".join(found.reasons) or "-"
    age = "-" if found.facts_age_s is None else f"{found.facts_age_s} s"
    seen = ", ".join(f"{item.id}{'' if item.accepted else ' (✗)'}" for item in found.evidence)
    return [
        f"기관 · agency: {safe(found.issuer)}",
        f"사업 · programme: {safe(found.programme)} ({safe(found.version)}), {found.on}",
        f"결과 · outcome: {ko} · {en}",
        f"사유 · reasons: {safe(reasons)}",
        f"결정한 때 · decided at: {_time(found.decided_at)}",
        f"사실의 나이 · age of the facts: {age}",
        f"본 증명 · evidence: {safe(seen) or '-'}",
        f"본인 · holder: {found.holder or '-'}",
        *_acted(found),
    ]


def _acted(found: DecisionReceipt) -> list[str]:
    acted = found.acted_for
    if acted is None:
        return []
    ko, en = ("자녀와 함께", "with the child") if acted.jointly else ("대신하여", "for the child")
    lines = [
        f"신청한 보호자 · guardian who applied {en}: {acted.actor} ({ko})",
        f"자녀 · child: {acted.person}",
    ]
    if found.guardian is not None:
        lines.append(f"보호자의 확인 열쇠 · the guardian's key: {found.guardian}")
    return lines
