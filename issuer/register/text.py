"""Intake of names, addresses and titles: one form, nothing invisible, nothing folded in silence.

Text is stored and signed in NFC with single spaces, so the same name typed on two systems has one
digest. What cannot be seen, or looks like something it is not, is refused rather than folded: NFKC
would turn look-alikes into a name that nobody typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from wallet.errors import MalformedError

MAX_NAME_CHARACTERS: Final = 80
MAX_TEXT_CHARACTERS: Final = 200
MAX_MARKS_IN_A_ROW: Final = 2
# NFD writes a syllable in three code points; twice that leaves room and bounds the work.
_MAX_RAW_FACTOR: Final = 6

_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800")
_NAME_PUNCTUATION: Final = frozenset(" '’-‐.·,()")
# Printable ASCII, Hangul syllables, unified ideographs: NFC already, all visible, no look-alikes.
_PLAIN: Final = re.compile("[ -~가-힣一-鿿]*")
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")


class NameNotAcceptable(MalformedError):
    """A name or other text of the register holds what cannot be stored and signed.

    `reason` is stable and meant for machines. Neither it nor the message repeats the text.
    """

    code = "name_not_acceptable"

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class FoldedIdeograph:
    """A CJK compatibility ideograph that NFC replaced: a clerk must see both."""

    original: str
    nfc: str


@dataclass(frozen=True, slots=True)
class IntakeText:
    """Accepted text in NFC, and what a clerk should look at before it is signed."""

    value: str
    folded_ideographs: tuple[FoldedIdeograph, ...]
    mixed_scripts: bool


def parse_name(text: str) -> IntakeText:
    """Return a person's name: letters, marks and the punctuation that names have.

    Raises `NameNotAcceptable`. Does not check that the name is Korean, nor that it exists.
    """
    intake = _intake(text, MAX_NAME_CHARACTERS)
    if not all(_is_letter_or_mark(char) or char in _NAME_PUNCTUATION for char in intake.value):
        raise NameNotAcceptable("not_a_letter", "a name holds a character that names do not have")
    if not any(unicodedata.category(char)[0] == "L" for char in intake.value):
        raise NameNotAcceptable("not_a_letter", "a name has no letter")
    return intake


def parse_text(text: str) -> IntakeText:
    """Return an address, a title or an organisation: as a name, with digits and symbols.

    Raises `NameNotAcceptable`.
    """
    return _intake(text, MAX_TEXT_CHARACTERS)


def _intake(text: str, max_characters: int) -> IntakeText:
    if len(text) > max_characters * _MAX_RAW_FACTOR:
        raise NameNotAcceptable("too_long", f"longer than {max_characters} characters")
    plain = _PLAIN.fullmatch(text) is not None
    for char in "" if plain else text:
        _refuse_unseen(char)
    value = unicodedata.normalize("NFC", " ".join(word for word in text.split(" ") if word))
    if not value:
        raise NameNotAcceptable("empty", "the text is empty")
    if plain and len(value) <= max_characters:
        return IntakeText(value, (), False)
    for char in value:
        _refuse_look_alike(char)
    _refuse_stacked_marks(value)
    # After these refusals, what a reader sees as one character is one letter with its marks.
    if sum(not _is_mark(char) for char in value) > max_characters:
        raise NameNotAcceptable("too_long", f"longer than {max_characters} characters")
    folded = tuple(
        FoldedIdeograph(char, unicodedata.normalize("NFC", char))
        for char in text
        if _is_compatibility_ideograph(char) and unicodedata.normalize("NFC", char) != char
    )
    return IntakeText(value, folded, _mixes_scripts(value))


def _refuse_unseen(char: str) -> None:
    category = unicodedata.category(char)
    if category == "Cf" or char in _INVISIBLE_LETTERS or _is_variation_selector(char):
        raise NameNotAcceptable("invisible_character", f"U+{ord(char):04X} cannot be seen")
    if category in ("Cc", "Zl", "Zp"):
        raise NameNotAcceptable("control_character", f"U+{ord(char):04X} is a control character")
    if category == "Zs" and char != " ":
        raise NameNotAcceptable("unusual_space", f"U+{ord(char):04X} is not the space U+0020")
    if category in ("Co", "Cn", "Cs"):
        raise NameNotAcceptable("unassigned_character", f"U+{ord(char):04X} has no agreed meaning")


def _refuse_look_alike(char: str) -> None:
    point = ord(char)
    if 0x3130 <= point <= 0x318F or 0xFF00 <= point <= 0xFFEF:
        raise NameNotAcceptable(
            "compatibility_form", f"U+{point:04X} is a compatibility or half-width form"
        )
    # NFC has composed every modern syllable: what is left stands for no name in use.
    if 0x1100 <= point <= 0x11FF or 0xA960 <= point <= 0xA97F or 0xD7B0 <= point <= 0xD7FF:
        raise NameNotAcceptable("loose_jamo", f"U+{point:04X} is a part of a syllable")


def _refuse_stacked_marks(value: str) -> None:
    in_a_row = MAX_MARKS_IN_A_ROW  # at the start and after a space a mark stands on nothing
    for char in value:
        if not _is_mark(char):
            in_a_row = MAX_MARKS_IN_A_ROW if char == " " else 0
            continue
        in_a_row += 1
        if in_a_row > MAX_MARKS_IN_A_ROW:
            raise NameNotAcceptable("stacked_marks", "a mark stands alone or on too many others")


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _is_letter_or_mark(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM"


def _is_variation_selector(char: str) -> bool:
    point = ord(char)
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF or 0x180B <= point <= 0x180F


def _is_compatibility_ideograph(char: str) -> bool:
    return 0xF900 <= ord(char) <= 0xFAFF or 0x2F800 <= ord(char) <= 0x2FA1F


def _mixes_scripts(value: str) -> bool:
    """Whether letters of more than one of the alphabets that look alike occur."""
    scripts = {
        script
        for char in value
        for script in _SCRIPTS
        if unicodedata.category(char)[0] == "L" and unicodedata.name(char, "").startswith(script)
    }
    return len(scripts) > 1
