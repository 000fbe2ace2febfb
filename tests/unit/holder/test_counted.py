"""What a holder is told of being counted, in words."""

from __future__ import annotations

from datetime import date

import pytest

from wallet.credentials.bbs_nym import NymScope
from wallet.eligibility.clauses import Window
from wallet.eligibility.evidence_types import Text
from wallet.holder.counted import Counted, CountedGroup, Counting

AGENCY, REGISTER = "did:web:agency.example", "did:web:register.example"
FARE, ALLOWANCE = Text("청년 교통비", "Youth fare"), Text("청년수당", "Youth allowance")
YEAR = Counting(Window(calendar_year=True), 2026)
LIFETIME = Counting(Window(), 2026)
GROUP = CountedGroup((ALLOWANCE, FARE), REGISTER, YEAR)


def counted(counting: Counting = YEAR, group: CountedGroup | None = None) -> Counted:
    return Counted(FARE, AGENCY, counting, group, {"person": NymScope(b"context")})


@pytest.mark.parametrize(
    ("window", "ko", "en"),
    [
        (Window(calendar_year=True), "2026년에 한 번만", "once in 2026."),
        (Window(), "평생 한 번만", "once in a lifetime."),
        (Window(months=12), "12개월에 한 번만", "once in 12 months from the day of the grant."),
        (
            Window(first=date(2026, 3, 1), last=date(2026, 8, 31)),
            "2026-03-01부터 2026-08-31까지 한 번만",
            "once from 2026-03-01 until 2026-08-31.",
        ),
    ],
)
def test_says_how_often_one_may_have_it(window: Window, ko: str, en: str) -> None:
    found = counted(Counting(window, 2026))
    assert found.lines("ko")[0].startswith("청년 교통비: ")
    assert ko in found.lines("ko")[0]
    assert en in found.lines("en")[0]


def test_says_whether_the_agencys_number_outlives_the_period() -> None:
    for counting, ko, en in (
        (
            YEAR,
            "이 기간이 지나면 번호가 바뀝니다.",
            "After this period the number is another one.",
        ),
        (LIFETIME, "번호는 해가 바뀌어도 같습니다.", "The number stays the same over the years."),
        (
            Counting(Window(months=12), 2026),
            "번호는 해가 바뀌어도 같습니다.",
            "The number stays the same over the years.",
        ),
    ):
        assert counted(counting).lines("ko")[1].endswith(ko)
        assert counted(counting).lines("en")[1].endswith(en)
        assert AGENCY in counted(counting).lines("ko")[1]


def test_says_what_excludes_each_other_and_what_the_register_can_join() -> None:
    korean, english = counted(LIFETIME, GROUP).lines("ko"), counted(LIFETIME, GROUP).lines("en")
    assert len(korean) == len(english) == 4
    assert "청년수당, 청년 교통비" in korean[2]
    assert "Youth allowance, Youth fare" in english[2]
    assert "2026년에 이 가운데 하나만" in korean[2]
    assert "one of them in 2026" in english[2]
    assert REGISTER in korean[3]
    assert REGISTER in english[3]
    assert "sees no name, no claim and no programme" in english[3]
    assert "이름, 내용, 사업은 보지 못합니다" in korean[3]


def test_without_a_group_no_register_is_spoken_of() -> None:
    said = counted().lines("en") + counted().lines("ko")
    assert len(said) == 4
    assert not any("register" in line or "등록부" in line for line in said)


def test_says_who_can_compare_where_the_identifier_of_a_sector_counts() -> None:
    found = Counted(FARE, AGENCY, YEAR, None, {})
    assert "the same for all agencies of that sector" in found.lines("en")[1]
    assert "같은 분야의 기관 사이에서 같으므로" in found.lines("ko")[1]


def test_a_title_cannot_hide_anything_or_stand_for_a_name_of_the_text() -> None:
    sly = Counted(Text("가‮나", "a{agency}​b"), AGENCY, YEAR, None, {})
    assert sly.lines("ko")[0].startswith("가나: ")
    assert sly.lines("en")[0].startswith("a{agency}b: ")
