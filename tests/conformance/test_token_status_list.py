"""Token Status List: the published CBOR encodings and the signed tokens, JWT and CWT."""

import re
from pathlib import Path

import pytest

from tests.support.vectors import vector_folder
from tests.unit.status.test_token_status_list import LONG, SHORT_1, SHORT_2, published
from wallet.credentials.cose import parse_cose_sign1, verify_cose_sign1
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid, parse_jwk
from wallet.encoding.cbor import parse_cbor, to_cbor
from wallet.status.token_status_list import TokenStatusList, parse_status_list_cbor
from wallet.verification.status import (
    STATUS_LIST_CWT_TYPE,
    StatusListInvalid,
    verify_status_list_token,
)

pytestmark = pytest.mark.vectors

# The draft does not print its example key. Of the two keys that ECDSA lets one recover from each
# signed example, this one is common to all three.
KEY = parse_jwk(
    {
        "kty": "EC",
        "crv": "P-256",
        "x": "I3HWm_0Ds1dPMI-IWmf4mBmH-YaeAVbPVu7vB27CxXo",
        "y": "6N_d5Elj9bs1htgV3okJKIdbHEpkgTmAluYKJemzn1M",
    }
)
URI = "https://example.com/statuslists/1"
ISSUER = "https://example.com"


def examples() -> Path:
    return vector_folder("ietf-token-status-list") / "examples"


def published_hex(name: str) -> bytes:
    text = (examples() / name).read_text()
    return bytes.fromhex("".join(re.findall(r"[0-9a-f]{2}", text.rpartition("encoded:")[2])))


def published_cbor(name: str) -> TokenStatusList:
    return parse_status_list_cbor(parse_cbor(published_hex(name)))


def test_reads_the_short_cbor_lists() -> None:
    one = published_cbor("status_list_encoding_cbor.md")
    assert [one.status(index) for index in range(16)] == SHORT_1
    two = published_cbor("status_list_encoding2_cbor.md")
    assert [two.status(index) for index in range(12)] == SHORT_2


@pytest.mark.parametrize(
    "name",
    [
        "status_list_encoding1_long_cbor.md",
        "status_list_encoding2_long_cbor.md",
        "status_list_encoding4_cbor.md",
        "status_list_encoding8_cbor.md",
    ],
)
def test_the_long_cbor_lists_are_those_of_the_json_form(name: str) -> None:
    entries = published_cbor(name)
    assert entries.size == 2**20
    assert entries == published(name.replace("cbor", "json"))


def test_every_published_encoding_was_read() -> None:
    encodings = {
        file.name
        for file in examples().glob("status_list_encoding*.md")
        if not file.name.endswith("_diag.md")
    }
    assert len(encodings) == 12
    assert LONG.keys() <= encodings


def test_the_published_cwt_verifies_and_no_changed_byte_of_it_does() -> None:
    token = published_hex("status_list_cwt.md")
    listed = verify_status_list_token(token, uri=URI, issuer=ISSUER, issuer_keys=KEY)
    assert (listed.issued_at, listed.expires_at, listed.ttl_s) == (1686920170, 2291720170, 43200)
    assert [listed.entries.status(index) for index in range(16)] == SHORT_1
    message = parse_cose_sign1(token, typ=STATUS_LIST_CWT_TYPE)
    assert message.kid == "12"
    with pytest.raises(SignatureInvalid):
        verify_cose_sign1(message, Es256SigningKey.generate().public_key)
    with pytest.raises(StatusListInvalid):
        verify_status_list_token(token, uri=URI + "0", issuer=ISSUER, issuer_keys=KEY)


def test_the_published_jwt_verifies_under_the_same_key() -> None:
    text = "".join((examples() / "status_list_jwt_raw.md").read_text().split())
    listed = verify_status_list_token(text.encode(), uri=URI, issuer=ISSUER, issuer_keys=KEY)
    assert [listed.entries.status(index) for index in range(16)] == SHORT_1
    with pytest.raises(StatusListInvalid):
        verify_status_list_token(
            text.encode(), uri=URI, issuer="https://other.example", issuer_keys=KEY
        )


def test_the_published_referenced_token_was_signed_with_it_too() -> None:
    protected, _, payload, signature = parse_cbor(published_hex("referenced_token_cwt.md")[1:])
    signed = to_cbor(["Signature1", protected, b"", payload])
    KEY.verify(signature, signed)
    with pytest.raises(SignatureInvalid):
        KEY.verify(signature, signed + b"\0")
