"""The six input and output pairs of cyberphone/json-canonicalization (RFC 8785)."""

import pytest

from tests.support.vectors import vector_folder
from wallet.encoding import jcs
from wallet.encoding.json import parse_json
from wallet.errors import SeoulWalletError

pytestmark = pytest.mark.vectors


def test_all_six_published_pairs_agree() -> None:
    folder = vector_folder("rfc8785") / "testdata"
    inputs = sorted((folder / "input").iterdir())
    assert len(inputs) == 6
    for path in inputs:
        expected = (folder / "output" / path.name).read_bytes()
        assert jcs.canonicalize(parse_json(path.read_bytes())) == expected, path.name
        hexadecimal = (folder / "outhex" / f"{path.stem}.txt").read_text()
        assert bytes.fromhex(hexadecimal) == expected


@pytest.mark.parametrize(
    "text",
    [b'{"a":"\\ud800"}', b'{"a":9007199254740993}', b'{"a":1,"a":2}', b'{"a":1e400}', b"NaN"],
)
def test_refuses_json_that_has_no_single_canonical_form(text: bytes) -> None:
    with pytest.raises(SeoulWalletError):
        jcs.canonicalize(parse_json(text))


def test_names_are_ordered_by_utf_16_and_minus_zero_is_zero() -> None:
    assert jcs.canonicalize({"\ufb33": 1, "\U0001f600": 2}) == (
        '{"\U0001f600":2,"\ufb33":1}'.encode()
    )
    assert jcs.canonicalize([-0.0, 1e21]) == b"[0,1e+21]"
