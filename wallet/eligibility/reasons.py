"""Reason codes that every programme has: why a fact is not there to decide on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from wallet.eligibility.evidence_types import Text


class Cause(StrEnum):
    """Why evidence could not be used. None of these is a verdict about the person."""

    DOCUMENT_MISSING = "document_missing"
    FACTS_TOO_OLD = "facts_too_old"
    COULD_NOT_CHECK = "could_not_check"
    EVIDENCE_NOT_ACCEPTED = "evidence_not_accepted"
    FACT_UNREADABLE = "fact_unreadable"
    NOT_PRECISE = "not_precise"


BUILT_IN_REASONS: Final[Mapping[str, Text]] = {
    Cause.DOCUMENT_MISSING.value: Text(
        "확인에 필요한 서류가 없습니다.", "A document that settles this is missing."
    ),
    Cause.FACTS_TOO_OLD.value: Text(
        "확인 자료가 너무 오래되어 판단할 수 없습니다.",
        "The facts at hand are too old to decide on.",
    ),
    Cause.COULD_NOT_CHECK.value: Text(
        "지금은 서류를 확인할 수 없습니다.", "The document could not be checked just now."
    ),
    Cause.EVIDENCE_NOT_ACCEPTED.value: Text(
        "제출된 서류를 인정할 수 없습니다.", "The document that was shown is not acceptable."
    ),
    Cause.FACT_UNREADABLE.value: Text(
        "서류의 내용을 읽을 수 없습니다.", "The document does not say what it should."
    ),
    Cause.NOT_PRECISE.value: Text(
        "서류의 내용만으로는 판단할 수 없습니다.",
        "The document is not precise enough to decide on.",
    ),
}
