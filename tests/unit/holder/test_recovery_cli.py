"""Phrase, shares, export and restore on the command line, with the real cost of Argon2id."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.wallet_cli import wallet
from seoul_wallet.wallet_texts import TEXTS
from wallet.app import open_wallet, restore_wallet
from wallet.crypto.recovery_phrase import parse_recovery_phrase
from wallet.holder.export_format import ExportPhraseWrong
from wallet.holder.recovery import ExportUnavailable
from wallet.ports.holder import StoreExists

PASSPHRASE = "한강을 건너는 비밀 문장"
NEW_PASSPHRASE = "완전히 다른 비밀 문장"


def run(
    file: Path,
    *arguments: str,
    lang: str = "en",
    typed: str = "",
    passphrase: str | None = PASSPHRASE,
) -> Result:
    return CliRunner().invoke(
        wallet,
        ["--file", str(file), "--lang", lang, *arguments],
        env={"SEOUL_WALLET_PASSPHRASE": passphrase, "COLUMNS": "200"},
        input=typed,
    )


def words_in(output: str) -> str:
    return " ".join(re.findall(r"\d+\. (\S+)", output))


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("old") / "wallet.db"
    assert run(file, "create").exit_code == 0
    assert run(file, "export", str(file.with_name("early"))).exit_code == 4
    shown = run(file, "phrase", lang="ko")
    assert shown.exit_code == 0, shown.output
    assert TEXTS["ko"]["phrase_keep"] in shown.output
    file.with_name("words").write_text(words_in(shown.output), "utf-8")
    assert run(file, "export", str(file.with_name("export"))).exit_code == 0
    return file


@pytest.fixture
def phrase(old: Path) -> str:
    return old.with_name("words").read_text("utf-8")


@pytest.fixture
def exported(old: Path) -> Path:
    return old.with_name("export")


def test_the_phrase_is_24_words_and_stays_the_same(old: Path, phrase: str) -> None:
    assert parse_recovery_phrase(phrase).language == "ko"
    assert words_in(run(old, "phrase", "--words", "en").output) == phrase


def test_an_export_is_restored_into_a_new_wallet_with_its_own_passphrase(
    tmp_path: Path, exported: Path, phrase: str
) -> None:
    new = tmp_path / "phone" / "wallet.db"
    typed = f"{phrase}\n{NEW_PASSPHRASE}\n{NEW_PASSPHRASE}\n"
    result = run(new, "restore", str(exported), typed=typed, passphrase=None, lang="ko")
    assert result.exit_code == 0, result.output
    assert TEXTS["ko"]["restored"] in result.output
    assert words_in(run(new, "phrase", passphrase=NEW_PASSPHRASE).output) == phrase
    again = run(new, "restore", str(exported), typed=phrase + "\n")
    assert again.exit_code == 4
    assert "store_exists" in again.output


def test_two_of_three_shares_restore_the_wallet(tmp_path: Path, old: Path, exported: Path) -> None:
    shown = run(old, "shares", "--group", "2/3")
    shares = [words_in(part) for part in shown.output.split("\n\n")[1:]]
    assert [len(share.split()) for share in shares] == [33, 33, 33]
    new = tmp_path / "wallet.db"
    result = run(new, "restore", "--shares", str(exported), typed=f"{shares[2]}\n{shares[0]}\n")
    assert result.exit_code == 0, result.output
    assert TEXTS["en"]["more_shares"] in result.output
    assert run(new, "list").exit_code == 0


@pytest.mark.parametrize("group", ["1/3", "4/3", "x"])
def test_an_impossible_split_is_refused(old: Path, group: str) -> None:
    assert run(old, "shares", "--group", group).exit_code == 2


def test_a_mistyped_word_is_told_with_what_may_be_meant(
    tmp_path: Path, exported: Path, phrase: str
) -> None:
    words = phrase.split()
    meant, words[6] = words[6], words[6] + "ㄱ"
    result = run(tmp_path / "new", "restore", str(exported), typed=" ".join(words) + "\n")
    assert result.exit_code == 2
    assert "phrase_word_unknown" in result.output
    assert re.search(rf"number 7: .*{meant}", result.output)
    assert not (tmp_path / "new").exists()


def test_a_wrong_phrase_is_refused_and_leaves_nothing(tmp_path: Path, exported: Path) -> None:
    typed = "abandon " * 23 + "art\n"
    result = run(tmp_path / "new", "restore", str(exported), typed=typed)
    assert result.exit_code == 3
    assert "export_phrase_wrong" in result.output
    assert list(tmp_path.iterdir()) == []


def test_the_library_does_the_same(tmp_path: Path, old: Path, exported: Path, phrase: str) -> None:
    new = tmp_path / "wallet.db"
    assert restore_wallet(exported, phrase, new, NEW_PASSPHRASE) == 0
    with open_wallet(new, NEW_PASSPHRASE) as restored:
        assert restored.recovery_phrase() == parse_recovery_phrase(phrase)
        assert restored.export(tmp_path / "again") == 0
    with pytest.raises(StoreExists):
        restore_wallet(exported, phrase, old, NEW_PASSPHRASE)
    with pytest.raises(ExportPhraseWrong):
        restore_wallet(exported, "abandon " * 23 + "art", tmp_path / "other", NEW_PASSPHRASE)
    with pytest.raises(ExportUnavailable):
        restore_wallet(tmp_path / "missing", phrase, tmp_path / "other", NEW_PASSPHRASE)
    with open_wallet(old, PASSPHRASE) as untouched:
        assert untouched.recovery_phrase() == parse_recovery_phrase(phrase)


def test_both_languages_say_the_same_things() -> None:
    assert TEXTS["ko"].keys() == TEXTS["en"].keys()


def test_another_phrase_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "wallet.db"
    run(file, "create")
    assert run(file, "new-phrase", "--yes").exit_code == 4
    old = words_in(run(file, "phrase").output)
    refused = run(file, "new-phrase", typed="n\n")
    assert refused.exit_code == 4
    assert "consent_refused" in refused.output
    assert words_in(run(file, "phrase").output) == old
    made = run(file, "new-phrase", lang="ko", typed="y\n")
    assert made.exit_code == 0, made.output
    new = words_in(made.output)
    assert parse_recovery_phrase(new).language == "ko"
    assert words_in(run(file, "phrase").output) == new
    back = run(file, "new-phrase", "--typed", typed=old + "\n")
    assert (back.exit_code, words_in(run(file, "phrase").output)) == (0, old)
    assert run(file, "new-phrase", "--finish").exit_code == 0
