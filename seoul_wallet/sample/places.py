"""Addresses: real districts and roads, with a building and a door drawn by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from issuer.register.model import SEOUL, Address
from seoul_wallet.sample.draw import Draw


@dataclass(frozen=True, slots=True)
class District:
    """A district, its range of postal codes, and some roads, each with a 동 it runs through."""

    name: str
    postal_codes: tuple[int, int]
    roads: tuple[tuple[str, str], ...]


def _district(name: str, first: int, last: int, *roads: str) -> District:
    pairs = (road.split("/") for road in roads)
    return District(name, (first, last), tuple((road, dong) for road, dong in pairs))


SEOUL_PLACES: Final = (
    _district("강북구", 1000, 1239, "도봉로/미아동", "삼양로/수유동", "한천로/번동"),
    _district("도봉구", 1300, 1499, "도봉로/방학동", "노해로/창동", "해등로/쌍문동"),
    _district("노원구", 1600, 1912, "동일로/상계동", "한글비석로/중계동", "화랑로/공릉동"),
    _district("중랑구", 2000, 2269, "망우로/망우동", "면목로/면목동", "신내로/신내동"),
    _district("동대문구", 2400, 2644, "왕산로/용두동", "천호대로/장안동", "이문로/이문동"),
    _district("성북구", 2700, 2880, "동소문로/길음동", "정릉로/정릉동", "화랑로/석관동"),
    _district("종로구", 3000, 3199, "자하문로/청운동", "대학로/명륜동", "평창문화로/평창동"),
    _district("은평구", 3300, 3507, "진관2로/진관동", "통일로/불광동", "은평로/응암동"),
    _district("서대문구", 3600, 3797, "연희로/연희동", "가재울로/남가좌동", "통일로/홍제동"),
    _district("마포구", 3900, 4217, "월드컵로/망원동", "마포대로/공덕동", "성암로/상암동"),
    _district("용산구", 4300, 4427, "이촌로/이촌동", "한남대로/한남동", "효창원로/효창동"),
    _district("중구", 4500, 4637, "다산로/신당동", "청구로/신당동", "퇴계로/필동"),
    _district("성동구", 4700, 4808, "왕십리로/행당동", "독서당로/금호동", "뚝섬로/성수동"),
    _district("광진구", 4900, 5120, "광나루로/구의동", "능동로/화양동", "자양로/자양동"),
    _district("강동구", 5200, 5414, "고덕로/고덕동", "성내로/성내동", "양재대로/둔촌동"),
    _district("송파구", 5500, 5857, "올림픽로/잠실동", "송파대로/가락동", "위례성대로/방이동"),
    _district("강남구", 6000, 6376, "테헤란로/역삼동", "도곡로/대치동", "개포로/개포동"),
    _district("서초구", 6500, 6807, "서초대로/서초동", "반포대로/반포동", "방배로/방배동"),
    _district("동작구", 6900, 7074, "상도로/상도동", "사당로/사당동", "노량진로/노량진동"),
    _district("영등포구", 7200, 7384, "여의대방로/신길동", "당산로/당산동", "도림로/대림동"),
    _district("강서구", 7500, 7808, "화곡로/화곡동", "공항대로/마곡동", "양천로/가양동"),
    _district("양천구", 7900, 8103, "목동로/목동", "신정로/신정동", "오목로/신월동"),
    _district("구로구", 8200, 8397, "구로중앙로/구로동", "개봉로/개봉동", "경인로/고척동"),
    _district("금천구", 8500, 8656, "시흥대로/시흥동", "독산로/독산동", "가산로/가산동"),
    _district("관악구", 8700, 8868, "관악로/봉천동", "신림로/신림동", "남부순환로/봉천동"),
)
PLACES_OUTSIDE: Final = (
    ("경기도", _district("수원시 영통구", 16490, 16709, "광교중앙로/이의동", "영통로/영통동")),
    ("경기도", _district("성남시 분당구", 13460, 13649, "성남대로/정자동", "판교로/삼평동")),
    ("경기도", _district("고양시 일산동구", 10300, 10427, "중앙로/마두동", "위시티로/식사동")),
    ("경기도", _district("하남시", 12900, 13029, "미사강변대로/망월동", "대청로/신장동")),
    ("경기도", _district("광명시", 14200, 14353, "철산로/철산동", "디지털로/하안동")),
    ("인천광역시", _district("부평구", 21300, 21459, "부평대로/부평동", "길주로/삼산동")),
    ("인천광역시", _district("연수구", 21900, 22019, "컨벤시아대로/송도동", "청능대로/연수동")),
)


def seoul_address(draw: Draw, turn: int) -> Address:
    """Return an address in Seoul; 25 successive turns visit all 25 districts."""
    return _address(draw, SEOUL, SEOUL_PLACES[turn % len(SEOUL_PLACES)])


def address_outside(draw: Draw) -> Address:
    """Return an address in 경기 or 인천."""
    return _address(draw, *draw.pick(PLACES_OUTSIDE))


def _address(draw: Draw, city_or_province: str, district: District) -> Address:
    road, dong = draw.pick(district.roads)
    building = str(draw.integer(1, 320))
    if draw.chance(20):
        building += f"-{draw.integer(1, 30)}"
    door = f"{draw.integer(1, 25)}{draw.integer(1, 8):02}호"
    if draw.chance(60):
        door = f"{draw.integer(101, 119)}동 {door}"
    street = f"{road} {building}, {door} ({dong})"
    return Address(
        city_or_province, district.name, street, f"{draw.integer(*district.postal_codes):05}"
    )
