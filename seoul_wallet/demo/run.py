"""The demonstration: everything real, on one machine, with a table of expected and happened."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from issuer.calendar import seoul_day
from issuer.register.appointment_letter import APPOINTMENT_LETTER_TYPE
from issuer.register.card_rule import check_family_card, family_card_rule
from seoul_wallet.chain import LocalChain
from seoul_wallet.demo.citizens import Devices, HeldCard
from seoul_wallet.demo.desk import Agency, Department
from seoul_wallet.demo.lines import Protocol, age_of, outcome_of
from seoul_wallet.stack import CLERK, DIRECTOR, LocalStack, StackTimes, start_stack
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.app import open_wallet
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.holder.cards import ReceiptState
from wallet.holder.consent import ConsentRequest
from wallet.holder.wallet import Wallet
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import parse_receipt

WALLET_CARDS: Final = 10
FINAL_WAIT_S: Final = 60
POLL_S: Final = 0.1
MAX_FACTS_AGE_S: Final = 6
FAMILY_QUERY: Final = "family-card"
LETTER_QUERY: Final = "appointment-letter"
FAMILY_CLAIMS: Final = (("child_count",), ("seoul_resident",), ("valid_until",))
LETTER_CLAIMS: Final = (("name",), ("post",), ("organisation",), ("valid_until",))


class DemoFailed(RuntimeError):
    """The demonstration cannot go on; the message says what did not happen in time."""


@dataclass
class Scene:
    """Who and what the acts of the demonstration need."""

    console: Console
    protocol: Protocol
    stack: LocalStack
    devices: Devices
    clerk: Department
    director: Department
    agency: Agency

    def receipt(self, card: HeldCard) -> JsonObject:
        """Wait until a card's batch is final and known to the verifier; return the receipt."""
        ends_at = time.monotonic() + FINAL_WAIT_S
        while time.monotonic() < ends_at:
            receipt = self.devices.receipt(card)
            if receipt is not None and self._verifier_knows(card, receipt):
                return receipt
            time.sleep(POLL_S)
        raise DemoFailed(f"no final anchor receipt within {FINAL_WAIT_S} s")

    def _verifier_knows(self, card: HeldCard, receipt: JsonObject) -> bool:
        jws = parse_sd_jwt(card.credential).jws
        root = parse_receipt(receipt).root_for(jws.signing_input)
        schema = schema_id(jws.peek_claims()["vct"])
        fact = self.stack.verifier_replica.anchor_facts(
            issuer_id(self.stack.issuer_did), schema, root, None
        )
        return fact.value.batch is not None

    def in_hand(
        self, card: HeldCard, receipt: JsonObject | None, query: str = FAMILY_QUERY
    ) -> JsonObject:
        """Let the agency check a card that is shown at its counter; return the report."""
        nonce = secrets.token_urlsafe(16)
        audience = self.stack.verifier_url
        presentation = self.devices.present(
            card,
            claims=FAMILY_CLAIMS if query == FAMILY_QUERY else LETTER_CLAIMS,
            audience=audience,
            nonce=nonce,
            receipt=receipt,
        )
        return self.agency.verify(presentation, audience, nonce, query)


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
        folder, chain, seed=seed, households=households, on=today, times=times
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
        _play(scene, today, households)
        client.close()
    scene.protocol.print_table()
    passed = scene.protocol.all_as_expected
    verdict = "모두 예상대로 · all as expected" if passed else "실패 · failed"
    console.print(f"[bold]{verdict}[/] ({time.perf_counter() - started:.1f} s)")
    return passed


def _play(scene: Scene, today: date, households: int) -> None:
    passphrase = secrets.token_urlsafe(16)
    with open_wallet(
        scene.stack.folder / "citizen.wallet", passphrase, create=True, development=True
    ) as wallet:
        cards, revocable = _issue(scene, today, wallet)
        letters = _letters(scene)
        shown = cards[0]
        receipt = scene.receipt(shown)
        _accept(scene, wallet, shown, receipt)
        _refuse_forgeries(scene, shown, receipt)
        _refuse_revoked(scene, revocable)
        _refuse_letters(scene, letters)
        _outage(scene, shown, receipt)


