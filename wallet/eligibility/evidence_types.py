"""The kinds of evidence that programmes may ask for: claims with types, and where to get them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any, Final
from unicodedata import normalize

from wallet.eligibility.days import parse_day
from wallet.eligibility.marked_yaml import parse_marked_yaml
from wallet.encoding.json import JsonObject

MAX_LIST: Final = 200
# The member of every evidence that tells whether two belong to one person, by sector.
SECTOR_ID: Final = "sector_id"


@dataclass(frozen=True, slots=True)
class Text:
    """A text in Korean and English."""

    ko: str
    en: str

    def in_language(self, language: str) -> str:
        """Return the text in `ko`, else in English."""
        return self.ko if language == "ko" else self.en

    def to_json(self) -> JsonObject:
        """Return the text as it travels."""
        return {"ko": self.ko, "en": self.en}


class FactType(StrEnum):
    """What a claim holds, as rules see it."""

    DATE = "date"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TEXT = "text"
    TEXTS = "texts"
    DATES = "dates"
    DATES_BY_PROGRAMME = "dates_by_programme"
    RECORDS = "records"

    def read(self, value: Any) -> Any:
        """Return the value as rules use it, or None if the claim does not hold such a value.

        No rule uses records, or dates by programme as a whole.
        Texts are compared in NFC: how an issuer composed a syllable must not refuse anybody.
        """
        if self is FactType.DATE:
            return parse_day(value)
        if self is FactType.INTEGER:
            return value if type(value) is int else None
        if self is FactType.BOOLEAN:
            return value if type(value) is bool else None
        if self is FactType.TEXT:
            return normalize("NFC", value) if type(value) is str else None
        if type(value) is not list or len(value) > MAX_LIST:
            return None
        if self is FactType.TEXTS:
            is_texts = all(type(item) is str for item in value)
            return tuple(normalize("NFC", item) for item in value) if is_texts else None
        if self is FactType.DATES:
            days: list[date | None] = [parse_day(item) for item in value]
            return None if None in days else tuple(days)
        return None


@dataclass(frozen=True, slots=True)
class ClaimType:
    """One claim. `values` are the texts it may hold, empty for any.

    `members` are the names of what each of its records holds.
    """

    name: str
    type: FactType
    label: Text
    values: tuple[str, ...] = ()
    members: Mapping[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EvidenceType:
    """One kind of evidence: its credential type, its claims, and the document it stands for.

    A credential of it is valid for `valid_days` after it was issued.
    """

    name: str
    vct: str
    title: Text
    document: Text
    obtain_at: Text
    valid_days: int
    claims: Mapping[str, ClaimType]


@dataclass(frozen=True, slots=True)
class EvidenceTypes:
    """All kinds of evidence, by name and by credential type, and the sectors of person ids."""

    by_name: Mapping[str, EvidenceType]
    sectors: tuple[str, ...]

    def by_vct(self, vct: str) -> EvidenceType | None:
        """Return the kind with this credential type, None if there is none."""
        return next((item for item in self.by_name.values() if item.vct == vct), None)


def parse_evidence_types(data: bytes) -> EvidenceTypes:
    """Return the kinds that a YAML file describes.

    The file comes with this library, so a fault in it is a fault of the program (`KeyError`,
    `ValueError`). Raises `YamlMalformed`.
    """
    value = parse_marked_yaml(data).value
    types = {name: _evidence_type(name, item) for name, item in value["types"].items()}
    return EvidenceTypes(types, tuple(value["sectors"]))


def _evidence_type(name: str, item: JsonObject) -> EvidenceType:
    claims = {
        claim: ClaimType(
            claim,
            FactType(detail["type"]),
            Text(detail["ko"], detail["en"]),
            tuple(detail.get("values", ())),
            {member: Text(**text) for member, text in detail.get("members", {}).items()},
        )
        for claim, detail in item["claims"].items()
    }
    return EvidenceType(
        name,
        item["vct"],
        Text(**item["title"]),
        Text(**item["document"]),
        Text(**item["obtain_at"]),
        item["valid_days"],
        claims,
    )


@cache
def evidence_types() -> EvidenceTypes:
    """Return the kinds that come with this library."""
    return parse_evidence_types((files("wallet.eligibility") / "evidence_types.yaml").read_bytes())
