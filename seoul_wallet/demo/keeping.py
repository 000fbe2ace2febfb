"""The acts around a receipt: it is kept while the chain is there, and checked when it is not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

from seoul_wallet.demo.scene import FINAL_WAIT_S, POLL_S, DemoFailed, Scene
from wallet.eligibility.receipts.file import (
    ReceiptFile,
    ReceiptReport,
    check_receipt_file,
    file_root,
    parse_receipt_file,
)
from wallet.eligibility.receipts.statement import RECEIPT_SCHEMA
from wallet.encoding.json import to_json
from wallet.holder.wallet import Wallet
from wallet.trust.identifiers import issuer_id, schema_id

FILE_NAME: Final = "receipt.json"


def keep_receipt(scene: Scene, wallet: Wallet) -> Path:
    """Wait until a receipt is anchored and known here; return the file that it is kept in."""
    path = scene.stack.folder / FILE_NAME
    ends_at = time.monotonic() + FINAL_WAIT_S
    while time.monotonic() < ends_at:
        wallet.decisions.update()
        for held in wallet.decisions.all():
            if held.is_verified and held.proof is not None:
                file = wallet.decisions.export(held.entry_id)
                if file.proof is not None and file.proof.anchor is not None:
                    path.write_bytes(to_json(file.to_json()))
                    if check(scene, path).failure is None:
                        return path
        time.sleep(POLL_S)
    raise DemoFailed(f"no anchored receipt of a decision within {FINAL_WAIT_S} s")


def check(scene: Scene, path: Path) -> ReceiptReport:
    """Check a kept receipt against the facts that are kept beside it, asking nobody."""
    file: ReceiptFile = parse_receipt_file(path.read_bytes())
    facts = scene.stack.verifier_replica.anchor_facts(
        issuer_id(file.issuer), schema_id(RECEIPT_SCHEMA), file_root(file), None
    )
    return check_receipt_file(file, facts=facts.value)


def verify_offline(scene: Scene, path: Path) -> None:
    """Check the receipt that was kept, and one of which a byte was changed."""

    def kept() -> tuple[str, str]:
        report = check(scene, path)
        passed = [step.name for step in report.steps if step.error is None and step.open is None]
        told = "valid" if report.failure is None else report.failure.code
        return told, "checked: " + ", ".join(passed).replace("_", " ")

    def altered() -> tuple[str, str]:
        other = path.with_name("altered.json")
        text = path.read_text("utf-8")
        signed = parse_receipt_file(text.encode()).receipt
        forged = signed[:-2] + ("A" if signed[-2] != "A" else "B") + signed[-1]
        other.write_text(text.replace(signed, forged), "utf-8")
        failure = check(scene, other).failure
        return ("valid" if failure is None else failure.code), "one letter of the signature"

    add = scene.protocol.add
    add(
        "결정 영수증을 체인 없이 확인",
        "the receipt of a decision, checked offline (seoul-wallet receipt verify)",
        "valid",
        kept,
    )
    add("고친 영수증", "a receipt that was altered", "signature_invalid", altered)
