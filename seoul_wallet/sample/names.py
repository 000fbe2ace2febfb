"""Names in the shapes that registers in Seoul hold, put together by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from seoul_wallet.sample.draw import Draw

# The twenty most frequent surnames in tenths of a percent (census of 2015), then compound ones.
SURNAMES: Final = {
    "김": 215, "이": 147, "박": 84, "최": 47, "정": 43, "강": 24, "조": 21, "윤": 21, "장": 20,
    "임": 17, "한": 15, "오": 15, "서": 15, "신": 15, "권": 14, "황": 14, "안": 14, "송": 14,
    "전": 11, "홍": 11, "남궁": 4, "제갈": 3, "선우": 3, "황보": 3, "사공": 2, "독고": 2,
}  # fmt: skip
_FIRST: Final = "가건규기나다도동라로민보서선성소수승시아연영예우유윤은재정주준지진채태하한현혜"
_SECOND: Final = "경담람린미빈상서석선솔수아안연영온우원유윤율은인정주준진찬하현호환후훈희"
_SINGLE: Final = "건결담란봄빈산솔숲윤율준진찬한현훈"
_THIRD: Final = "늬래리솜슬울"

# Per origin: family names and given names, each in Latin letters and in Hangul.
_FOREIGN: Final[tuple[tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]], ...]] = (
    (
        (("NGUYEN", "응우옌"), ("TRAN", "쩐"), ("PHAM", "팜"), ("LE", "레")),
        (
            ("THI HOA", "티 호아"),
            ("VAN MINH", "반 민"),
            ("THI LAN", "티 란"),
            ("DUC", "득"),
            ("MAI", "마이"),
        ),
    ),
    (
        (("WANG", "왕"), ("ZHANG", "장"), ("LIN", "린"), ("CHEN", "천")),
        (("WEI", "웨이"), ("XIAOMEI", "샤오메이"), ("HAO", "하오"), ("YING", "잉"), ("JUN", "쥔")),
    ),
    (
        (("KARIMOV", "카리모프"), ("YUSUPOV", "유수포프"), ("RAHIMOV", "라히모프")),
        (
            ("AZIZ", "아지즈"),
            ("DILNOZA", "딜노자"),
            ("TIMUR", "티무르"),
            ("NODIRA", "노디라"),
            ("OLIM", "올림"),
        ),
    ),
    (
        (("SANTOS", "산토스"), ("REYES", "레예스"), ("DELA CRUZ", "델라 크루스")),
        (
            ("MARIA", "마리아"),
            ("JOSE", "호세"),
            ("ANGELICA", "안젤리카"),
            ("MARK", "마크"),
            ("LUZ", "루스"),
        ),
    ),
    (
        (("O'BRIEN", "오브라이언"), ("SMITH-JONES", "스미스존스"), ("MÜLLER", "뮐러")),
        (("EMMA", "에마"), ("LIAM", "리암"), ("ZOË", "조이"), ("NOAH", "노아"), ("IVY", "아이비")),
    ),
)


def korean_surname(draw: Draw) -> str:
    return draw.weighted(SURNAMES)


def korean_name(draw: Draw, surname: str) -> str:
    """Return a full name with a given name of one, two or three syllables."""
    syllables = draw.weighted({2: 94, 1: 4, 3: 2})
    if syllables == 1:
        return surname + draw.pick(_SINGLE)
    given = draw.pick(_FIRST) + draw.pick(_SECOND)
    return surname + given + (draw.pick(_THIRD) if syllables == 3 else "")


@dataclass(frozen=True, slots=True)
class ForeignNames:
    """What the foreigners of one family share: a family name, an origin, and a script."""

    surname: str
    given_names: tuple[str, ...]


def foreign_names(draw: Draw) -> ForeignNames:
    """Draw a family's names as on residence cards: in Latin capitals, or transliterated."""
    families, givens = draw.pick(_FOREIGN)
    script = 0 if draw.chance(60) else 1
    return ForeignNames(draw.pick(families)[script], tuple(given[script] for given in givens))


def foreign_name(draw: Draw, shared: ForeignNames) -> str:
    return f"{shared.surname} {draw.pick(shared.given_names)}"
