"""The published vectors of BIP-39, Korean and English."""

import hashlib
import json
import unicodedata

import pytest
from mnemonic import Mnemonic

from tests.support.vectors import vector_folder
from wallet.crypto.recovery_phrase import PhraseLanguage, RecoveryPhrase, parse_bip39

NAMES = {PhraseLanguage.KOREAN: "korean", PhraseLanguage.ENGLISH: "english"}
WORD_LIST_SHA256 = {
    PhraseLanguage.KOREAN: "9e95f86c167de88f450f0aaf89e87f6624a57f973c67b516e338e8e8b8897f60",
    PhraseLanguage.ENGLISH: "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda",
}


@pytest.mark.parametrize("language", PhraseLanguage)
def test_the_word_lists_are_those_of_the_proposal(language):
    text = "".join(f"{word}\n" for word in Mnemonic(NAMES[language]).wordlist)
    assert hashlib.sha256(text.encode("utf-8")).hexdigest() == WORD_LIST_SHA256[language]


@pytest.mark.vectors
@pytest.mark.parametrize("language", PhraseLanguage)
def test_every_vector_in_every_form(language):
    path = vector_folder("bip39") / "vectors.json"
    vectors = json.loads(path.read_text("utf-8"))[NAMES[language]]
    assert len(vectors) == 24
    for entropy, sentence, seed, _ in vectors:
        phrase = RecoveryPhrase(bytes.fromhex(entropy), language)
        nfkd = unicodedata.normalize("NFKD", sentence)
        assert phrase.nfkd() == nfkd
        assert Mnemonic.to_seed(phrase.nfkd(), "TREZOR").hex() == seed
        for form in ("NFC", "NFD", "NFKC", "NFKD"):
            assert parse_bip39(unicodedata.normalize(form, sentence)) == phrase


@pytest.mark.vectors
@pytest.mark.parametrize("language", PhraseLanguage)
def test_the_word_lists_are_the_published_files(language):
    folder = vector_folder("bip39") / "src" / "mnemonic" / "wordlist"
    published = (folder / f"{NAMES[language]}.txt").read_text("utf-8").split()
    assert Mnemonic(NAMES[language]).wordlist == published
