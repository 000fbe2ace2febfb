"""Whatever any parser of the library is given, it returns or raises one of our errors.

The parsers are found, not listed: a new one is tested from the day it is there, and one whose
further arguments are not known here fails. Input is made of the words that its module knows.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wallet
from tests.support.voting import election
from wallet.credentials.jwe import DecryptionKey, encrypt_jwe
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.errors import SeoulWalletError
from wallet.protocols.dcql import parse_dcql
from wallet.protocols.exclusion import ENCRYPTION, open_link

NAME: Final = re.compile(
    r"(parse|peek|decode)(_|\Z)|open_((credential|presentation)_envelope|link)\Z"
)
# Adapters read their own configuration, not what strangers send.
ELSEWHERE: Final = ("wallet.adapters",)
# These read files that come with the library, in which a fault is one of the program.
OWN_FILES: Final = frozenset(("wallet.eligibility.evidence_types.parse_evidence_types",))
REGISTER_KEY: Final = DecryptionKey.generate()
# What parsers take besides the input, by the name of the parameter.
ARGUMENTS: Final[dict[str, Any]] = {
    "now": 1_800_000_000,
    "typ": "dc+sd-jwt",
    "name": "member",
    "size": 4,
    "header": b"\xd9\x5d\x03",
    "kind": "EnvelopedVerifiableCredential",
    "media_type": "application/vc+jwt",
    "expected": parse_did("did:web:issuer.example"),
    "expand": str,
    "first": {"https://www.w3.org/ns/credentials/v2": "2.0"},
    "required": "VerifiableCredential",
    "vct": "https://issuer.example/card",
    "issuer": "https://issuer.example",
    "credential_issuer": "https://issuer.example",
    "file": "programme.yaml",
    "query": parse_dcql(
        {
            "credentials": [
                {"id": "id", "format": "dc+sd-jwt", "meta": {"vct_values": ["urn:example:card"]}}
            ]
        }
    ),
    "max_characters": 1000,
    "max_bytes": 10_000,
    "redirect_uri": "https://wallet.example/back",
    "state": "state",
    "iss_promised": True,
    "election": election(),
    "trustee": 1,
    "salt": bytes(32),
    "key": REGISTER_KEY,
}
# Parsers whose input is not their first argument.
INPUTS: Final = {
    "wallet.protocols.oid4vci.configuration.parse_configuration": "value",
    "wallet.voting.trustee.parse_trustee_secrets": "data",
    "wallet.voting.trustee.parse_trustee_share": "data",
}


def parsers() -> Iterator[tuple[str, Callable[..., object]]]:
    for module in pkgutil.walk_packages(wallet.__path__, "wallet."):
        if module.name.startswith(ELSEWHERE):
            continue
        loaded = importlib.import_module(module.name)
        for name, function in vars(loaded).items():
            if (
                inspect.isfunction(function)
                and function.__module__ == module.name
                and NAME.match(name)
            ):
                yield f"{module.name}.{name}", function


PARSERS: Final = {name: parser for name, parser in parsers() if name not in OWN_FILES}


@cache
def words(module: str) -> tuple[str, ...]:
    """Return the short texts in a module's source: names of members, values, prefixes."""
    source = inspect.getsource(importlib.import_module(module))
    constants = (node.value for node in ast.walk(ast.parse(source)) if type(node) is ast.Constant)
    found = {text for text in constants if type(text) is str and 0 < len(text) < 40}
    return tuple(sorted(text for text in found if " " not in text)) or ("x",)


def json_of(module: str) -> st.SearchStrategy[Any]:
    known = st.sampled_from(words(module))
    scalars = (
        known
        | st.none()
        | st.booleans()
        | st.integers(-(2**65), 2**65)
        | st.floats()
        | st.text(max_size=8)
        | st.sampled_from(("did:web:a.example#k", "https://a.example/x", "AAAA", "\ud800", ""))
    )
    return st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(known, inner, max_size=5)
            | st.dictionaries(st.text(max_size=4), inner, max_size=2)
        ),
        max_leaves=12,
    )


