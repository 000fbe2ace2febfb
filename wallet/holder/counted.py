"""That an application counts its holder: how often, by whom, and who can join what. Shown first.

The sentences say what the numbers tell and to whom; that the claims beside them may identify is
told by the claims themselves, and by `wallet.holder.linking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from wallet.credentials.bbs_nym import NymScope
from wallet.eligibility.clauses import Window
from wallet.eligibility.evidence_types import Text
from wallet.holder.texts import shown

_ONCE: Final = Text(
    "{programme}: 한 사람이 {period} 한 번만 받을 수 있습니다. 이번에 받으면 그 한 번을 씁니다.",
    "{programme}: a person has this once {period}. If it is granted now, that once is used up.",
)
_AGENCY: Final = Text(
    "기관({agency})은 이 사업에서만 쓰는 번호를 봅니다. 같은 번호로 온 신청이 같은 사람의 "
    "것임을 알 수 있고, 다른 사업이나 다른 기관의 번호와는 이을 수 없습니다. {lasts}",
    "The agency ({agency}) sees a number made for this programme. It can tell that applications "
    "with one number are one person's, and cannot join it with the numbers of other programmes "
    "or agencies. {lasts}",
)
_BY_SECTOR: Final = Text(
    "기관({agency})은 서류에 적힌 분야별 식별값으로 셉니다. 그 값은 같은 분야의 기관 사이에서 "
    "같으므로 그 기관들은 서로 맞추어 볼 수 있습니다.",
    "The agency ({agency}) counts by the identifier in the sector that the documents show. It is "
    "the same for all agencies of that sector, so these can compare what they saw.",
)
_CHANGES: Final = Text(
    "이 기간이 지나면 번호가 바뀝니다.", "After this period the number is another one."
)
_STAYS: Final = Text(
    "이 번호는 해가 바뀌어도 같습니다.", "The number stays the same over the years."
)
_GROUP: Final = Text(
    "함께 받을 수 없는 사업: {programmes}. 한 사람이 {period} 이 가운데 하나만 받을 수 있습니다.",
    "These exclude each other: {programmes}. A person has one of them {period}.",
)
_REGISTER: Final = Text(
    "그래서 등록부({register})가 이 묶음에서만 쓰는 번호를 봅니다. 등록부는 같은 사람이 어느 "
    "기관에 언제 신청했는지 이을 수 있지만 이름, 내용, 사업은 보지 못합니다. 기관과 등록부가 함께 "
    "보면 그 기관의 어느 신청인지, 다른 곳에도 신청했는지 알 수 있습니다. {lasts}",
    "So a register ({register}) sees a number made for this group. It can join at which agencies "
    "one person applied, and when, but sees no name, no claim and no programme. Together with an "
    "agency it can tell which of that agency's applications it was, and that the person applied "
    "elsewhere. {lasts}",
)
_LIFETIME: Final = Text("평생", "in a lifetime")
_YEAR: Final = Text("{year}년에", "in {year}")
_DAYS: Final = Text("{first}부터 {last}까지", "from {first} until {last}")
_MONTHS: Final = Text("받은 날부터 {months}개월에", "in {months} months from the day of the grant")


@dataclass(frozen=True, slots=True)
class Counting:
    """In what period something is counted once, as of a year."""

    window: Window
    year: int

    def text(self, language: str) -> str:
        """Return the period in words."""
        window = self.window
        if window.calendar_year:
            return _say(_YEAR, language, year=str(self.year))
        if window.months is not None:
            return _say(_MONTHS, language, months=str(window.months))
        if window.first is not None and window.last is not None:
            days = {"first": window.first.isoformat(), "last": window.last.isoformat()}
            return _say(_DAYS, language, **days)
        return _LIFETIME.in_language(language)

    def lasts(self, language: str) -> str:
        """Return whether the number changes with the period."""
        ends = self.window.calendar_year or self.window.first is not None
        return (_CHANGES if ends else _STAYS).in_language(language)


@dataclass(frozen=True, slots=True)
class CountedGroup:
    """The programmes (their titles) of which a person has one, and the DID of who counts them."""

    programmes: tuple[Text, ...]
    register: str
    counting: Counting


@dataclass(frozen=True, slots=True)
class Counted:
    """That an application to a programme counts the person: at most once, by these numbers.

    `agency` is the DID of who decides. `scopes` are the contexts of the numbers, by the query
    that the benefit key answers; empty where the identifier in a sector counts.
    """

    programme: Text
    agency: str
    counting: Counting
    group: CountedGroup | None
    scopes: Mapping[str, NymScope] = field(repr=False)

    def lines(self, language: str) -> tuple[str, ...]:
        """Return what to tell the holder before consent, a paragraph each (`ko` or `en`)."""
        counting = self.counting
        said = [
            _say(
                _ONCE,
                language,
                programme=self.programme.in_language(language),
                period=counting.text(language),
            ),
            _say(
                _AGENCY if self.scopes else _BY_SECTOR,
                language,
                agency=self.agency,
                lasts=counting.lasts(language),
            ),
        ]
        if self.group is not None:
            within = self.group.counting
            names = ", ".join(title.in_language(language) for title in self.group.programmes)
            said += [
                _say(_GROUP, language, programmes=names, period=within.text(language)),
                _say(
                    _REGISTER,
                    language,
                    register=self.group.register,
                    lasts=within.lasts(language),
                ),
            ]
        return tuple(said)


def _say(text: Text, language: str, **values: str) -> str:
    said = text.in_language(language)
    for name, value in values.items():
        said = said.replace(f"{{{name}}}", shown(value))
    return said
