"""Type Metadata: what a document may say, integrity, extension, and the rules for claims."""

import base64
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.credentials.type_metadata import (
    MAX_EXTENSIONS,
    ClaimRule,
    Disclosability,
    Display,
    SvgTemplateLink,
    TypeIntegrityMismatch,
    TypeMetadataMalformed,
    TypeRulesBroken,
    check_claims,
    check_integrity,
    claim_rules,
    parse_type_metadata,
    resolve_type_metadata,
)
from wallet.encoding.json import to_json
from wallet.errors import SeoulWalletError

VCT = "https://types.example/multi-child-card"
BASE = "https://types.example/card"
DOCUMENT: dict[str, Any] = {
    "vct": VCT,
    "name": "Multi-child family card",
    "description": "A synthetic type",
    "display": [
        {
            "locale": "ko-KR",
            "name": "다둥이 행복카드",
            "rendering": {
                "simple": {},
                "svg_templates": [
                    {
                        "uri": "https://types.example/card.svg",
                        "uri#integrity": "sha256-AAAA",
                        "properties": {"contrast": "high", "orientation": "landscape"},
                    }
                ],
            },
        },
        {"lang": "en", "name": "Multi-child family card", "description": "synthetic"},
    ],
    "claims": [
        {"path": ["child_count"], "sd": "always", "display": [{"locale": "ko", "label": "자녀"}]},
        {"path": ["valid_until"], "mandatory": True, "sd": "never"},
        {"path": ["guardians", None, "name"], "svg_id": "guardian_1"},
    ],
}


def integrity(data: bytes, name: str = "sha256") -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, data).digest()).decode()}"


def documents(**extra: dict[str, Any]) -> dict[str, bytes]:
    return {url: to_json({"vct": url, **value}) for url, value in extra.items()}


def test_reads_names_displays_and_claims() -> None:
    metadata = parse_type_metadata(to_json(DOCUMENT), VCT)
    assert metadata.display == (
        Display(
            "ko-KR",
            "다둥이 행복카드",
            None,
            (
                SvgTemplateLink(
                    "https://types.example/card.svg", "sha256-AAAA", "landscape", None, "high"
                ),
            ),
        ),
        Display("en", "Multi-child family card", "synthetic"),
    )
    assert metadata.claims[0].display == (Display("ko", "자녀"),)
    assert metadata.claims[1] == ClaimRule(
        ("valid_until",), (), mandatory=True, sd=Disclosability.NEVER
    )
    assert metadata.claims[2].path == ("guardians", None, "name")
    assert [rule.svg_id for rule in metadata.claims] == [None, None, "guardian_1"]


@pytest.mark.parametrize(
    "changes",
    [
        {"vct": BASE},
        {"vct": None},
        {"name": 1},
        {"name": ""},
        {"description": []},
        {"extends": ["a"]},
        {"extends#integrity": "sha256-AAAA"},
        {"display": {}},
        {"display": [1]},
        {"display": [{"locale": "ko"}]},
        {"display": [{"name": "a"}]},
        {"display": [{"locale": "ko", "name": "a", "rendering": []}]},
        {"display": [{"locale": "ko", "name": "a", "rendering": {"svg_templates": [{}]}}]},
        {
            "display": [
                {
                    "locale": "ko",
                    "name": "a",
                    "rendering": {"svg_templates": [{"uri": "https://a.example"}] * 17},
                }
            ]
        },
        {"claims": [{"path": ["a"], "svg_id": "1a"}]},
        {"claims": [{"path": ["a"], "svg_id": "a"}, {"path": ["b"], "svg_id": "a"}]},
        {"display": [{"locale": "ko", "name": "a"}] * 2},
        {"claims": "x"},
        {"claims": [{}]},
        {"claims": [{"path": []}]},
        {"claims": [{"path": [1]}]},
        {"claims": [{"path": ["a", -1]}]},
        {"claims": [{"path": ["a", 1.5]}]},
        {"claims": [{"path": ["a", True]}]},
        {"claims": [{"path": ["a"]}] * 2},
        {"claims": [{"path": ["a"], "sd": "sometimes"}]},
        {"claims": [{"path": ["a"], "sd": None}]},
        {"claims": [{"path": ["a"], "mandatory": "yes"}]},
        {"claims": [{"path": ["a"], "display": [{"locale": "ko", "name": "a"}]}]},
        {"claims": [{"path": ["a"]}] * 201},
    ],
)
def test_refuses_other_documents(changes: dict[str, Any]) -> None:
    with pytest.raises(TypeMetadataMalformed):
        parse_type_metadata(to_json({**DOCUMENT, **changes}), VCT)


@given(st.binary(max_size=100))
def test_any_bytes_are_refused_with_a_typed_error(data: bytes) -> None:
    with pytest.raises(SeoulWalletError):
        parse_type_metadata(data, VCT)


