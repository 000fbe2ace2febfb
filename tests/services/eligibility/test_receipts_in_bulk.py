"""Receipts of answers that no wallet of ours sent, and of applications in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.support.bulk import CARD, CARD_CLAIMS, CARD_NOW, BulkBench
from tests.support.evidence_bench import EvidenceBench
from verifier.storage.receipt_tables import ENTRIES, LOG
from wallet.adapters.sql.engine import open_engine, read, sqlite_url
from wallet.crypto.keys import Es256SigningKey, thumbprint
from wallet.did.document import DidDocument, parse_did_document
from wallet.did.syntax import parse_did
from wallet.eligibility.receipts.holder import Act, sign_holder_statement
from wallet.eligibility.receipts.statement import verify_decision_receipt
from wallet.encoding.json import JsonObject

AGENCY = "did:web:agency.example"


@pytest.fixture
def bulk(tmp_path: Path) -> Iterator[BulkBench]:
    bench = BulkBench(tmp_path, EvidenceBench(CARD_NOW))
    yield bench
    bench.verifier.close()


def holder() -> tuple[Es256SigningKey, JsonObject]:
    key = Es256SigningKey.generate()
    return key, {"extra_claims": {"receipt_key": thumbprint(key.public_key)}}


def test_a_foreign_wallet_gets_the_plain_answer_and_the_agency_has_the_receipt(
    bulk: BulkBench,
) -> None:
    told, decided = bulk.answer(CARD, CARD_CLAIMS)
    assert told == {}
    assert decided["decision"]["outcome"] == "eligible"
    assert decided["decision_receipt"]["receipt"]


def test_a_wallet_that_names_a_key_gets_the_receipt(bulk: BulkBench) -> None:
    key, named = holder()
    told, decided = bulk.answer(CARD, CARD_CLAIMS, **named)
    assert told == {"decision_receipt": decided["decision_receipt"]}
    receipt = verify_decision_receipt(
        told["decision_receipt"]["receipt"], issuer=AGENCY, keys=agency_key(bulk)
    )
    assert receipt.holder == thumbprint(key.public_key)


@pytest.mark.parametrize("name", ["short", 7, None, ["x"], "!" * 43])
def test_a_name_that_is_no_thumbprint_is_no_key(bulk: BulkBench, name: object) -> None:
    told, decided = bulk.answer(CARD, CARD_CLAIMS, extra_claims={"receipt_key": name})
    assert told == {}
    assert decided["decision_receipt"]["receipt"]


def agency_key(bulk: BulkBench) -> DidDocument:
    document = bulk.client.get("/.well-known/did.json").json
    return parse_did_document(document, parse_did(AGENCY))


def entries(bulk: BulkBench, folder: Path) -> list[Any]:
    engine = open_engine(sqlite_url(folder / "verifier.db"))
    with read(engine) as connection:
        rows = list(connection.execute(select(ENTRIES).order_by(ENTRIES.c.log_index)))
        leaves = connection.execute(select(LOG.c.log_index).order_by(LOG.c.log_index)).scalars()
        assert list(leaves) == [row.log_index for row in rows]
    engine.dispose()
    return rows


def test_every_decision_in_bulk_has_a_receipt(bulk: BulkBench, tmp_path: Path) -> None:
    batch = bulk.open()
    named = [holder() for _ in range(3)]
    lines = [
        bulk.application(batch, str(at), CARD, CARD_CLAIMS, **claims)
        for at, (_, claims) in enumerate(named)
    ]
    bulk.send(batch, 0, [*lines, b"no application"])
    bulk.verifier.bulk.run_once()
    decided = bulk.decisions(batch)
    assert [item["state"] for item in decided] == ["decided"] * 3 + ["refused"]
    kept = entries(bulk, tmp_path)
    assert [row.entry_id for row in kept] == [item["receipt_id"] for item in decided[:3]]
    for row, (key, _), item in zip(kept, named, decided, strict=False):
        told = bulk.client.get(f"/v1/receipts/{row.entry_id}").json["decision_receipt"]
        receipt = verify_decision_receipt(told["receipt"], issuer=AGENCY, keys=agency_key(bulk))
        assert receipt.holder == thumbprint(key.public_key)
        assert receipt.outcome.value == item["decision"]["outcome"]
        assert receipt.nonce == batch["nonce"]


def test_an_application_that_was_withdrawn_is_not_decided_in_bulk(bulk: BulkBench) -> None:
    batch = bulk.open()
    (key, claims), (_, others) = holder(), holder()
    lines = [
        bulk.application(batch, "mine", CARD, CARD_CLAIMS, **claims),
        bulk.application(batch, "other", CARD, CARD_CLAIMS, **others),
    ]
    bulk.send(batch, 0, lines)
    statement = sign_holder_statement(
        key, Act.WITHDRAW, audience=AGENCY, about=batch["nonce"], now=bulk.clock.now()
    )
    taken = bulk.client.post("/v1/receipts/withdrawals", json={"statement": statement})
    assert taken.status_code == 200
    bulk.verifier.bulk.run_once()
    mine, other = bulk.decisions(batch)
    assert (mine["state"], mine["code"]) == ("refused", "application_withdrawn")
    assert other["state"] == "decided"
    assert bulk.progress(batch)["applications"]["refused"] == 1
    late = sign_holder_statement(
        holder()[0], Act.WITHDRAW, audience=AGENCY, about="of nothing", now=bulk.clock.now()
    )
    assert (
        bulk.client.post("/v1/receipts/withdrawals", json={"statement": late}).status_code == 409
    )


def test_one_key_is_good_for_one_decision(bulk: BulkBench) -> None:
    batch = bulk.open()
    _, claims = holder()
    lines = [bulk.application(batch, name, CARD, CARD_CLAIMS, **claims) for name in "ab"]
    bulk.send(batch, 0, lines)
    bulk.verifier.bulk.run_once()
    first, second = bulk.decisions(batch)
    assert first["state"] == "decided"
    assert (second["state"], second["code"]) == ("refused", "already_decided")
