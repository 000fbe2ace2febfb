"""The face of a card: picture, large type and description, in Korean and English."""

from __future__ import annotations

import unicodedata
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.holder.cards import Card, ReceiptState
from wallet.holder.face import LARGE_TYPE_COLUMNS, MAX_LARGE_LINES, face_of
from wallet.protocols.oid4vci.metadata import ClaimDescription, Label

SVG = "{http://www.w3.org/2000/svg}"


def card(**changes: Any) -> Card:
    told: dict[str, Any] = {
        "id": "synthetic",
        "vct": "urn:seoul-wallet:multi-child-family-card:1",
        "issuer": "did:web:issuer.example",
        "credential_issuer": "https://issuer.example",
        "claims": {"child_count": 2, "seoul_resident": True},
        "not_before": None,
        "expires_at": 1_798_729_200,
        "received_at": 1_780_000_000,
        "receipt_state": ReceiptState.NONE,
        "names": (Label("다둥이 행복카드", "ko"), Label("Multi-child family card", "en")),
        "issuer_names": (Label("서울특별시", "ko"), Label("City of Seoul", "en")),
        "claim_descriptions": (
            ClaimDescription(("child_count",), (Label("자녀 수", "ko"), Label("Children", "en"))),
            ClaimDescription(
                ("seoul_resident",), (Label("서울 거주", "ko"), Label("Lives in Seoul", "en"))
            ),
        ),
    }
    return Card(**{**told, **changes})


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def test_says_in_sentences_what_the_card_says() -> None:
    assert face_of(card(), "ko").description == (
        "다둥이 행복카드. 발급 기관: 서울특별시. 자녀 수: 2. 서울 거주: 예. 유효 기한: 2027-01-01."
    )
    assert face_of(card(expires_at=None), "en").description == (
        "Multi-child family card. Issued by: City of Seoul. Children: 2. Lives in Seoul: yes. "
        "Valid until: no end."
    )


def test_the_picture_is_a_document_with_a_title_and_a_description() -> None:
    face = face_of(card(), "ko")
    root = ElementTree.fromstring(face.svg)
    assert root.attrib["role"] == "img"
    assert root.findtext(f"{SVG}title") == "다둥이 행복카드"
    assert root.findtext(f"{SVG}desc") == face.description
    shown = [text.text for text in root.iter(f"{SVG}text")]
    assert shown == ["다둥이 행복카드", "서울특별시", "자녀 수: 2", "서울 거주: 예",
                     "유효 기한: 2027-01-01"]  # fmt: skip


def test_large_type_keeps_its_width_and_loses_nothing() -> None:
    face = face_of(card(), "en")
    assert face.large_type == (
        "Multi-child family",
        "card",
        "Children: 2",
        "Lives in Seoul:",
        "yes",
    )


@pytest.mark.parametrize(
    "hostile",
    ["</text><script>alert(1)</script>", '"><image href="https://x.example"/>', "&xxe;<!DOCTYPE"],
)
def test_nothing_that_an_issuer_writes_becomes_markup(hostile: str) -> None:
    face = face_of(card(names=(Label(hostile, "en"),), claims={hostile: hostile}), "en")
    root = ElementTree.fromstring(face.svg)
    kinds = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert kinds == {"svg", "title", "desc", "rect", "text"}
    assert not any("href" in name for element in root.iter() for name in element.attrib)


@given(name=st.text(max_size=200), value=st.text(max_size=400))
def test_any_text_makes_a_picture_and_lines_that_fit(name: str, value: str) -> None:
    face = face_of(card(names=(Label(name, "en"),), claims={"a": value}), "en")
    ElementTree.fromstring(face.svg)
    assert len(face.large_type) <= MAX_LARGE_LINES
    assert all(columns(line) <= LARGE_TYPE_COLUMNS for line in face.large_type)