def _issue(
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


def _letters(scene: Scene) -> list[HeldCard]:
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


def _accept(scene: Scene, wallet: Wallet, card: HeldCard, receipt: JsonObject) -> None:
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
        lambda: _judged(scene.in_hand(card, receipt)),
    )


def _await_receipts(wallet: Wallet) -> None:
    ends_at = time.monotonic() + FINAL_WAIT_S
    while time.monotonic() < ends_at:
        wallet.update_receipts()
        if all(card.receipt_state is ReceiptState.FINAL for card in wallet.credentials()):
            return
        time.sleep(POLL_S)
    raise DemoFailed(f"the wallet's receipts are not final within {FINAL_WAIT_S} s")


def _judged(report: JsonObject) -> tuple[str, str]:
    return outcome_of(report), age_of(report)


def _refuse_forgeries(scene: Scene, card: HeldCard, receipt: JsonObject) -> None:
    audience = scene.stack.verifier_url

    def tampered() -> tuple[str, str]:
        nonce = secrets.token_urlsafe(16)
        text = scene.devices.present(
            card, claims=FAMILY_CLAIMS, audience=audience, nonce=nonce, receipt=receipt
        )
        return _judged(
            scene.agency.verify(_with_more_children(text), audience, nonce, FAMILY_QUERY)
        )

    def stolen() -> tuple[str, str]:
        nonce = secrets.token_urlsafe(16)
        text = scene.devices.present(
            card,
            claims=FAMILY_CLAIMS,
            audience=audience,
            nonce=nonce,
            receipt=receipt,
            key=Es256SigningKey.generate(),
        )
        return _judged(scene.agency.verify(text, audience, nonce, FAMILY_QUERY))

    def replayed() -> tuple[str, str]:
        opened = scene.agency.open_request(FAMILY_QUERY)
        request = scene.agency.fetch_request(opened)
        text = scene.devices.present(
            card,
            claims=FAMILY_CLAIMS,
            audience=str(request["client_id"]),
            nonce=str(request["nonce"]),
            receipt=receipt,
        )
        query_id = request["dcql_query"]["credentials"][0]["id"]
        first, _ = scene.agency.answer(request, query_id, text)
        second, body = scene.agency.answer(request, query_id, text)
        return f"{first}, then {second}: {body.get('error') or body['code']}", outcome_of(
            scene.agency.result(opened)
        )

    add = scene.protocol.add
    add("변조된 공개 항목", "a tampered disclosure", "rejected: disclosure_malformed", tampered)
    add("남의 키로 서명", "someone else's key binding", "rejected: signature_invalid", stolen)
    add("응답 재사용", "a replayed response", "200, then 400: invalid_request", replayed)


def _with_more_children(presentation: str) -> str:
    """Return the presentation with the number of children raised in its disclosure."""
    parts = presentation.split("~")
    for position, part in enumerate(parts[1:-1], start=1):
        content = base64url.decode(part)
        if b'"child_count"' in content:
            parts[position] = base64url.encode(content[:-2] + b"9]")
    return "~".join(parts)


def _refuse_revoked(scene: Scene, revocable: tuple[str, HeldCard]) -> None:
    family, card = revocable

    def revoked() -> tuple[str, str]:
        receipt = scene.receipt(card)
        before = outcome_of(scene.in_hand(card, receipt))
        scene.clerk.revoke(family, "no_longer_entitled")
        ends_at = time.monotonic() + FINAL_WAIT_S
        report = scene.in_hand(card, receipt)
        while report["outcome"] != "rejected" and time.monotonic() < ends_at:
            time.sleep(POLL_S)
            report = scene.in_hand(card, receipt)
        return outcome_of(report), f"before: {before}"

    scene.protocol.add("취소된 카드", "a revoked card", "rejected: credential_revoked", revoked)


