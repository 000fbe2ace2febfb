"""Exports: what comes back, what is refused, and that nothing else is touched."""

import ast
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.holder_stores import CHEAP, PASSPHRASE, create_store, open_store
from wallet.adapters.keystore.software import KIND as SOFTWARE_KEY_KIND
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.crypto.recovery_phrase import PhraseLanguage, RecoveryPhrase
from wallet.errors import SeoulWalletError
from wallet.holder import recovery
from wallet.holder.export_format import (
    MAGIC,
    ExportDamaged,
    ExportedRecord,
    ExportMalformed,
    ExportPhraseWrong,
    ExportTruncated,
    ExportVersionUnknown,
    read_export,
    write_export,
)
from wallet.holder.recovery import (
    EXPORTED_KINDS,
    ExportExists,
    ExportUnavailable,
    Recovery,
    RecoveryPhraseExists,
    RecoveryPhraseMissing,
    restore_records,
    write_new_file,
)
from wallet.ports.holder import Put, StoreDamaged, StoreExists

SECRET = bytes(range(32))
PHRASE = RecoveryPhrase(SECRET, PhraseLanguage.KOREAN)
RECORDS = [ExportedRecord("credential", f"card-{n}", b"payload-%d" % n * n) for n in range(5)]
ROOT = Path(recovery.__file__).resolve().parents[2]


def export_of(records: list[ExportedRecord], secret: bytes = SECRET) -> list[bytes]:
    return list(write_export(secret, records))


def read_back(data: bytes, secret: bytes = SECRET) -> list[ExportedRecord]:
    return list(read_export(secret, io.BytesIO(data).read))


def filled_store(path: Path) -> SqliteRecordStore:
    store = create_store(path)
    for number, kind in enumerate(EXPORTED_KINDS):
        if kind != SOFTWARE_KEY_KIND:
            store.write(Put(kind, f"id-{number}", b"%d" % number * 300))
    return store


def contents(store: SqliteRecordStore) -> dict[str, list[tuple[str, bytes]]]:
    kinds = (*EXPORTED_KINDS, recovery.KIND)
    return {kind: [(r.record_id, r.payload) for r in store.list(kind)] for kind in kinds}


def restore(data: bytes, path: Path, phrase: RecoveryPhrase = PHRASE) -> SqliteRecordStore:
    def fill(records: SqliteRecordStore) -> None:
        restore_records(records, phrase, io.BytesIO(data).read)

    return SqliteRecordStore.create(path, PASSPHRASE, fill=fill, _floor=CHEAP)


