"""Families, an elder and their wallets in a city. Everybody is synthetic.

One agency asks by named queries: for residence, shown by oneself, by a delegate, or for a child.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from types import MappingProxyType

from issuer.register.model import (
    SEOUL,
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
from tests.support.city import AGENCY_TOKEN, AGENCY_URL, City, Rows
from verifier.queries import NamedQuery
from wallet.credentials.delegation import DELEGATION_TYPE, GUARDIANSHIP_TYPE
from wallet.eligibility.days import SEOUL as KST
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card
from wallet.holder.choices import Answer, Choice
from wallet.holder.present import Presented
from wallet.holder.wallet import Wallet
from wallet.protocols.dcql import parse_dcql

ON = date(2026, 5, 4)
RESIDENCE = "urn:seoul-wallet:residence:1"
AGENCY_ID = "decentralized_identifier:did:web:agency.example"
OTHER_URL = "https://other.example"
SECTOR = "welfare"

# family 1 lives in two households; the mother is registered as a foreigner
KIM, MOTHER, FATHER = "SYN-F-KIM", "SYN-P-MOTHER", "SYN-P-FATHER"
YOUNG, TEEN = "SYN-C-YOUNG", "SYN-C-TEEN"
# family 2: a grandparent is guardian; family 3: an adopted child; family 4: a parent of 17
LEE, GRANDMOTHER, GRANDCHILD = "SYN-F-LEE", "SYN-P-GRANDMOTHER", "SYN-C-GRANDCHILD"
PARK, ADOPTER, ADOPTED = "SYN-F-PARK", "SYN-P-ADOPTER", "SYN-C-ADOPTED"
CHOI, MINOR_PARENT, INFANT = "SYN-F-CHOI", "SYN-P-MINOR", "SYN-C-INFANT"
ELDER = "SYN-P-ELDER"
BORN = {
    MOTHER: date(1988, 3, 1),
    FATHER: date(1986, 7, 9),
    YOUNG: date(2012, 5, 6),
    TEEN: date(2007, 5, 6),
    GRANDMOTHER: date(1955, 1, 1),
    GRANDCHILD: date(2018, 2, 28),
    ADOPTER: date(1980, 12, 1),
    ADOPTED: date(2015, 8, 8),
    MINOR_PARENT: date(2008, 9, 1),
    INFANT: date(2025, 11, 1),
    ELDER: date(1941, 4, 4),
}


def at(day: date, hour: int = 12) -> int:
    """Return an hour of a day in Seoul, unix seconds."""
    return int(datetime.combine(day, time(hour), KST).timestamp())


def _registered(home: str, relation: HouseholdRelation) -> Registration:
    places = {
        "SYN-H-SEOUL": Address(SEOUL, "마포구", "합성로 1", "04524"),
        "SYN-H-SUWON": Address("경기도", "수원시", "합성로 2", "16200"),
    }
    return Registration(Household(home, places[home]), relation)


def _guardian(
    register_id: str, name: str, relation: GuardianRelation, *, home: str = "SYN-H-SEOUL"
) -> Guardian:
    foreign = register_id == MOTHER
    kind = RegistrationKind.FOREIGNER if foreign else RegistrationKind.RESIDENT
    person = Person(register_id, name, BORN[register_id], kind)
    return Guardian(person, relation, _registered(home, HouseholdRelation.HEAD))


def _child(register_id: str, name: str, relation: ChildRelation = ChildRelation.BIRTH) -> Child:
    person = Person(register_id, name, BORN[register_id], RegistrationKind.RESIDENT)
    return Child(person, relation, _registered("SYN-H-SEOUL", HouseholdRelation.CHILD))


def families() -> Sequence[Family]:
    """The synthetic families."""
    parent = GuardianRelation.PARENT
    return (
        Family(
            KIM,
            (
                _guardian(MOTHER, "NGUYEN THI HOA", parent),
                _guardian(FATHER, "김합성", parent, home="SYN-H-SUWON"),
            ),
            (_child(YOUNG, "김어린"), _child(TEEN, "김청년")),
            synthetic=True,
        ),
        Family(
            LEE,
            (_guardian(GRANDMOTHER, "이할미", GuardianRelation.GRANDPARENT_GUARDIAN),),
            (_child(GRANDCHILD, "이손녀"),),
            synthetic=True,
        ),
        Family(
            PARK,
            (_guardian(ADOPTER, "박양모", GuardianRelation.ADOPTIVE_PARENT),),
            (_child(ADOPTED, "박아이", ChildRelation.ADOPTED),),
            synthetic=True,
        ),
        Family(
            CHOI, (_guardian(MINOR_PARENT, "최소년", parent),), (_child(INFANT, "최아기"),), True
        ),
    )


def _residence(register_id: str) -> tuple[str, JsonObject]:
    return register_id, {
        "birth_date": BORN[register_id],
        "registration_kind": "resident",
        "first_day": date(2026, 1, 1),
        "last_day": None,
        "city_or_province": SEOUL,
        "district": "마포구",
    }


# What a register of welfare says of two children.
WELFARE: Rows = {"welfare": [(child, {"groups": ["near_poor"]}) for child in (YOUNG, TEEN)]}


def _query(query_id: str, vct: str, *paths: list[str]) -> JsonObject:
    query: JsonObject = {"id": query_id, "format": "dc+sd-jwt", "meta": {"vct_values": [vct]}}
    return {**query, "claims": [{"path": path} for path in paths]} if paths else query


HOME = _query("home", RESIDENCE, ["seoul_resident"])
HOME_OF_CHILD = _query("home", RESIDENCE, ["seoul_resident"], ["sector_id", SECTOR])
DELEGATION = _query("delegation", DELEGATION_TYPE)
GUARDIANSHIP = _query("guardian", GUARDIANSHIP_TYPE, ["relation"], ["ward", SECTOR])
QUERIES = {
    name: NamedQuery(name, parse_dcql(query), f"{name} (synthetic)")
    for name, query in {
        "own": {"credentials": [HOME]},
        "delegate": {
            "credentials": [HOME, DELEGATION],
            "credential_sets": [{"options": [["home"], ["home", "delegation"]]}],
        },
        "why": {"credentials": [HOME, _query("delegation", DELEGATION_TYPE, ["relation"])]},
        "child": {"credentials": [HOME_OF_CHILD, GUARDIANSHIP]},
        "child-or-self": {
            "credentials": [HOME_OF_CHILD, GUARDIANSHIP],
            "credential_sets": [{"options": [["home"], ["home", "guardian"]]}],
        },
    }.items()
}
QUERIES["why-not"] = replace(QUERIES["own"], name="why-not", retention_days=0)


class FamilyTown(City):
    """A city in which these families live."""

    @classmethod
    def build(
        cls,
        folder: Path,
        on: date = ON,
        *,
        retention_days: int | None = None,
        programmes_folder: Path | None = None,
        rows: Rows = MappingProxyType({}),
    ) -> FamilyTown:
        """Return the town at noon of `on`; its agencies say how long they keep what they see.

        They decide on the programmes of a folder, the examples if None. `rows` are those of
        further registers, by kind.
        """
        people = (YOUNG, TEEN, GRANDCHILD, ADOPTED, ELDER, MOTHER)
        return cls(
            folder,
            at(on),
            {"residence": [_residence(name) for name in people], **rows},
            families(),
            (AGENCY_URL, OTHER_URL),
            {
                "queries": QUERIES,
                "retention_days": retention_days,
                "programmes_folder": programmes_folder,
            },
        )

    def residence_for(self, wallet: Wallet, person: str, **guardian: str) -> Card:
        """Give a wallet the residence certificate of a person."""
        return self.give(wallet, "residence", person, person, **guardian)

    def guardian(self, name: str, family_id: str, guardian_id: str, child_id: str) -> Wallet:
        """Return a wallet with a child's certificate and the guardianship for it."""
        wallet = self.open_wallet(name)
        self.residence_for(wallet, child_id, family_id=family_id, guardian_id=guardian_id)
        self.give_guardianship(wallet, family_id, guardian_id, child_id)
        self.settle()
        return wallet

    def request(self, query: str, *, at: str = AGENCY_URL) -> JsonObject:
        """Ask a holder, by a named query."""
        answer = (
            self.verifiers[at]
            .app.test_client()
            .post(
                "/v1/requests",
                json={"query": query},
                headers={"Authorization": f"Bearer {AGENCY_TOKEN}"},
            )
        )
        assert answer.status_code == 201, answer.text
        opened: JsonObject = answer.get_json()
        return opened

    def result(self, opened: JsonObject, *, at: str = AGENCY_URL) -> JsonObject:
        """Collect what the agency is told."""
        answer = (
            self.verifiers[at]
            .app.test_client()
            .get(
                opened["result_uri"].removeprefix(at),
                headers={"Authorization": f"Bearer {opened['result_token']}"},
            )
        )
        assert answer.status_code == 200, answer.text
        told: JsonObject = answer.get_json()
        return told

    def shown(self, wallet: Wallet, query: str, *, at: str = AGENCY_URL) -> JsonObject:
        """Let a wallet answer a query and return what the agency is told."""
        opened = self.request(query, at=at)
        wallet.present(opened["link"], ask=lambda consent: True)
        return self.result(opened, at=at)

    def forced(self, wallet: Wallet, query: str, *answers: Answer) -> JsonObject:
        """Let a wallet that was tampered with send these answers, and return the decision."""
        opened = self.request(query)
        consent = wallet.review(opened["link"])
        wallet.present(replace(consent, answers=answers, missing=()))
        return self.result(opened)


def together(opened: JsonObject, child: Wallet, guardian: Wallet) -> Presented:
    """Let a child of 14 to 18 and its guardian answer a request together."""
    question = child.joint.ask(child.review(opened["link"]))
    part = guardian.joint.contribute(guardian.joint.review(question.text))
    return child.present(question.answered(part))


def answer(query_id: str, card: Card, *paths: tuple[str, ...]) -> Answer:
    """Return an answer with this card, whether it fits or not."""
    return Answer(query_id, True, (Choice(card, paths, {}),))