def _refuse_letters(scene: Scene, letters: list[HeldCard]) -> None:
    first, second = letters
    stack = scene.stack
    issuer, schema = issuer_id(stack.issuer_did), schema_id(APPOINTMENT_LETTER_TYPE)

    def await_fact(card: HeldCard, receipt: JsonObject, wanted: str) -> tuple[str, str]:
        ends_at = time.monotonic() + FINAL_WAIT_S
        report = scene.in_hand(card, receipt, LETTER_QUERY)
        before = outcome_of(report)
        while outcome_of(report) != wanted and time.monotonic() < ends_at:
            time.sleep(POLL_S)
            report = scene.in_hand(card, receipt, LETTER_QUERY)
        return outcome_of(report), f"before the chain said so: {before}"

    def batch_revoked() -> tuple[str, str]:
        receipt = scene.receipt(first)
        signed = parse_sd_jwt(first.credential).jws.signing_input
        root = parse_receipt(receipt).root_for(signed)
        scene.director.revoke_batch(base64url.encode(root))
        return await_fact(first, receipt, "rejected: batch_revoked")

    def accreditation_withdrawn() -> tuple[str, str]:
        receipt = scene.receipt(second)
        scopes = stack.verifier_replica.anchor_facts(issuer, schema, None, None)
        began = scopes.value.issuer_scopes[-1].valid_from
        stack.chain.accreditor.revoke_issuer(issuer, schema, began)
        return await_fact(second, receipt, "rejected: issuer_not_accredited")

    add = scene.protocol.add
    add("취소된 발급 묶음", "a revoked batch", "rejected: batch_revoked", batch_revoked)
    add(
        "발급 자격이 소급 철회된 기관",
        "an issuer whose accreditation was withdrawn, back to its beginning",
        "rejected: issuer_not_accredited",
        accreditation_withdrawn,
    )


def _outage(scene: Scene, card: HeldCard, receipt: JsonObject) -> None:
    """End the chain and go on deciding until the facts are older than the policy allows."""
    killed = scene.stack.chain.kill()
    scene.console.print(
        "  [yellow]체인 중단 · the chain is "
        + ("killed[/]" if killed else "cut off: the followers of this stack stop[/]")
    )
    if not killed:
        scene.stack.verifier.background.stop()
    ages: list[int] = []

    def until_too_old() -> tuple[str, str]:
        ends_at = time.monotonic() + FINAL_WAIT_S
        while time.monotonic() < ends_at:
            report = scene.in_hand(card, receipt)
            if report["outcome"] != "accepted":
                return outcome_of(report), f"policy: {MAX_FACTS_AGE_S} s at most"
            ages.append(_replica_age(report))
            time.sleep(POLL_S)
        raise DemoFailed("the facts did not grow old")

    def kept_deciding() -> tuple[str, str]:
        grows = ages == sorted(ages)
        honest = bool(ages) and grows and ages[-1] > ages[0] and ages[-1] <= MAX_FACTS_AGE_S
        stated = sorted(set(ages))
        return ("accepted, age growing" if honest else "not honest"), f"ages stated: {stated} s"

    late = scene.protocol.add(
        "체인 중단, 정보 유효시간 초과",
        "chain dead, facts older than the policy's maximum",
        "unavailable: facts_too_old",
        until_too_old,
    )
    scene.protocol.lines.remove(late)
    scene.protocol.add(
        "체인 중단 중에도 확인 계속",
        "chain dead, decisions go on and say how old their facts are",
        "accepted, age growing",
        kept_deciding,
    )
    scene.protocol.lines.append(late)


def _replica_age(report: JsonObject) -> int:
    """Return the age of the chain's facts in a report: step 9, accreditation."""
    steps = (report.get("presentations") or [report])[0]["steps"]
    age: int = next(step["facts_age_s"] for step in steps if step["name"] == "accreditation")
    return age
