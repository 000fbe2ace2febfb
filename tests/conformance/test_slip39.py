"""The published vectors of SLIP-39: vectors.json of trezor/python-shamir-mnemonic, as `slip39`."""

import json

import pytest

from tests.support.vectors import vector_folder
from wallet.crypto.recovery_shares import combine_shares, parse_share
from wallet.errors import SeoulWalletError

PASSPHRASE = b"TREZOR"


def combined(texts: list[str]) -> str:
    try:
        return combine_shares([parse_share(text) for text in texts], passphrase=PASSPHRASE).hex()
    except SeoulWalletError as error:
        return error.code


@pytest.mark.vectors
def test_every_vector_gives_its_secret_or_a_typed_error():
    vectors = json.loads((vector_folder("slip39") / "vectors.json").read_text("utf-8"))
    assert len(vectors) == 45
    refused = []
    for name, texts, secret, _ in vectors:
        outcome = combined(texts)
        if secret:
            assert outcome == secret, name
        else:
            assert outcome.startswith("recovery_share"), name
            refused.append(outcome)
    assert len(refused) > 25
    assert len(set(refused)) >= 5
