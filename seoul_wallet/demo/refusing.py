"""The acts that are refused: forgeries, and what the issuer or the chain withdrew."""

from __future__ import annotations

import secrets
import time

from issuer.register.appointment_letter import APPOINTMENT_LETTER_TYPE
from seoul_wallet.demo.citizens import HeldCard
from seoul_wallet.demo.lines import outcome_of
from seoul_wallet.demo.scene import (
    FAMILY_CLAIMS,
    FAMILY_QUERY,
    FINAL_WAIT_S,
    LETTER_QUERY,
    POLL_S,
    Scene,
    judged,
)
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.keys import Es256SigningKey
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject
from wallet.trust.identifiers import issuer_id, schema_id
from wallet.trust.receipt import parse_receipt


def refuse_forgeries(scene: Scene, card: HeldCard, receipt: JsonObject) -> None:
    audience = scene.stack.verifier_url

    def tampered() -> tuple[str, str]:
        nonce = secrets.token_urlsafe(16)
        text = scene.devices.present(
            card, claims=FAMILY_CLAIMS, audience=audience, nonce=nonce, receipt=receipt
        )
        return judged(
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
        return judged(scene.agency.verify(text, audience, nonce, FAMILY_QUERY))

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


def refuse_revoked(scene: Scene, revocable: tuple[str, HeldCard]) -> None:
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


def refuse_letters(scene: Scene, letters: list[HeldCard]) -> None:
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
