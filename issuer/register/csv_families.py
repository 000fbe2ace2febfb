"""`families.csv`: one row per member of a family. Pure.

Every row states how many rows its family has. A family is served only whole: a member lost to a
bad row, a truncated file or a second list of the same family would change what the rule says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from issuer.register.csv_table import (
    SYNTHETIC,
    LoadReport,
    ReportBuilder,
    Row,
    RowRefused,
    read_rows,
    write_rows,
)
from issuer.register.model import (
    CITIES_AND_PROVINCES,
    SEJONG,
    SEOUL,
    SEOUL_DISTRICTS,
    Address,
    Child,
    ChildRelation,
    Family,
    Guardian,
    GuardianRelation,
    Household,
    HouseholdRelation,
    Person,
    Registration,
    RegistrationKind,
)
from wallet.encoding.names import parse_name, parse_text

REGISTRATION_COLUMNS: Final = (
    "household_id",
    "household_relation",
    "city_or_province",
    "district",
    "street",
    "postal_code",
)
FAMILY_COLUMNS: Final = (
    "synthetic",
    "family_id",
    "family_members",
    "register_id",
    "name",
    "birth_date",
    "registration_kind",
    "family_relation",
    *REGISTRATION_COLUMNS,
)
MAX_FAMILY_MEMBERS: Final = 30

Member = Guardian | Child

_FAMILY_RELATIONS: Final[Mapping[str, GuardianRelation | ChildRelation]] = {
    relation.value: relation for relation in (*GuardianRelation, *ChildRelation)
}
_KINDS: Final = {kind.value: kind for kind in RegistrationKind}
_HOUSEHOLD_RELATIONS: Final = {relation.value: relation for relation in HouseholdRelation}
_SIZES: Final = {str(size): size for size in range(1, MAX_FAMILY_MEMBERS + 1)}


@dataclass(slots=True)
class _Draft:
    """A family while its rows come in. `complete` turns false once and for all."""

    line: int
    synthetic: bool
    size: int = 0
    members: list[Member] = field(default_factory=list)
    complete: bool = True


def parse_families_csv(data: bytes) -> tuple[dict[str, Family], LoadReport]:
    """Return the families that are whole, ordered by id, and what became of the others.

    A person listed twice, or a household with two addresses, withholds both families: the file
    does not say which is right. Raises `RegisterFileMalformed`. Does not check that relations
    and ages make sense together.
    """
    report = ReportBuilder()
    reader = _FamilyReader(report)
    for row in read_rows(data, FAMILY_COLUMNS, report):
        reader.take(row)
    families = reader.families()
    withheld = len(reader.drafts) - len(families)
    return families, report.build(data, served=len(families), withheld=withheld)


def families_to_csv(families: Iterable[Family]) -> bytes:
    """Return the file that `parse_families_csv` reads as these families."""
    return write_rows(FAMILY_COLUMNS, _rows(families))


class _FamilyReader:
    """One pass over a file: drafts by family id, and which row named whom first."""

    def __init__(self, report: ReportBuilder) -> None:
        self.drafts: dict[str, _Draft] = {}
        self._report = report
        self._family_of_person: dict[str, str] = {}
        self._household: dict[str, tuple[Household, str]] = {}

    def take(self, row: Row) -> None:
        draft: _Draft | None = None
        try:
            family_id = row.register_id("family_id")
            draft = self.drafts.setdefault(family_id, _Draft(row.line, row.synthetic()))
            size = row.choice("family_members", _SIZES)
            if draft.size not in (0, size):
                raise RowRefused("family_members", "family_size_differs")
            draft.size = size
            draft.members.append(self._member(row, family_id))
        except RowRefused as refused:
            self._report.add_bad_row(row.line, refused.column, refused.reason)
            if draft is not None:
                draft.complete = False

    def families(self) -> dict[str, Family]:
        for draft in self.drafts.values():
            if draft.complete and len(draft.members) != draft.size:
                self._report.add_bad_row(draft.line, "family_members", "family_size_differs")
                draft.complete = False
        return {
            family_id: _family(family_id, draft)
            for family_id, draft in sorted(self.drafts.items())
            if draft.complete
        }

    def _member(self, row: Row, family_id: str) -> Member:
        person = Person(
            row.register_id("register_id"),
            row.text("name", parse_name),
            row.date("birth_date"),
            row.choice("registration_kind", _KINDS),
        )
        first = self._family_of_person.setdefault(person.register_id, family_id)
        if first != family_id or self._lists(family_id, person):
            self.drafts[first].complete = False
            raise RowRefused("register_id", "duplicate_id")
        relation = row.choice("family_relation", _FAMILY_RELATIONS)
        registration = self._registration(row, family_id)
        if isinstance(relation, GuardianRelation):
            return Guardian(person, relation, registration)
        return Child(person, relation, registration)

    def _lists(self, family_id: str, person: Person) -> bool:
        members = self.drafts[family_id].members
        return any(member.person.register_id == person.register_id for member in members)

    def _registration(self, row: Row, family_id: str) -> Registration | None:
        if not any(row.raw(column) for column in REGISTRATION_COLUMNS):
            return None
        household = Household(row.register_id("household_id"), _address(row))
        relation = row.choice("household_relation", _HOUSEHOLD_RELATIONS)
        known, first = self._household.setdefault(household.household_id, (household, family_id))
        if known != household:
            self.drafts[first].complete = False
            raise RowRefused("household_id", "household_address_differs")
        return Registration(known, relation)


def _address(row: Row) -> Address:
    city_or_province = row.text("city_or_province", parse_text)
    # A closed list: 서울 or 서울시 must not pass as a province that is not Seoul.
    if city_or_province not in CITIES_AND_PROVINCES:
        raise RowRefused("city_or_province", "unknown_value")
    if city_or_province == SEJONG and not row.raw("district"):
        district = ""
    else:
        district = row.text("district", parse_text)
    if city_or_province == SEOUL and district not in SEOUL_DISTRICTS:
        raise RowRefused("district", "unknown_value")
    postal_code = row.raw("postal_code")
    if not (len(postal_code) == 5 and postal_code.isascii() and postal_code.isdigit()):
        raise RowRefused("postal_code", "postal_code_malformed")
    return Address(city_or_province, district, row.text("street", parse_text), postal_code)


def _family(family_id: str, draft: _Draft) -> Family:
    guardians = tuple(member for member in draft.members if isinstance(member, Guardian))
    children = tuple(member for member in draft.members if isinstance(member, Child))
    return Family(family_id, guardians, children, draft.synthetic)


def _rows(families: Iterable[Family]) -> Iterator[dict[str, str]]:
    for family in families:
        members: tuple[Member, ...] = (*family.guardians, *family.children)
        for member in members:
            yield {
                "synthetic": SYNTHETIC if family.synthetic else "",
                "family_id": family.family_id,
                "family_members": str(len(members)),
                "register_id": member.person.register_id,
                "name": member.person.name,
                "birth_date": member.person.birth_date.isoformat(),
                "registration_kind": member.person.registration_kind.value,
                "family_relation": member.relation.value,
                **_registration_fields(member.registration),
            }


def _registration_fields(registration: Registration | None) -> dict[str, str]:
    if registration is None:
        return dict.fromkeys(REGISTRATION_COLUMNS, "")
    address = registration.household.address
    return {
        "household_id": registration.household.household_id,
        "household_relation": registration.relation.value,
        "city_or_province": address.city_or_province,
        "district": address.district,
        "street": address.street,
        "postal_code": address.postal_code,
    }