def _text(value: Any) -> str:
    return value if type(value) is str else json.dumps(value)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def texts_of(module: str) -> st.SearchStrategy[str]:
    """Return texts: any, JSON, words in a row, and dotted base64url of JSON."""
    known = st.sampled_from(words(module))
    written = json_of(module).map(_text)
    segments = st.lists(written.map(lambda text: base64url.encode(_octets(text))), max_size=5)
    return (
        st.text(max_size=60)
        | st.lists(known | st.sampled_from(("~", ".", ":", "#", "/", "?", "&")), max_size=8).map(
            "".join
        )
        | written
        | segments.map(".".join)
        | segments.map(lambda parts: ".".join(parts) + "~")
    )


def input_name(function: Callable[..., object]) -> str:
    qualified = f"{function.__module__}.{function.__name__}"
    return INPUTS.get(qualified) or next(iter(inspect.signature(function).parameters))


def input_of(function: Callable[..., object]) -> st.SearchStrategy[Any]:
    module = function.__module__
    kind = str(get_type_hints(function).get(input_name(function)))
    octets = st.binary(max_size=120) | texts_of(module).map(_octets)
    if "Mapping[str, bytes]" in kind:
        return st.dictionaries(st.sampled_from(words(module)), octets, max_size=3)
    if "Mapping[str, str]" in kind:
        return st.dictionaries(st.sampled_from(words(module)), texts_of(module), max_size=5)
    if kind.startswith(("dict[", "collections.abc.Mapping", "typing.Mapping")):
        return st.dictionaries(st.sampled_from(words(module)), json_of(module), max_size=8)
    if "Sequence[str]" in kind:
        return st.lists(texts_of(module) | st.text(min_size=6, max_size=6), max_size=4)
    if kind in ("<class 'bytes'>", "bytes"):
        return octets
    if "bytes" in kind:
        return octets | texts_of(module)
    if kind in ("<class 'str'>", "str"):
        return texts_of(module)
    assert kind == "<class 'object'>", f"{function.__qualname__} takes {kind}"
    return json_of(module) | texts_of(module) | octets


def further(function: Callable[..., object]) -> dict[str, Any]:
    given_name = input_name(function)
    needed = [
        each.name
        for each in inspect.signature(function).parameters.values()
        if each.default is inspect.Parameter.empty and each.name != given_name
    ]
    unknown = [name for name in needed if name not in ARGUMENTS]
    assert not unknown, f"say in ARGUMENTS what {function.__qualname__} takes as {unknown}"
    return {name: ARGUMENTS[name] for name in needed}


def _call(
    function: Callable[..., object], name: str, value: Any, arguments: dict[str, Any]
) -> None:
    # By position up to the input, since some take it by position alone.
    parameters = list(inspect.signature(function).parameters)
    before = [arguments[each] for each in parameters[: parameters.index(name)]]
    rest = {each: arguments[each] for each in parameters[len(before) + 1 :] if each in arguments}
    function(*before, value, **rest)


def test_the_parsers_are_found() -> None:
    assert len(PARSERS) > 70
    assert "wallet.credentials.sd_jwt.parse_sd_jwt" in PARSERS
    assert "wallet.encoding.base64url.decode" in PARSERS


@pytest.mark.parametrize("name", PARSERS)
def test_whatever_a_parser_is_given_it_raises_only_our_errors(name: str) -> None:
    function = PARSERS[name]
    arguments, name_of_input = further(function), input_name(function)

    # There are many parsers: a third of the usual number for each.
    @settings(max_examples=settings().max_examples // 3, suppress_health_check=list(HealthCheck))
    @given(input_of(function))
    def parse(value: Any) -> None:
        with contextlib.suppress(SeoulWalletError):
            _call(function, name_of_input, value, arguments)

    parse()


@given(json_of("wallet.protocols.exclusion") | st.binary(max_size=60))
def test_whatever_was_sealed_for_the_register_opens_or_is_refused_by_our_errors(
    told: Any,
) -> None:
    data = told if type(told) is bytes else _octets(json.dumps(told))
    sealed = encrypt_jwe(data, REGISTER_KEY.public, enc=ENCRYPTION)
    with contextlib.suppress(SeoulWalletError):
        open_link(sealed, REGISTER_KEY)
