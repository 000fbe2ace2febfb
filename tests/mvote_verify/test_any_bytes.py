"""Whatever any parser of the verifier is given, it returns or raises one of its own failures."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mvote_verify.ballots import parse_ballot
from mvote_verify.encodings import BYTES, TEXT, UNSIGNED, parse_json, read_cbor_map
from mvote_verify.failures import Malformed, Refused
from mvote_verify.log import payload_of
from mvote_verify.manifest import parse_manifest
from mvote_verify.statements import parse_statement
from tests.support.voting import cast, election, manifest_json, signing_key, voter
from wallet.encoding import jcs
from wallet.voting.statements import sign_statement

ELECTION: Final = election()
BALLOT: Final = cast(ELECTION, voter(1), [1, 0, 0, 0, 0, 0]).octets
STATEMENT: Final = sign_statement(signing_key("board"), {"kind": "close", "ballots": 3}).octets
PARSERS: Final[dict[str, tuple[Callable[[bytes], object], bytes]]] = {
    "manifest": (parse_manifest, ELECTION.manifest.octets),
    "ballot": (
        lambda data: parse_ballot(data, parse_manifest(ELECTION.manifest.octets)),
        BALLOT,
    ),
    "statement": (lambda data: parse_statement(data, "close"), STATEMENT),
    "entry": (lambda data: payload_of(data, 0), b"\xa3\x01\x00\x02\x61a\x03\x41\x00"),
    "JSON": (parse_json, b'{"a":[1,null,"b"]}'),
    "CBOR": (
        lambda data: read_cbor_map(data, (UNSIGNED, TEXT, BYTES)),
        b"\xa3\x01\x00\x02\x61a\x03\x41\x00",
    ),
}


def spliced(good: bytes) -> st.SearchStrategy[bytes]:
    """A good one of which a piece is another."""
    places = st.integers(0, len(good))
    return st.builds(
        lambda start, length, piece: good[:start] + piece + good[start + length :],
        places,
        st.integers(0, 40),
        st.binary(max_size=40),
    )


def members() -> st.SearchStrategy[bytes]:
    """A manifest of which one member, at any depth of the first two, is another JSON value."""
    value: dict[str, Any] = manifest_json()
    other = st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    )
    inside = [(name, key) for name in value if type(value[name]) is dict for key in value[name]]

    def changed(place: tuple[str, str | None], new: object) -> bytes:
        name, key = place
        part = new if key is None else {**value[name], key: new}
        with contextlib.suppress(jcs.NotCanonicalizable):
            return jcs.canonicalize({**value, name: part})
        return json.dumps({**value, name: part}).encode()

    places = st.sampled_from([*((name, None) for name in value), *inside])
    return st.builds(changed, places, other)


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_a_parser_is_given_it_raises_only_its_own_failures(name: str) -> None:
    parse, good = PARSERS[name]
    assert parse(good) is not None
    given_bytes = st.binary(max_size=80) | spliced(good)
    if name == "manifest":
        given_bytes |= members()

    @settings(suppress_health_check=list(HealthCheck))
    @given(given_bytes)
    def check(data: bytes) -> None:
        with contextlib.suppress(Malformed, Refused):
            parse(data)

    check()
