"""Any bytes in any file: a code, never a traceback."""

import re
from pathlib import Path
from random import Random

import pytest

import mvote_verify
from mvote_verify.checks import HASHED_FILES
from mvote_verify.encodings import BYTES, TEXT, UNSIGNED, parse_json, read_cbor_map
from mvote_verify.failures import Malformed
from mvote_verify.texts import CODES
from tests.mvote_verify.conftest import Verify
from tests.support.mvote.records import Files

FILES = (*HASHED_FILES, "record.json")
DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("data", [b"", b"\xff\x00", DEEP, b"null", b"[]\n"], ids=range(5))
def test_a_file_of_nonsense_has_a_code(
    name: str, data: bytes, honest: Files, verify: Verify
) -> None:
    verification = verify({**honest, name: data})
    codes = {result.code for result in verification.results.values() if result.code}
    assert codes
    assert codes <= CODES.keys()
    assert not verification.success


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_found(name: str, honest: Files, verify: Verify) -> None:
    random = Random(name)
    for _ in range(3):
        data = bytearray(honest[name])
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        verification = verify({**honest, name: bytes(data)})
        assert verification.failed


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"a":1.0}',
        b'{"a":1e2}',
        b'{"b":1,"a":1}',
        b"9007199254740992",
        b"1" * 5000,
        b'"\\ud800"',
        b'"\\u0061"',
        b"NaN",
        b"-0",
        b"{} ",
        b"\xef\xbb\xbf{}",
        DEEP,
    ],
    ids=range(13),
)
def test_refuses_json_that_is_not_canonical(data: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(data)


def test_reads_json_that_is() -> None:
    assert parse_json('{"a":[1,-2],"가":null}'.encode()) == {"a": [1, -2], "가": None}


@pytest.mark.parametrize(
    "data",
    [
        "a3 01 00 02 60",
        "a3 01 18 05 02 60 03 40",
        "a3 01 00 02 61 ff 03 40",
        "a3 02 60 01 00 03 40",
        "bf 01 00 02 60 03 40 ff",
        "a3 01 00 02 60 03 41",
        "a3 01 00 02 60 03 5b ffffffffffffffff",
        "a3 01 20 02 60 03 40",
        "a3 01 00 02 60 03 40 00",
        "b8 03 01 00 02 60 03 40",
        "",
    ],
)
def test_refuses_cbor_that_is_not_deterministic(data: str) -> None:
    with pytest.raises(Malformed):
        read_cbor_map(bytes.fromhex(data), (UNSIGNED, TEXT, BYTES))


def test_every_code_of_the_source_has_its_sentence() -> None:
    source = "".join(path.read_text() for path in Path(mvote_verify.__file__).parent.glob("*.py"))
    raised = set(re.findall(r'Refused\(\s*"([a-z_]+)"', source))
    assert len(raised) > 30
    assert raised <= CODES.keys()


def test_reads_cbor_that_is() -> None:
    data = bytes.fromhex("a3 01 18 18 02 61 61 03 41 00")
    assert read_cbor_map(data, (UNSIGNED, TEXT, BYTES)) == [24, "a", b"\0"]
