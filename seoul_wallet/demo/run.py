"""The demonstration: everything real, on one machine, with a table of expected and happened."""

from __future__ import annotations

import secrets
import time
from datetime import date
from pathlib import Path

from rich.console import Console

from issuer.calendar import seoul_day
from seoul_wallet.chain import LocalChain
from seoul_wallet.demo.benefits import (
    RESIDENTS,
    decide_in_the_outage,
    discover_and_apply,
    open_youths,
)
from seoul_wallet.demo.citizens import Devices
from seoul_wallet.demo.desk import Agency, Department
from seoul_wallet.demo.issuing import accept_card, issue_cards, issue_letters
from seoul_wallet.demo.keeping import keep_receipt, verify_offline
from seoul_wallet.demo.lines import Protocol
from seoul_wallet.demo.outage import decide_through_an_outage
from seoul_wallet.demo.refusing import refuse_forgeries, refuse_letters, refuse_revoked
from seoul_wallet.demo.scene import (
    MAX_FACTS_AGE_S,
    Scene,
)
from seoul_wallet.kept import keep
from seoul_wallet.stack import CLERK, DIRECTOR, StackTimes, start_stack
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.app import open_wallet


def run_demo(
    console: Console,
    chain: LocalChain,
    folder: Path,
    *,
    seed: int,
    households: int,
) -> bool:
    """Run the demonstration in `folder` over a running chain; True if all is as expected."""
    clock = SystemClock()
    today = seoul_day(clock.now())
    started = time.perf_counter()
    console.print(
        "[bold]서울지갑 시연[/] · Seoul Wallet demo"
        " — [dim]모든 인물은 가상입니다 · everyone in it is synthetic[/]"
    )
    times = StackTimes(max_replica_age_s=MAX_FACTS_AGE_S)
    with start_stack(
        folder,
        chain,
        seed=seed,
        households=households,
        residents=RESIDENTS,
        on=today,
        times=times,
    ) as stack:
        client = GuardedClient(allow_loopback_http=True)
        scene = Scene(
            console,
            Protocol(console),
            stack,
            Devices(client, clock),
            Department(client, stack.issuer_url, stack.operator_tokens[CLERK]),
            Department(client, stack.issuer_url, stack.operator_tokens[DIRECTOR]),
            Agency(client, stack.verifier_url, stack.agency_token),
        )
        console.print(
            f"  issuer {stack.issuer_url}, verifier {stack.verifier_url},"
            f" chain {stack.chain.deployment.chain_id}"
        )
        keep(folder, stack)
        _play(scene, today, seed)
        client.close()
    scene.protocol.print_table()
    passed = scene.protocol.all_as_expected
    verdict = "모두 예상대로 · all as expected" if passed else "실패 · failed"
    console.print(f"[bold]{verdict}[/] ({time.perf_counter() - started:.1f} s)")
    return passed


def _play(scene: Scene, today: date, seed: int) -> None:
    passphrase = secrets.token_urlsafe(16)
    with open_wallet(
        scene.stack.folder / "citizen.wallet", passphrase, create=True, development=True
    ) as wallet:
        cards, revocable = issue_cards(scene, today, wallet)
        letters = issue_letters(scene)
        shown = cards[0]
        receipt = scene.receipt(shown)
        accept_card(scene, wallet, shown, receipt)
        refuse_forgeries(scene, shown, receipt)
        refuse_revoked(scene, revocable)
        refuse_letters(scene, letters)
        first, second = youths = open_youths(scene, today, seed=seed)
        try:
            discover_and_apply(scene, first)
            kept = keep_receipt(scene, first.wallet)
            decide_through_an_outage(scene, shown, receipt)
            decide_in_the_outage(scene, second)
            verify_offline(scene, kept)
        finally:
            for youth in youths:
                youth.wallet.close()