class TestFormat:
    def test_what_was_written_is_read(self):
        assert read_back(b"".join(export_of(RECORDS))) == RECORDS
        assert read_back(b"".join(export_of([]))) == []

    def test_two_exports_have_no_frame_in_common_and_show_no_content(self):
        first, second = export_of(RECORDS), export_of(RECORDS)
        assert not set(first) & set(second)
        assert b"card-" not in b"".join(first)
        assert b"payload" not in b"".join(first)

    def test_every_flipped_byte_is_refused(self):
        data = b"".join(export_of(RECORDS[:2]))
        for at in range(len(data)):
            flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            with pytest.raises(SeoulWalletError) as caught:
                read_back(flipped)
            expected = (ExportMalformed, ExportVersionUnknown, ExportDamaged, ExportTruncated)
            assert type(caught.value) in expected

    def test_every_truncation_is_refused(self):
        data = b"".join(export_of(RECORDS[:2]))
        for length in range(len(data)):
            error = ExportTruncated if length >= len(MAGIC) else ExportMalformed
            with pytest.raises(error):
                read_back(data[:length])

    @pytest.mark.parametrize(
        "order",
        [(0, 2, 1, 3, 4, 5, 6), (0, 1, 3, 4, 5, 6), (0, 1, 1, 2, 3, 4, 5, 6), (0, 6),
         (0, 1, 2, 3, 4, 5, 6, 6), (0, 6, 1, 2, 3, 4, 5)],
    )  # fmt: skip
    def test_frames_reordered_left_out_or_doubled_are_refused(self, order):
        pieces = export_of(RECORDS)
        with pytest.raises(ExportDamaged):
            read_back(b"".join(pieces[at] for at in order))

    def test_frames_of_another_export_of_the_same_wallet_are_refused(self):
        ours, other = export_of(RECORDS), export_of(RECORDS)
        for at in range(len(ours)):
            with pytest.raises((ExportDamaged, ExportPhraseWrong)):
                read_back(b"".join([*ours[:at], other[at], *ours[at + 1 :]]))

    def test_something_after_the_end_is_refused(self):
        with pytest.raises(ExportDamaged):
            read_back(b"".join(export_of(RECORDS)) + b"\0")

    def test_another_phrase_is_told_from_damage(self):
        with pytest.raises(ExportPhraseWrong):
            read_back(b"".join(export_of(RECORDS)), bytes(32))

    def test_a_foreign_version_is_told(self):
        data = b"".join(export_of(RECORDS))
        at = len(MAGIC)
        with pytest.raises(ExportVersionUnknown):
            read_back(data[:at] + b"\0\2" + data[at + 2 :])

    @pytest.mark.parametrize("data", [b"", b"PK\3\4../../etc/passwd", bytes(1000), MAGIC[:-1]])
    def test_another_file_is_no_export(self, data):
        with pytest.raises(ExportMalformed):
            read_back(data)

    def test_a_frame_is_not_read_beyond_its_limit(self):
        header = export_of([])[0]
        asked = []
        stream = io.BytesIO(header + b"R\xff\xff\xff\xff")

        def read(length: int) -> bytes:
            asked.append(length)
            return stream.read(length)

        with pytest.raises(ExportDamaged):
            list(read_export(SECRET, read))
        assert max(asked) < 1000

    @settings(max_examples=50, deadline=None)
    @given(st.binary(max_size=300))
    def test_any_bytes_are_a_typed_error(self, data):
        with pytest.raises(SeoulWalletError):
            read_back(data)
        with pytest.raises(SeoulWalletError):
            read_back(export_of([])[0] + data)


class TestStore:
    def test_everything_comes_back_in_order_and_keys_still_sign(self, tmp_path):
        with filled_store(tmp_path / "old") as old:
            handle = SoftwareKeyStore(old).generate().handle
            phrase = Recovery(old).create_phrase(PhraseLanguage.ENGLISH)
            count = Recovery(old).export(tmp_path / "export")
            before = contents(old)
        assert count == len(EXPORTED_KINDS)
        data = (tmp_path / "export").read_bytes()
        with restore(data, tmp_path / "new", phrase) as new:
            assert contents(new) == before
            assert Recovery(new).phrase() == phrase
            assert SoftwareKeyStore(new).sign(handle, b"data")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "new", "old"]

    def test_an_export_is_for_its_owner_alone_and_replaces_nothing(self, tmp_path):
        path = tmp_path / "export"
        with filled_store(tmp_path / "old") as store:
            Recovery(store).create_phrase(PhraseLanguage.KOREAN)
            Recovery(store).export(path)
            assert path.stat().st_mode & 0o777 == 0o600
            before = path.read_bytes()
            with pytest.raises(ExportExists):
                Recovery(store).export(path)
        assert path.read_bytes() == before

    def test_without_a_phrase_nothing_is_exported(self, tmp_path):
        with filled_store(tmp_path / "old") as store:
            with pytest.raises(RecoveryPhraseMissing):
                Recovery(store).export(tmp_path / "export")
            Recovery(store).create_phrase(PhraseLanguage.KOREAN)
            with pytest.raises(RecoveryPhraseExists):
                Recovery(store).create_phrase(PhraseLanguage.KOREAN)
        assert not (tmp_path / "export").exists()

    def test_a_kind_that_nobody_thought_of_is_not_lost_in_silence(self, tmp_path):
        with filled_store(tmp_path / "old") as store:
            Recovery(store).create_phrase(PhraseLanguage.KOREAN)
            store.write(Put("something-new", "id", b"1"))
            with pytest.raises(StoreDamaged):
                Recovery(store).export(tmp_path / "export")

    def test_a_missing_folder_is_told(self, tmp_path):
        with pytest.raises(ExportUnavailable):
            write_new_file(tmp_path / "no" / "export", [b"1"])

    def test_a_file_system_without_hard_links_is_served(self, tmp_path, monkeypatch):
        def refuse(*_: object) -> None:
            raise PermissionError("no hard links")

        monkeypatch.setattr(os, "link", refuse)
        write_new_file(tmp_path / "export", [b"1", b"2"])
        assert (tmp_path / "export").read_bytes() == b"12"
        with pytest.raises(ExportExists):
            write_new_file(tmp_path / "export", [b"3"])
        assert [path.name for path in tmp_path.iterdir()] == ["export"]

    @pytest.mark.parametrize(
        ("spoil", "error"),
        [
            (lambda data: data[:-1], ExportTruncated),
            (lambda data: data[:-20] + bytes([data[-20] ^ 1]) + data[-19:], ExportDamaged),
            (lambda data: data + b"x", ExportDamaged),
            (lambda data: b"x" + data, ExportMalformed),
        ],
    )
    def test_a_spoilt_export_leaves_no_wallet_behind(self, tmp_path, spoil, error):
        data = b"".join(export_of(RECORDS))
        with pytest.raises(error):
            restore(spoil(data), tmp_path / "new")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("records", [[RECORDS[0]] * 2, [ExportedRecord("odd", "id", b"")]])
    def test_a_record_twice_or_of_no_kind_is_refused(self, tmp_path, records):
        with pytest.raises(ExportDamaged):
            restore(b"".join(export_of(records)), tmp_path / "new")

    def test_an_existing_wallet_is_not_restored_over(self, tmp_path):
        path = tmp_path / "wallet"
        filled_store(path).close()
        before = path.read_bytes()
        with pytest.raises(StoreExists):
            restore(b"".join(export_of(RECORDS)), path)
        assert path.read_bytes() == before

    def test_restoring_twice_gives_two_wallets(self, tmp_path):
        data = b"".join(export_of(RECORDS))
        with restore(data, tmp_path / "one") as one, restore(data, tmp_path / "two") as two:
            assert contents(one) == contents(two)


