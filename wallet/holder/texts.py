"""Texts that strangers wrote and people read: names, labels and claim values.

Issuers and verifiers choose these, so none may look like something else: they are shown in NFC,
on one line, of limited length, and without characters that are invisible or change direction.
What was signed is never altered; this is for showing only.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from wallet.credentials.disclosure import ClaimPath
from wallet.credentials.sd_jwt import ClaimPattern
from wallet.encoding.names import is_unseen, mixes_scripts, reads_as_latin
from wallet.protocols.oid4vci.metadata import ClaimDescription, Label

MAX_SHOWN_CHARACTERS: Final = 300
MAX_SHOWN_LINES: Final = 200
# Control, format (bidi, zero width), surrogate, private, unassigned, line and paragraph ends.
_HIDDEN_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def shown(text: str) -> str:
    """Return `text` as it may be shown: NFC, one line, nothing hidden, of limited length."""
    normal = unicodedata.normalize("NFC", text[: 4 * MAX_SHOWN_CHARACTERS])
    visible = "".join(
        " " if character.isspace() else character
        for character in normal
        if character.isspace() or not _is_hidden(character)
    )
    line = " ".join(visible.split())
    if len(line) > MAX_SHOWN_CHARACTERS:
        return line[: MAX_SHOWN_CHARACTERS - 1] + "…"
    return line


def may_deceive(text: str) -> bool:
    """Whether `text` may look like another one: mixed scripts, or all letters Latin's twins.

    Nothing wrong by itself; a person should be told before trusting the name.
    """
    return mixes_scripts(text) or reads_as_latin(text)


def _is_hidden(character: str) -> bool:
    return is_unseen(character) or unicodedata.category(character) in _HIDDEN_CATEGORIES


def name_in(labels: Sequence[Label], language: str, otherwise: str) -> str:
    """Return the name in `language` (`ko`, `en`), else in any, else `otherwise`."""
    wanted = language.lower()
    ordered = sorted(labels, key=lambda label: label.locale.lower().partition("-")[0] != wanted)
    return next((name for label in ordered if (name := shown(label.name))), shown(otherwise))


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One claim as it is shown: where it is, what it is called, what it says."""

    path: ClaimPath
    label: str
    value: str


def claim_lines(
    claims: Mapping[str, Any], descriptions: Sequence[ClaimDescription], language: str
) -> tuple[ClaimLine, ...]:
    """Return every single value in `claims`, with the issuer's names, in the issuer's order.

    What the issuer did not describe comes last, by name: disclosures have no order of their own.
    """
    lines: list[ClaimLine] = []

    def walk(value: Any, path: ClaimPath) -> None:
        if len(lines) >= MAX_SHOWN_LINES:
            return
        if isinstance(value, Mapping) and value:
            for name, item in value.items():
                walk(item, (*path, name))
        elif isinstance(value, list) and value:
            for position, item in enumerate(value):
                walk(item, (*path, position))
        else:
            label = claim_label(path, descriptions, language)
            lines.append(ClaimLine(path, label, _value_text(value)))

    for name, item in claims.items():
        walk(item, (name,))
    return tuple(sorted(lines, key=lambda line: _order(line.path, descriptions)))


def _order(
    path: ClaimPath, descriptions: Sequence[ClaimDescription]
) -> list[tuple[int, int, str]]:
    return [
        (
            next(
                (at for at, item in enumerate(descriptions) if _fits(item.path, path[:length])),
                len(descriptions),
            ),
            part if isinstance(part, int) else 0,
            str(part),
        )
        for length, part in enumerate(path, start=1)
    ]


def claim_label(path: ClaimPath, descriptions: Sequence[ClaimDescription], language: str) -> str:
    """Return the names along `path`: the issuer's where it gave some, else the members' own."""
    parts = []
    for length, part in enumerate(path, start=1):
        described = next(
            (item.display for item in descriptions if _fits(item.path, path[:length])), ()
        )
        if isinstance(part, int):
            parts.append(name_in(described, language, "") or str(part + 1))
        else:
            parts.append(name_in(described, language, part))
    return " / ".join(parts)


def _fits(pattern: ClaimPattern, path: ClaimPath) -> bool:
    return len(pattern) == len(path) and all(
        want == part or (want is None and isinstance(part, int))
        for want, part in zip(pattern, path, strict=True)
    )


def _value_text(value: Any) -> str:
    if value is None or value in ({}, []):
        return "-"
    if isinstance(value, bool):
        return "✓" if value else "✗"
    return shown(str(value))
