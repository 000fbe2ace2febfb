"""Batches, receipts and manifests: from the outbox to a final root."""

from __future__ import annotations

import pytest

from issuer.parts import ServiceSettings
from tests.support.issuing import NOW, IssuerWorld, issuer_world, key_of
from tests.support.memory_ledger import MemoryLedger
from wallet.anchoring import AnchorTimes
from wallet.credentials.jose import parse_compact_jws, verify_jws
from wallet.credentials.sd_jwt import parse_sd_jwt
from wallet.crypto.hashing import sha256
from wallet.encoding import base64url
from wallet.protocols.oid4vci.credential import parse_credential_response
from wallet.trust.facts import BatchFact
from wallet.trust.receipt import parse_receipt

HOUR_S = 3600


def batches(ledger: MemoryLedger) -> list[BatchFact]:
    return [event for event in ledger.events(0, ledger.height) if isinstance(event, BatchFact)]


def next_hour(world: IssuerWorld) -> None:
    world.clock.set((world.clock.now() // HOUR_S + 1) * HOUR_S)


def receipt_path(item: dict[str, dict[str, str]], world: IssuerWorld) -> str:
    return item["anchor"]["receipt_uri"].removeprefix(world.base_url)


def test_a_receipt_is_pending_then_included_then_final(world: IssuerWorld) -> None:
    item = world.issue()
    path = receipt_path(item, world)
    answer = world.client.get(path)
    assert (answer.status_code, answer.get_json()) == (202, {"state": "pending"})
    next_hour(world)
    world.application.work_once()
    included = world.client.get(path)
    assert (included.status_code, included.get_json()["state"]) == (200, "included")
    world.follow()
    world.application.work_once()
    final = world.client.get(path)
    assert (final.status_code, final.get_json()["state"]) == (200, "final")
    assert final.get_json()["receipt"] == included.get_json()["receipt"]


def test_the_receipt_with_the_wallets_salt_leads_to_the_anchored_root(world: IssuerWorld) -> None:
    item = world.issue()
    (received,) = parse_credential_response({"credentials": [item]}).credentials
    next_hour(world)
    world.application.work_once()
    answer = world.client.get(receipt_path(item, world)).get_json()["receipt"]
    assert "salt" not in answer
    assert received.anchor is not None
    salt = base64url.encode(received.anchor.salt)
    receipt = parse_receipt({**answer, "salt": salt})
    signing_input = parse_sd_jwt(received.credential).jws.signing_input
    (batch,) = batches(world.ledger)
    assert receipt.root_for(signing_input) == batch.root
    assert batch.size == receipt.size == 64


def test_the_manifest_is_signed_and_its_digest_is_on_the_chain(world: IssuerWorld) -> None:
    world.issue()
    next_hour(world)
    world.application.work_once()
    (batch,) = batches(world.ledger)
    answer = world.client.get(f"/batches/{base64url.encode(batch.root)}")
    assert answer.status_code == 200
    assert sha256(answer.data) == batch.manifest_digest
    jws = parse_compact_jws(answer.data, typ="anchor-manifest+jwt")
    verify_jws(jws, key_of("issuer").public_key)
    assert jws.peek_claims() == {
        "root": base64url.encode(batch.root),
        "size": 64,
        "schema": "urn:seoul-wallet:multi-child-family-card:1",
        "time": world.clock.now(),
        "issuer": "did:web:issuer.example",
    }


def test_batches_are_made_on_the_clock_and_not_when_a_credential_is_issued(
    world: IssuerWorld,
) -> None:
    assert NOW % HOUR_S == 0
    world.clock.set(NOW + 10)
    world.issue()
    for later in (11, HOUR_S - 1):
        world.clock.set(NOW + later)
        world.application.work_once()
        assert batches(world.ledger) == []
    world.clock.set(NOW + HOUR_S)
    world.application.work_once()
    assert len(batches(world.ledger)) == 1


def test_a_full_batch_does_not_wait_for_the_clock(tmp_path: object) -> None:
    settings = ServiceSettings(anchoring=AnchorTimes(max_leaves=3))
    world = issuer_world(tmp_path, settings=settings)  # type: ignore[arg-type]
    for _ in range(2):
        world.issue()
    world.application.work_once()
    assert batches(world.ledger) == []
    world.issue()
    world.application.work_once()
    assert [batch.size for batch in batches(world.ledger)] == [64]
    world.close()


def test_nothing_is_anchored_when_nothing_was_issued(world: IssuerWorld) -> None:
    next_hour(world)
    world.application.work_once()
    assert batches(world.ledger) == []


def test_a_batch_that_a_silent_chain_did_not_take_is_sent_again_unchanged(
    world: IssuerWorld,
) -> None:
    item = world.issue()
    next_hour(world)
    world.ledger.silent = True
    world.application.work_once()
    assert world.client.get(receipt_path(item, world)).status_code == 202
    (sealed,) = world.batches.unfinished()
    world.ledger.silent = False
    world.application.work_once()
    (batch,) = batches(world.ledger)
    assert (batch.root, batch.manifest_digest) == (sealed.root, sealed.manifest_digest)
    assert world.client.get(receipt_path(item, world)).status_code == 200


def test_a_batch_that_arrived_without_the_issuer_noticing_counts_as_anchored(
    world: IssuerWorld,
) -> None:
    item = world.issue()
    next_hour(world)
    world.ledger.silent = True
    world.application.work_once()
    world.ledger.silent = False
    (sealed,) = world.batches.unfinished()
    identity = world.application.service.identity
    schema = sha256(sealed.credential_type.encode())
    world.ledger.anchor_batch(
        identity.chain_id, schema, sealed.root, sealed.size, sealed.manifest_digest
    )
    world.application.work_once()
    assert len(batches(world.ledger)) == 1
    assert world.client.get(receipt_path(item, world)).get_json()["state"] == "included"


def test_a_batch_that_fell_out_of_the_chain_is_sent_again(world: IssuerWorld) -> None:
    world.issue()
    next_hour(world)
    world.application.work_once()
    (lost,) = batches(world.ledger)
    world.ledger.undo(2)  # the batch, and the status digest after it
    assert batches(world.ledger) == []
    world.application.work_once()
    assert [batch.root for batch in batches(world.ledger)] == [lost.root]


def test_the_operator_revokes_a_whole_batch_once(world: IssuerWorld) -> None:
    world.issue()
    next_hour(world)
    world.application.work_once()
    (batch,) = batches(world.ledger)
    path = f"/batches/{base64url.encode(batch.root)}/revoke"
    assert world.operate(path, {}).status_code == 204
    again = world.operate(path, {})
    assert (again.status_code, again.get_json()["code"]) == (409, "ledger_refused")
    unknown = world.operate(f"/batches/{base64url.encode(bytes(32))}/revoke", {})
    assert (unknown.status_code, unknown.get_json()["code"]) == (404, "batch_unknown")


@pytest.mark.parametrize("path", ["/receipts/", "/batches/"])
@pytest.mark.parametrize(
    ("name", "status"),
    [(base64url.encode(bytes(32)), 404), ("AAAA", 400), ("!", 400), ("A" * 5000, 400)],
)
def test_refuses_hashes_that_are_unknown_or_malformed(
    world: IssuerWorld, path: str, name: str, status: int
) -> None:
    assert world.client.get(path + name).status_code == status
