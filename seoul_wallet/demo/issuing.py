"""The acts that succeed: cards and letters are issued, and a card is accepted."""

from __future__ import annotations

import time
from datetime import date

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from issuer.calendar import seoul_day
from issuer.register.card_rule import check_family_card, family_card_rule
from seoul_wallet.demo.citizens import HeldCard
from seoul_wallet.demo.lines import age_of, outcome_of
from seoul_wallet.demo.scene import (
    FAMILY_QUERY,
    FINAL_WAIT_S,
    POLL_S,
    WALLET_CARDS,
    DemoFailed,
    Scene,
    judged,
)
from wallet.adapters.clock import SystemClock
from wallet.encoding.json import JsonObject
from wallet.holder.cards import ReceiptState
from wallet.holder.consent import ConsentRequest
from wallet.holder.wallet import Wallet


def issue_cards(
    scene: Scene, today: date, wallet: Wallet
) -> tuple[list[HeldCard], tuple[str, HeldCard]]:
    """Issue a card to every eligible family; ten of the families are in one citizen's wallet."""
    rule = family_card_rule(today)
    entitled: list[tuple[str, str]] = []
    refused = 0
    for chunk in scene.stack.families.families():
        for family in chunk:
            decision = check_family_card(family, today, rule)
            if decision.granted:
                entitled.append((family.family_id, next(iter(decision.cards))))
            else:
                refused += 1
    for_wallet, for_devices = entitled[:WALLET_CARDS], entitled[WALLET_CARDS:]
    held: list[HeldCard] = []

    def issue_all() -> tuple[str, str]:
        columns = (
            TextColumn("  발급 · issuing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        )  # fmt: skip
        with Progress(*columns, console=scene.console) as progress:
            task = progress.add_task("issue", total=len(for_devices))
            links = scene.clerk.offer_cards(for_devices)
            held.extend(scene.devices.take_all(links, lambda: progress.advance(task)))
        return f"{len(held)} cards", f"{refused} families are not entitled"

    scene.protocol.add(
        "자격 있는 모든 가정에 다둥이 행복카드 발급",
        "a family card for every eligible family",
        f"{len(for_devices)} cards",
        issue_all,
    )

    def receive_ten() -> tuple[str, str]:
        for family, holder in for_wallet:
            link, tx_code = scene.clerk.offer_card(family, holder)
            wallet.receive(link, tx_code=tx_code)
        return f"{len(wallet.credentials())} cards", "transaction code, encrypted store"

    scene.protocol.add(
        "시민 지갑에 카드 열 장 받기",
        "ten cards into one wallet",
        f"{WALLET_CARDS} cards",
        receive_ten,
    )
    return held, (for_devices[1][0], held[1])


def issue_letters(scene: Scene) -> list[HeldCard]:
    """Issue two appointment letters, in two batches; each needs a second person's approval."""
    appointments = [item for chunk in scene.stack.appointments.appointments() for item in chunk]
    today = seoul_day(SystemClock().now())
    running = [item for item in appointments if item.term_from <= today <= item.term_until][:2]
    letters: list[HeldCard] = []

    def issue() -> tuple[str, str]:
        for appointment in running:
            letter = scene.clerk.request_letter(appointment.appointment_id)
            scene.director.approve_letter(letter)
            letters.append(scene.devices.take(scene.director.offer_letter(letter)))
            scene.receipt(letters[-1])
        return f"{len(letters)} letters", "requested by one, approved by another"

    scene.protocol.add(
        "위촉장 발급 (2인 승인)", "appointment letters, two-person approval", "2 letters", issue
    )
    return letters


def accept_card(scene: Scene, wallet: Wallet, card: HeldCard, receipt: JsonObject) -> None:
    def from_wallet() -> tuple[str, str]:
        _await_receipts(wallet)
        opened = scene.agency.open_request(FAMILY_QUERY)
        shown: list[str] = []

        def ask(request: ConsentRequest) -> bool:
            for answer in request.answers:
                lines = answer.choice.lines("ko")
                shown.extend(line.label for line in lines)
            return True

        wallet.present(opened.link, ask=ask)
        report = scene.agency.result(opened)
        return outcome_of(report), f"disclosed {', '.join(sorted(shown))}; {age_of(report)}"

    scene.protocol.add(
        "지갑에서 제시하고 자격 확인", "the wallet presents a card", "accepted", from_wallet
    )
    scene.protocol.add(
        "창구에서 카드 확인",
        "a card shown at the counter",
        "accepted",
        lambda: judged(scene.in_hand(card, receipt)),
    )


def _await_receipts(wallet: Wallet) -> None:
    ends_at = time.monotonic() + FINAL_WAIT_S
    while time.monotonic() < ends_at:
        wallet.update_receipts()
        if all(card.receipt_state is ReceiptState.FINAL for card in wallet.credentials()):
            return
        time.sleep(POLL_S)
    raise DemoFailed(f"the wallet's receipts are not final within {FINAL_WAIT_S} s")
