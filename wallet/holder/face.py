"""How a card looks and sounds: a picture, text in large type, and a description to be read out.

All of it is made here from the issuer's names and the signed claims; `pictures` puts the issuer's
own picture in its place, if there is one.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from html import escape
from typing import Final

from wallet.eligibility.days import seoul_day
from wallet.holder.cards import Card
from wallet.holder.texts import ClaimLine

LARGE_TYPE_COLUMNS: Final = 18
MAX_LARGE_LINES: Final = 40
PICTURE_LINES: Final = 6
PICTURE_COLUMNS: Final = 38
_WIDTH: Final = 856
_HEIGHT: Final = 540

LANGUAGES: Final = ("ko", "en")
_WORDS: Final = {
    "ko": ("발급 기관", "유효 기한", "없음", "예", "아니요"),
    "en": ("Issued by", "Valid until", "no end", "yes", "no"),
}


@dataclass(frozen=True, slots=True)
class Face:
    """A card in one language. Every text is safe to show; `svg` is a document by itself.

    `is_issuers_picture` says that `svg` is as the card's issuer draws it: it may look like
    anything, so show `Card.issuer` beside it.

    `description` is whole sentences for a screen reader, the signs ✓ and ✗ in words. `large_type`
    are lines of at most `LARGE_TYPE_COLUMNS` columns, a Korean syllable being two.
    """

    title: str
    description: str
    large_type: tuple[str, ...]
    svg: str
    is_issuers_picture: bool = False


def face_of(card: Card, language: str) -> Face:
    """Return the face of a card in `ko` or `en`; any other language is given in English."""
    known = language if language in _WORDS else "en"
    issued_by, valid_until, no_end, *_ = _WORDS[known]
    end = no_end if card.expires_at is None else str(seoul_day(card.expires_at))
    title, issuer = card.name(known), card.issuer_name(known)
    told = [(line.label, in_words(line, known)) for line in card.lines(known)]
    sentences = [title, f"{issued_by}: {issuer}", *(f"{label}: {value}" for label, value in told)]
    description = ". ".join([*sentences, f"{valid_until}: {end}"]) + "."
    large = [part for text in (title, *(f"{a}: {b}" for a, b in told)) for part in _folded(text)]
    shown = [*told[:PICTURE_LINES], (valid_until, end)]
    return Face(
        title, description, tuple(large[:MAX_LARGE_LINES]), _svg(title, issuer, shown, description)
    )


def in_words(line: ClaimLine, language: str) -> str:
    """Return a value as it is read out in `ko` or `en`."""
    *_, yes, no = _WORDS[language]
    return {"✓": yes, "✗": no}.get(line.value, line.value)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _folded(text: str, columns: int = LARGE_TYPE_COLUMNS) -> list[str]:
    """Return `text` in lines, broken at spaces where there are some."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}".strip()
        if _columns(joined) <= columns:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        for character in word:
            if _columns(lines[-1] + character) > columns:
                lines.append("")
            lines[-1] += character
    return lines


def _svg(title: str, issuer: str, lines: list[tuple[str, str]], description: str) -> str:
    rows = "".join(
        f'<text x="48" y="{208 + 44 * at}">{_text(f"{label}: {value}")}</text>'
        for at, (label, value) in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        ' aria-labelledby="t d" font-family="sans-serif" font-size="30" fill="#1a1a1a">'
        f'<title id="t">{escape(title)}</title><desc id="d">{escape(description)}</desc>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="32" fill="#ffffff" stroke="#1a1a1a"/>'
        f'<text x="48" y="92" font-size="52" font-weight="bold">{_text(title, 26)}</text>'
        f'<text x="48" y="140" fill="#404040">{_text(issuer)}</text>{rows}</svg>'
    )


def _text(text: str, columns: int = PICTURE_COLUMNS) -> str:
    return escape(on_one_line(text, columns))


def on_one_line(text: str, columns: int = PICTURE_COLUMNS) -> str:
    """Return as much of `text` as fits in a picture's line."""
    first, *rest = _folded(text, columns)
    return first + "…" if rest else first