def test_the_signed_digest_decides() -> None:
    data = to_json(DOCUMENT)
    for name in ("sha256", "sha384", "sha512"):
        assert parse_type_metadata(data, VCT, integrity=integrity(data, name)).vct == VCT
        with pytest.raises(TypeIntegrityMismatch):
            parse_type_metadata(data + b" ", VCT, integrity=integrity(data, name))
    # Of several the strongest counts, as in a browser.
    check_integrity(data, f"{integrity(b'other')} {integrity(data, 'sha512')}")
    with pytest.raises(TypeIntegrityMismatch):
        check_integrity(data, f"{integrity(data)} {integrity(b'other', 'sha512')}")
    check_integrity(data, f"{integrity(b'other')} {integrity(data)}")


@pytest.mark.parametrize(
    "text", ["", " ", "md5-AAAA", "sha256", "sha1-AAAA", "sha256-*", "sha256-가"]
)
def test_refuses_an_integrity_that_is_none(text: str) -> None:
    with pytest.raises(TypeMetadataMalformed):
        check_integrity(b"", text)


def test_a_type_brings_the_types_that_it_extends() -> None:
    base = to_json({"vct": BASE, "claims": [{"path": ["a"], "mandatory": True}]})
    here = to_json({"vct": VCT, "extends": BASE, "extends#integrity": integrity(base)})
    chain = resolve_type_metadata(VCT, integrity(here), {BASE: base, VCT: here}.__getitem__)
    assert [item.vct for item in chain] == [VCT, BASE]
    assert claim_rules(chain) == (ClaimRule(("a",), mandatory=True),)
    with pytest.raises(TypeIntegrityMismatch):
        resolve_type_metadata(VCT, None, {BASE: base + b" ", VCT: here}.__getitem__)
    with pytest.raises(TypeIntegrityMismatch):
        resolve_type_metadata(VCT, integrity(base), {BASE: base, VCT: here}.__getitem__)


def test_types_do_not_extend_one_another_without_end() -> None:
    circle = documents(**{VCT: {"extends": BASE}, BASE: {"extends": VCT}})
    with pytest.raises(TypeMetadataMalformed):
        resolve_type_metadata(VCT, None, circle.__getitem__)
    asked: list[str] = []

    def endless(url: str) -> bytes:
        asked.append(url)
        return to_json({"vct": url, "extends": url + "x"})

    with pytest.raises(TypeMetadataMalformed):
        resolve_type_metadata(VCT, None, endless)
    assert len(asked) == MAX_EXTENSIONS + 1


@pytest.mark.parametrize(
    ("nearer", "further", "fits"),
    [
        ({"sd": "never"}, {"sd": "allowed"}, True),
        ({"sd": "always"}, {"sd": "always"}, True),
        ({"mandatory": True}, {}, True),
        ({}, {"mandatory": True}, False),
        ({"sd": "allowed"}, {"sd": "always"}, False),
        ({"sd": "never"}, {"sd": "always"}, False),
        ({"sd": "always"}, {"sd": "never"}, False),
    ],
)
def test_a_type_may_tighten_what_it_extends_and_not_loosen_it(
    nearer: dict[str, Any], further: dict[str, Any], fits: bool
) -> None:
    chain = resolve_type_metadata(
        VCT,
        None,
        documents(
            **{
                VCT: {"extends": BASE, "claims": [{"path": ["a"], **nearer}]},
                BASE: {"claims": [{"path": ["a"], **further}]},
            }
        ).__getitem__,
    )
    if fits:
        assert len(claim_rules(chain)) == 1
    else:
        with pytest.raises(TypeMetadataMalformed):
            claim_rules(chain)


RULES = claim_rules((parse_type_metadata(to_json(DOCUMENT), VCT),))


def test_claims_follow_the_rules_of_their_type() -> None:
    check_claims(RULES, {"valid_until": "2034", "child_count": 2}, [("child_count",)])
    check_claims(RULES, {"valid_until": "2034"}, [])
    people = {"valid_until": "2034", "guardians": [{"name": "김합성"}, {}]}
    check_claims(RULES, people, [("guardians", 0, "name")])


@pytest.mark.parametrize(
    ("claims", "disclosed"),
    [
        pytest.param({}, [], id="a demanded claim is missing"),
        pytest.param({"valid_until": 1, "child_count": 2}, [], id="visible, must be hidden"),
        pytest.param({"valid_until": 1}, [("valid_until",)], id="hidden, must be visible"),
    ],
)
def test_claims_that_break_the_rules_are_refused(
    claims: dict[str, Any], disclosed: list[tuple[str | int, ...]]
) -> None:
    with pytest.raises(TypeRulesBroken):
        check_claims(RULES, claims, disclosed)
