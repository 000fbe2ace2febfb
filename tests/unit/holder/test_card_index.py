"""The index of cards: it finds what reading every card finds, whatever happened meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.credentials import DISCLOSABLE, ISSUER, NOW, World, card_claims
from tests.support.holder_stores import create_store, open_store
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.holder.card_index import KIND, MIN_CARDS_KEPT, PARTS, CardIndex
from wallet.holder.cards import HeldCredential, HeldCredentials, to_put
from wallet.ports.holder import Delete, Put, StoreDamaged
from wallet.protocols.dcql import DcqlQuery, parse_dcql

RARE, COMMON = "urn:seoul-wallet:synthetic:rare", "urn:seoul-wallet:synthetic:common"
MANY = MIN_CARDS_KEPT + 1
WORLD = World()


def card(number: int, vct: str) -> HeldCredential:
    issued = issue_sd_jwt_vc(
        {**card_claims(), "vct": vct},
        DISCLOSABLE,
        WORLD.issuer_key,
        verification_method=f"{ISSUER}#key-1",
        holder=WORLD.holder_key.public_key,
    )
    return HeldCredential(
        id=f"card-{number}",
        credential_issuer="https://issuer.example",
        configuration_id="card",
        credential=issued.compact,
        key_handle="synthetic",
        received_at=NOW - number,
    )


def asking_for(*vcts: str) -> DcqlQuery:
    return parse_dcql(
        {
            "credentials": [
                {"id": f"q{at}", "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}}
                for at, vct in enumerate(vcts)
            ]
        }
    )


@pytest.fixture(scope="module")
def puts() -> list[Put]:
    return [to_put(card(at, RARE if at % 50 == 7 else COMMON)) for at in range(MANY)]


@pytest.fixture
def store(tmp_path: Path, puts: list[Put]) -> Iterator[SqliteRecordStore]:
    with create_store(tmp_path / "wallet.db") as opened:
        opened.write(*puts)
        yield opened


def ids(index: CardIndex, *vcts: str) -> list[str]:
    return [held.id for held in index.answering(asking_for(*vcts))]


def read_one_by_one(store: SqliteRecordStore, vct: str) -> list[str]:
    return [held.id for held in HeldCredentials(store).all() if held.contents().type == vct]


def test_finds_what_reading_every_card_finds(store: SqliteRecordStore) -> None:
    index = CardIndex(store)
    assert ids(index, RARE) == read_one_by_one(store, RARE)
    assert len(ids(index, COMMON)) == MANY - len(ids(index, RARE))
    assert len(ids(index, RARE, COMMON)) == MANY
    assert ids(index, "urn:seoul-wallet:synthetic:none") == []


def test_notices_cards_that_came_changed_and_went(store: SqliteRecordStore) -> None:
    index = CardIndex(store)
    assert "card-7" in ids(index, RARE)
    store.write(
        Delete("credential", "card-7"),
        Put("credential", "card-57", to_put(card(57, COMMON)).payload),
        to_put(card(1000, RARE)),
    )
    found = ids(index, RARE)
    assert found == read_one_by_one(store, RARE)
    assert {"card-7", "card-57"}.isdisjoint(found)
    assert "card-1000" in found


def test_a_kept_index_spares_reading_and_an_old_one_is_mended(
    store: SqliteRecordStore, tmp_path: Path
) -> None:
    index = CardIndex(store)
    index.answering(asking_for(RARE))
    index.keep()
    assert len(store.list(KIND)) == PARTS
    kept = store.counter
    index.keep()
    assert store.counter == kept
    store.write(Delete("credential", "card-7"), to_put(card(1000, RARE)))
    with open_store(tmp_path / "wallet.db") as again:
        fresh = CardIndex(again)
        assert ids(fresh, RARE) == read_one_by_one(again, RARE)
        fresh.keep()
        # The part of the card that went, and of the one that came.
        assert kept + 1 < again.counter <= kept + 3


def test_nothing_is_kept_for_few_cards(tmp_path: Path, puts: list[Put]) -> None:
    with create_store(tmp_path / "wallet.db") as few:
        few.write(*puts[:10])
        index = CardIndex(few)
        assert ids(index, RARE) == ["card-7"]
        index.keep()
        assert list(few.list(KIND)) == []


@pytest.mark.parametrize(
    "payload",
    [b"", b"[]", b"{}", b'{"shapes": [[1]]}', b'{"shapes": [["f", [], false, "AAAA"]]}'],
)
def test_an_index_that_nobody_here_wrote_is_damage(
    store: SqliteRecordStore, payload: bytes
) -> None:
    store.write(Put(KIND, "0", payload))
    with pytest.raises(StoreDamaged):
        CardIndex(store).answering(asking_for(RARE))


def test_no_type_of_a_card_stands_in_the_file(store: SqliteRecordStore, tmp_path: Path) -> None:
    index = CardIndex(store)
    index.answering(asking_for(RARE))
    index.keep()
    files = b"".join(path.read_bytes() for path in tmp_path.glob("wallet.db*"))
    assert b"synthetic" not in files
    assert b"dc+sd-jwt" not in files
