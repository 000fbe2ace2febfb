"""Pictures of card types: SVG templates in Korean and English, plain and in high contrast.

A template has places for claims by their `svg_id`; the wallet fills them. It is drawn from the
names that the type's configuration has, so a new type has pictures without anyone drawing them.
Colours reach 4.5:1 (WCAG 2.2 AA), those of high contrast 7:1 (AAA) in letters half as large again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape
from zlib import crc32

LANDSCAPE: Final = {"orientation": "landscape", "color_scheme": "light"}
PLAIN_LINES: Final = 6
LARGE_LINES: Final = 4
PAPER: Final = "#ffffff"
INK: Final = "#1a1a1a"
LABEL_INK: Final = "#3f4753"
BLACK: Final = "#000000"
# Behind white letters.
BANDS: Final = ("#004b87", "#7a1f4b", "#0b5d3b", "#5a3d8a", "#7a3a00")
_WIDTH: Final = 856
_HEIGHT: Final = 540


@dataclass(frozen=True, slots=True)
class PicturedClaim:
    """A claim as a template has it: its name in the template's language, and its place."""

    label: str
    svg_id: str


@dataclass(frozen=True, slots=True)
class PicturedType:
    """What a template says in one language."""

    id: str
    title: str
    issuer: str
    claims: Sequence[PicturedClaim]


def plain_template(told: PicturedType) -> str:
    """Return the template of a card for everyday use."""
    band = BANDS[crc32(told.id.encode()) % len(BANDS)]
    rows = "".join(
        f'<text x="48" y="{228 + 52 * at}" font-size="24" fill="{LABEL_INK}">'
        f"{escape(claim.label)}</text>"
        f'<text x="330" y="{228 + 52 * at}">{{{{{claim.svg_id}}}}}</text>'
        for at, claim in enumerate(told.claims[:PLAIN_LINES])
    )
    return _document(
        told,
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" rx="32" fill="{PAPER}" stroke="{band}"/>'
        f'<path d="M0 150V32A32 32 0 0 1 32 0H824A32 32 0 0 1 856 32V150Z" fill="{band}"/>'
        f'<text x="48" y="76" font-size="46" font-weight="bold" fill="{PAPER}">'
        f"{escape(told.title)}</text>"
        f'<text x="48" y="122" font-size="26" fill="{PAPER}">{escape(told.issuer)}</text>{rows}',
        font_size=26,
        ink=INK,
    )


def high_contrast_template(told: PicturedType) -> str:
    """Return the template in black on white and large letters, with fewer claims."""
    rows = "".join(
        f'<text x="24" y="{166 + 94 * at}" font-size="32">{escape(claim.label)}</text>'
        f'<text x="24" y="{212 + 94 * at}" font-weight="bold">{{{{{claim.svg_id}}}}}</text>'
        for at, claim in enumerate(told.claims[:LARGE_LINES])
    )
    return _document(
        told,
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{PAPER}" stroke="{BLACK}"'
        ' stroke-width="8"/>'
        f'<text x="24" y="72" font-size="56" font-weight="bold">{escape(told.title)}</text>'
        f'<path d="M24 104H832" stroke="{BLACK}" stroke-width="6"/>{rows}',
        font_size=42,
        ink=BLACK,
    )


def _document(told: PicturedType, drawn: str, *, font_size: int, ink: str) -> str:
    said = (f"{escape(claim.label)}: {{{{{claim.svg_id}}}}}." for claim in told.claims)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-labelledby="t d" font-family="sans-serif" font-size="{font_size}" fill="{ink}">'
        f'<title id="t">{escape(told.title)}</title>'
        f'<desc id="d">{escape(told.title)}. {escape(told.issuer)}. {" ".join(said)}</desc>'
        f"{drawn}</svg>"
    )
