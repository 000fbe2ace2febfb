"""Appointment letters to committees that exist in name only."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from issuer.register.model import Appointment
from seoul_wallet.sample import names
from seoul_wallet.sample.borders import years_before
from seoul_wallet.sample.draw import Draw

_POSTS: Final = (
    ("위원", "서울특별시 주민참여예산위원회(견본)"),
    ("위원장", "서울특별시 청년정책조정위원회(견본)"),
    ("자문위원", "서울특별시 디지털정책자문단(견본)"),
    ("명예시장", "서울특별시 시민소통담당관(견본)"),
    ("시민감사관", "서울특별시 감사위원회(견본)"),
    ("통장", "종로구 청운효자동 주민센터(견본)"),
)
SEAL_TEXT: Final = "서울특별시장인(견본)"
SIGNER_TITLE: Final = "서울특별시장"


def make_appointments(draw: Draw, on: date, count: int) -> tuple[Appointment, ...]:
    """Return `count` appointments; the first three sit at the borders of their terms."""
    day = timedelta(days=1)
    borders = {
        "SYN-A-TERM-ENDS-TODAY": (years_before(on, 2) + day, on),
        "SYN-A-TERM-ENDED-YESTERDAY": (years_before(on, 2), on - day),
        "SYN-A-TERM-BEGINS-TOMORROW": (on + day, on + 730 * day),
    }
    terms = list(borders.items())[:count]
    for number in range(len(terms) + 1, count + 1):
        begin = on - day * draw.integer(0, 600)
        terms.append((f"SYN-A-{number:06}", (begin, begin + 729 * day)))
    return tuple(
        _appointment(draw, appointment_id, number, term)
        for number, (appointment_id, term) in enumerate(terms, start=1)
    )


def _appointment(
    draw: Draw, appointment_id: str, number: int, term: tuple[date, date]
) -> Appointment:
    post, organisation = draw.pick(_POSTS)
    name = names.korean_name(draw, names.korean_surname(draw))
    serial = f"견본 제{term[0].year}-{number:05}호"
    return Appointment(
        appointment_id, name, post, organisation, *term, serial, SEAL_TEXT, SIGNER_TITLE, True
    )
