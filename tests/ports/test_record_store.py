"""What every `RecordStore` does, and every `KeyStore`."""

from collections.abc import Iterator
from pathlib import Path
from threading import Barrier, Thread

import pytest

from tests.support.holder_stores import create_store
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.crypto.keys import SignatureInvalid
from wallet.errors import SeoulWalletError
from wallet.ports.holder import (
    Delete,
    HeldKeyUnknown,
    KeyStore,
    Put,
    RecordConflict,
    RecordStore,
    RecordUnknown,
    StoreFull,
)


@pytest.fixture(params=["sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RecordStore]:
    with create_store(tmp_path / "wallet.db") as opened:
        yield opened


class TestRecordStore:
    def test_returns_what_was_written(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"\x00first\xff"), Put("card", "b", b""))
        assert store.get("card", "a").payload == b"\x00first\xff"
        assert store.get("card", "b").payload == b""

    def test_has_no_record_that_was_not_written(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"first"))
        with pytest.raises(RecordUnknown):
            store.get("card", "b")
        with pytest.raises(RecordUnknown):
            store.get("key", "a")

    def test_keeps_kinds_apart(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"card"), Put("key", "a", b"key"), Put("car", "da", b"third"))
        assert store.get("card", "a").payload == b"card"
        assert store.get("key", "a").payload == b"key"
        assert [record.payload for record in store.list("card")] == [b"card"]
        assert list(store.list("nothing")) == []

    def test_lists_in_the_order_of_the_last_change(self, store: RecordStore) -> None:
        for record_id in ("c", "a", "b"):
            store.write(Put("log", record_id, record_id.encode()))
        store.write(Put("log", "c", b"again"))
        assert [record.record_id for record in store.list("log")] == ["a", "b", "c"]

    def test_stamps_change_with_their_records_and_lead_back_to_them(
        self, store: RecordStore
    ) -> None:
        store.write(Put("card", "a", b"first"), Put("card", "b", b"second"), Put("key", "a", b""))
        before = store.stamps("card")
        assert len(before) == 2
        store.write(Put("card", "a", b"changed"), Delete("card", "b"))
        after = store.stamps("card")
        ((name, version),) = after.items()
        assert before[name] < version
        (record,) = store.read("card", [name])
        assert (record.record_id, record.payload) == ("a", b"changed")
        assert (record.kind, record.version) == ("card", version)

    def test_a_name_that_is_gone_or_of_another_kind_leads_nowhere(
        self, store: RecordStore
    ) -> None:
        store.write(Put("card", "a", b"first"), Put("key", "a", b""))
        (name,) = store.stamps("card")
        with pytest.raises(RecordUnknown):
            store.read("key", [name])
        store.write(Delete("card", "a"))
        with pytest.raises(RecordUnknown):
            store.read("card", [name])
        assert list(store.read("card", [])) == []
        assert store.stamps("nothing") == {}

    def test_gives_every_change_a_new_version(self, store: RecordStore) -> None:
        versions = []
        for _ in range(2):
            store.write(Put("card", "a", b"x"))
            versions.append(store.get("card", "a").version)
            store.write(Put("card", "a", b"y"))
            versions.append(store.get("card", "a").version)
            store.write(Delete("card", "a"))
        assert versions == sorted(set(versions))

    def test_replaces_a_record_whose_version_is_the_expected_one(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"old", expected_version=0))
        version = store.get("card", "a").version
        store.write(Put("card", "a", b"new", expected_version=version))
        assert store.get("card", "a").payload == b"new"

    def test_refuses_to_replace_another_version(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"old"))
        version = store.get("card", "a").version
        for unexpected in (0, version + 1, version - 1):
            with pytest.raises(RecordConflict):
                store.write(Put("card", "a", b"new", expected_version=unexpected))
        with pytest.raises(RecordConflict):
            store.write(Put("card", "b", b"new", expected_version=version))
        assert store.get("card", "a").payload == b"old"

    def test_deletes(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"x"), Put("card", "b", b"y"))
        store.write(Delete("card", "a"))
        with pytest.raises(RecordUnknown):
            store.get("card", "a")
        with pytest.raises(RecordUnknown):
            store.write(Delete("card", "a"))
        assert store.get("card", "b").payload == b"y"

    def test_makes_all_changes_or_none(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"old"))
        with pytest.raises(RecordUnknown):
            store.write(
                Put("card", "a", b"new"), Put("card", "b", b"new"), Delete("card", "missing")
            )
        assert store.get("card", "a").payload == b"old"
        with pytest.raises(RecordUnknown):
            store.get("card", "b")
        store.write(Put("card", "b", b"later"))
        assert [record.payload for record in store.list("card")] == [b"old", b"later"]

    def test_writes_together_are_one_step(self, store: RecordStore) -> None:
        with store.together():
            store.write(Put("card", "a", b"first"))
            store.write(Put("card", "a", b"second"), Put("card", "b", b"other"))
            assert store.get("card", "a").payload == b"second"
        assert store.get("card", "a").payload == b"second"
        assert [record.record_id for record in store.list("card")] == ["a", "b"]

    def test_an_error_undoes_all_that_was_written_together(self, store: RecordStore) -> None:
        store.write(Put("card", "a", b"before"))

        def fail() -> None:
            with store.together():
                store.write(Put("card", "a", b"after"))
                store.write(Put("card", "b", b"new"))
                store.write(Delete("card", "nowhere"))

        with pytest.raises(RecordUnknown):
            fail()
        assert store.get("card", "a").payload == b"before"
        assert store.count == 1
        store.write(Put("card", "b", b"again", expected_version=0))

    def test_a_write_that_fails_and_is_caught_undoes_itself_alone(
        self, store: RecordStore
    ) -> None:
        with store.together():
            store.write(Put("card", "a", b"kept"))
            with pytest.raises(RecordConflict):
                store.write(Put("card", "b", b"lost"), Put("card", "a", b"", expected_version=0))
        assert [record.record_id for record in store.list("card")] == ["a"]
        assert store.get("card", "a").payload == b"kept"

    def test_keys_and_records_are_written_together(self, store: RecordStore) -> None:
        keys, before = SoftwareKeyStore(store), store.counter

        def fail() -> None:
            with store.together():
                handles.append(keys.generate().handle)
                raise StoreFull("as if")

        handles: list[str] = []
        with pytest.raises(StoreFull):
            fail()
        with pytest.raises(HeldKeyUnknown):
            keys.find(handles[0])
        assert store.counter == before

    def test_refuses_a_record_that_is_too_large(self, store: RecordStore) -> None:
        store.write(Put("card", "a", bytes(1024 * 1024)))
        with pytest.raises(StoreFull):
            store.write(Put("card", "b", bytes(1024 * 1024 + 1)))
        assert len(store.get("card", "a").payload) == 1024 * 1024

    def test_of_parallel_changes_to_one_version_exactly_one_succeeds(
        self, store: RecordStore
    ) -> None:
        store.write(Put("card", "a", b"old"))
        version = store.get("card", "a").version
        barrier = Barrier(8)
        outcomes: list[str] = []

        def change(number: int) -> None:
            barrier.wait()
            try:
                store.write(Put("card", "a", b"%d" % number, expected_version=version))
                outcomes.append("written")
            except SeoulWalletError as error:
                outcomes.append(error.code)

        threads = [Thread(target=change, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["record_conflict"] * 7 + ["written"]


@pytest.fixture
def keys(store: RecordStore) -> KeyStore:
    return SoftwareKeyStore(store)


class TestKeyStore:
    def test_signs_under_the_public_key_that_it_named(self, keys: KeyStore) -> None:
        held = keys.generate()
        signature = keys.sign(held.handle, b"data")
        held.public_key.verify(signature, b"data")
        assert keys.find(held.handle).public_key.jwk == held.public_key.jwk
        with pytest.raises(SignatureInvalid):
            held.public_key.verify(signature, b"other data")

    def test_makes_a_new_key_every_time(self, keys: KeyStore) -> None:
        first, second = keys.generate(), keys.generate()
        assert first.handle != second.handle
        with pytest.raises(SignatureInvalid):
            second.public_key.verify(keys.sign(first.handle, b"data"), b"data")

    def test_has_no_key_that_was_deleted_or_never_made(self, keys: KeyStore) -> None:
        kept, gone = keys.generate(), keys.generate()
        keys.delete(gone.handle)
        for handle in (gone.handle, "never-made"):
            with pytest.raises(HeldKeyUnknown):
                keys.sign(handle, b"data")
            with pytest.raises(HeldKeyUnknown):
                keys.find(handle)
            with pytest.raises(HeldKeyUnknown):
                keys.delete(handle)
        kept.public_key.verify(keys.sign(kept.handle, b"data"), b"data")
