"""Intake of names, addresses and titles: one form, nothing invisible, nothing folded in silence.

Text is stored and signed in NFC with single spaces, so the same name typed on two systems has one
digest. What cannot be seen, or looks like something it is not, is refused rather than folded: NFKC
would turn look-alikes into a name that nobody typed. What may be right but can deceive a reader
(UTS #39) is accepted and reported.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import regex

from wallet.errors import MalformedError

MAX_NAME_CHARACTERS: Final = 80
MAX_TEXT_CHARACTERS: Final = 200
MAX_MARKS_IN_A_ROW: Final = 2
# NFD writes a syllable in three code points; twice that leaves room and bounds the work.
_MAX_RAW_FACTOR: Final = 6

_GRAPHEME: Final = regex.compile(r"\X")
_INVISIBLE_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800")
_NAME_PUNCTUATION: Final = frozenset(" '’-‐.·,()")
# Printable ASCII, Hangul syllables, unified ideographs: NFC already, all visible, no look-alikes.
_PLAIN: Final = re.compile("[ -~가-힣一-鿿]*")
# Compatibility decompositions of letters that are the same letter in another dress. The others
# (Thai and Lao vowels, the Armenian ligature, …) are letters that names are written with.
_DRESSED: Final = re.compile(
    "<(font|wide|narrow|small|square|circle|vertical|initial|medial|final|isolated)>"
)
# Scripts that are written beside each other, by the first word of their letters' names.
_EAST_ASIAN: Final = (
    frozenset(("HANGUL", "CJK")),
    frozenset(("HIRAGANA", "KATAKANA", "CJK")),
    frozenset(("BOPOMOFO", "CJK")),
)
_ANY_EAST_ASIAN: Final = frozenset[str]().union(*_EAST_ASIAN)
# Letters, and the marks that stand beside them rather than on them.
_OF_A_SCRIPT: Final = frozenset(("Lu", "Ll", "Lt", "Lo", "Lm", "Mc"))
# Letters of Cyrillic and Greek that confusables.txt (UTS #39) maps to one letter of a-z or A-Z.
_LATIN_TWINS: Final = frozenset(
    "ЅІЈАВЕКМНОРСТУХЬагеорсухѕіјѡѴѵҮүһҽӀӏԁԌԛԜԝᴦꙇͿΑΒΕΖΗΙΚΜΝΟΡΤΥΧαγινορσυϜϳϺ"
)


class NameNotAcceptable(MalformedError):
    """A name or other text holds what cannot be stored and signed.

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
    """Accepted text in NFC, and what a person should look at before it is signed.

    `mixed_scripts`: see `mixes_scripts`; `latin_look_alike`: see `reads_as_latin`.
    """

    value: str
    folded_ideographs: tuple[FoldedIdeograph, ...]
    mixed_scripts: bool
    latin_look_alike: bool = False


def parse_name(text: str) -> IntakeText:
    """Return a person's name: letters, marks and the punctuation that names have.

    Raises `NameNotAcceptable`. Does not check that the name is Korean, nor that it exists.
    """
    intake = _intake(text, MAX_NAME_CHARACTERS)
    if not all(_is_letter_or_mark(char) or char in _NAME_PUNCTUATION for char in intake.value):
        raise NameNotAcceptable("not_a_letter", "a name holds a character that names do not have")
    if not any(_is_letter(char) for char in intake.value):
        raise NameNotAcceptable("not_a_letter", "a name has no letter")
    return intake


def parse_text(text: str) -> IntakeText:
    """Return an address, a title or an organisation: as a name, with digits and symbols.

    Raises `NameNotAcceptable`.
    """
    return _intake(text, MAX_TEXT_CHARACTERS)


def grapheme_length(text: str) -> int:
    """Return how many characters a reader counts: extended grapheme clusters (UAX #29 §3)."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def is_unseen(char: str) -> bool:
    """Whether a character shows nothing by itself: fillers, format and variation selectors."""
    return (
        char in _INVISIBLE_LETTERS
        or _is_variation_selector(char)
        or unicodedata.category(char) == "Cf"
    )


def mixes_scripts(text: str) -> bool:
    """Whether letters come from scripts that nobody writes beside each other (UTS #39 §5).

    One alphabet beside Hangul and Han, or beside kana and Han, is what registers of foreign
    names hold and no mixture; two alphabets (Latin and Cyrillic), or Hangul and kana, are.
    """
    normal = unicodedata.normalize("NFC", text)
    scripts = {_script(char) for char in normal if unicodedata.category(char) in _OF_A_SCRIPT}
    east = scripts & _ANY_EAST_ASIAN
    return len(scripts - east) > 1 or not any(east <= together for together in _EAST_ASIAN)


def reads_as_latin(text: str) -> bool:
    """Whether all letters are Cyrillic or Greek ones that look like Latin (UTS #39 §4).

    Such a name may be right; a reader cannot tell.
    """
    letters = [char for char in text if _is_letter(char)]
    return bool(letters) and all(char in _LATIN_TWINS for char in letters)


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
    if grapheme_length(value) > max_characters:
        raise NameNotAcceptable("too_long", f"longer than {max_characters} characters")
    folded = tuple(
        FoldedIdeograph(char, unicodedata.normalize("NFC", char))
        for char in text
        if _is_compatibility_ideograph(char) and unicodedata.normalize("NFC", char) != char
    )
    return IntakeText(value, folded, mixes_scripts(value), reads_as_latin(value))


def _refuse_unseen(char: str) -> None:
    category = unicodedata.category(char)
    if is_unseen(char):
        raise NameNotAcceptable("invisible_character", f"U+{ord(char):04X} cannot be seen")
    if category in ("Cc", "Zl", "Zp"):
        raise NameNotAcceptable("control_character", f"U+{ord(char):04X} is a control character")
    if category == "Zs" and char != " ":
        raise NameNotAcceptable("unusual_space", f"U+{ord(char):04X} is not the space U+0020")
    if category in ("Co", "Cn", "Cs"):
        raise NameNotAcceptable("unassigned_character", f"U+{ord(char):04X} has no agreed meaning")


def _refuse_look_alike(char: str) -> None:
    point = ord(char)
    dressed = _is_letter(char) and _DRESSED.match(unicodedata.decomposition(char))
    is_jamo_or_width_form = 0x3130 <= point <= 0x318F or 0xFF00 <= point <= 0xFFEF
    is_radical = 0x2E80 <= point <= 0x2FDF
    if dressed or is_jamo_or_width_form or is_radical:
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


def _is_letter(char: str) -> bool:
    return unicodedata.category(char)[0] == "L"


def _is_letter_or_mark(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM"


def _is_variation_selector(char: str) -> bool:
    point = ord(char)
    return 0xFE00 <= point <= 0xFE0F or 0xE0100 <= point <= 0xE01EF or 0x180B <= point <= 0x180F


def _is_compatibility_ideograph(char: str) -> bool:
    return 0xF900 <= ord(char) <= 0xFAFF or 0x2F800 <= ord(char) <= 0x2FA1F


def _script(char: str) -> str:
    """The script of a letter, as far as the first word of its name tells."""
    return unicodedata.name(char, "").partition(" ")[0]