class TestCrash:
    """The process ends, without any clean-up, before its nth system call on files."""

    PROGRAM = "tests.support.export_process"

    def run(self, *arguments: object) -> int:
        return subprocess.run(
            [sys.executable, "-m", self.PROGRAM, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
            timeout=60,
        ).returncode

    @pytest.mark.parametrize("step", ["open", "fsync", "link", "unlink"])
    def test_a_crash_while_exporting_leaves_no_half_export(self, tmp_path, step):
        wallet, export = tmp_path / "wallet", tmp_path / "export"
        with filled_store(wallet) as store:
            Recovery(store).create_phrase(PhraseLanguage.KOREAN)
            before = contents(store)
        assert self.run("export", wallet, export, step) == 7
        with open_store(wallet) as store:
            assert contents(store) == before
            if export.exists():
                secret = Recovery(store).phrase().entropy
                assert read_back(export.read_bytes(), secret)
            else:
                Recovery(store).export(export)
            assert not list(tmp_path.glob("*" + recovery.UNFINISHED)) or step == "unlink"

    @pytest.mark.parametrize("writes", [0, 1, 2])
    def test_a_crash_while_restoring_leaves_no_half_wallet(self, tmp_path, writes):
        (tmp_path / "export").write_bytes(b"".join(export_of(_many())))
        new = tmp_path / "new"
        assert self.run("restore", new, tmp_path / "export", writes) == 7
        assert not new.exists()
        with restore((tmp_path / "export").read_bytes(), new) as store:
            assert store.count == len(_many()) + 1
        assert sorted(path.name for path in tmp_path.iterdir()) == ["export", "new"]


def _many() -> list[ExportedRecord]:
    count = 2 * recovery.RECORDS_PER_WRITE
    return [ExportedRecord("log", f"entry-{number}", b"{}") for number in range(count)]


def test_every_kind_of_record_in_the_holder_is_exported():
    kinds = set()
    for folder in ("wallet/holder", "wallet/adapters/keystore"):
        for path in (ROOT / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
                    continue
                is_kind = node.target.id == "KIND" or node.target.id.endswith("_KIND")
                if is_kind and isinstance(node.value, ast.Constant):
                    kinds.add(node.value.value)
    assert kinds == {*EXPORTED_KINDS, *recovery.LEFT_OUT_KINDS}
    assert SOFTWARE_KEY_KIND in kinds
