"""The act without a chain: decisions go on until their facts are too old."""

from __future__ import annotations

import time

from seoul_wallet.demo.citizens import HeldCard
from seoul_wallet.demo.lines import outcome_of
from seoul_wallet.demo.scene import (
    FINAL_WAIT_S,
    MAX_FACTS_AGE_S,
    POLL_S,
    DemoFailed,
    Scene,
)
from wallet.encoding.json import JsonObject


def decide_through_an_outage(scene: Scene, card: HeldCard, receipt: JsonObject) -> None:
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
