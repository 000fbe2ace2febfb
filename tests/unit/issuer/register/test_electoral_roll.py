"""The electoral roll: its file, who is 14, and the census that a manifest states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from issuer.register.csv_register import VOTERS_FILE, CsvElectoralRoll
from issuer.register.csv_voters import parse_voters_csv, voters_to_csv
from issuer.register.electoral_roll import Stratum, Voter, take_census
from issuer.register.port import RegisterUnavailable, SubjectUnknown
from issuer.voting import VOTING_CREDENTIAL
from seoul_wallet.issuer_cli import people
from seoul_wallet.sample.residents import make_residents
from seoul_wallet.sample.voters import make_voters, write_roll

DAY = date(2027, 1, 10)
SALT = bytes(32)
ADULT = Voter("SYN-R-1", date(1990, 5, 5), "11590", Stratum.CITIZEN, DAY, synthetic=True)
MEMBER = replace(ADULT, register_id="SYN-R-2", stratum=Stratum.COMMITTEE)
EVE = replace(ADULT, register_id="SYN-R-3", birth_date=date(2013, 1, 11))
BIRTHDAY = replace(ADULT, register_id="SYN-R-4", birth_date=date(2013, 1, 10))
ROLL = (ADULT, MEMBER, EVE, BIRTHDAY)


def everybody(voter: Voter) -> bool:
    return True


def census_of(*voters: Voter, epoch: str = "2027-1", salt: bytes = SALT) -> bytes:
    census = take_census(voters, epoch=epoch, salt=salt, is_counted=everybody)
    assert census is not None
    return census.digest


def test_a_roll_reads_back_as_it_was_written() -> None:
    voters, report = parse_voters_csv(voters_to_csv(ROLL))
    assert tuple(voters.values()) == ROLL
    assert (report.served, report.withheld, report.bad_row_count) == (4, 0, 0)


def test_a_resident_is_14_from_the_birthday_on() -> None:
    assert [voter.is_over_14 for voter in ROLL] == [True, True, False, True]


@pytest.mark.parametrize(
    ("change", "served"),
    [
        (lambda text: text.replace("2013-01-11", "2013-02-30"), 3),
        (lambda text: text.replace("committee", "mayor"), 3),
        (lambda text: text.replace("SYN-R-2", "SYN-R-1"), 2),
        (lambda text: text[: text.rindex(DAY.isoformat())] + "2027-01-11\n", 3),
        (lambda text: text.replace("동작구", "수원시"), 0),
    ],
    ids=["no-day", "no-stratum", "twice", "another-day", "no-district"],
)
def test_a_row_that_cannot_be_is_withheld(change: Callable[[str], str], served: int) -> None:
    text = change(voters_to_csv(ROLL).decode())
    voters, report = parse_voters_csv(text.encode())
    assert (len(voters), report.served) == (served, served)
    assert report.bad_row_count == (4 if served == 0 else 1)


def test_the_census_counts_by_stratum_and_commits_to_the_roll() -> None:
    census = take_census(
        ROLL, epoch="2027-1", salt=SALT, is_counted=lambda voter: voter.is_over_14
    )
    assert census is not None
    assert census.people == {"citizen": 2, "committee": 1}
    # the second after the day of the roll in Seoul
    assert census.taken_at == 1_799_593_200
    assert census.digest == census_of(*reversed(ROLL))
    others = {
        census_of(*ROLL[1:]),
        census_of(*ROLL, epoch="2027-2"),
        census_of(*ROLL, salt=bytes(31) + b"\1"),
        census_of(*ROLL[:-1], replace(BIRTHDAY, district="11110")),
    }
    assert census.digest not in others
    assert len(others) == 4


def test_an_empty_roll_has_no_census() -> None:
    assert take_census((), epoch="2027-1", salt=SALT, is_counted=everybody) is None


def test_the_synthetic_roll_lists_who_lives_in_seoul(tmp_path: Path) -> None:
    residents = list(make_residents(seed=1, count=400, on=DAY))
    voters = tuple(make_voters(residents, seed=1, on=DAY))
    assert voters == tuple(make_voters(residents, seed=1, on=DAY))
    assert 200 < len(voters) < 400
    assert {voter.stratum for voter in voters} == set(Stratum)
    assert {voter.is_over_14 for voter in voters} == {True, False}
    write_roll(tmp_path, voters)
    roll = CsvElectoralRoll(tmp_path / VOTERS_FILE)
    with pytest.raises(RegisterUnavailable):
        roll.voter(voters[0].register_id)
    roll.load()
    assert roll.voter(voters[0].register_id) == voters[0]
    assert sum(map(len, roll.voters(chunk_size=100))) == len(voters)
    with pytest.raises(SubjectUnknown):
        roll.voter("SYN-R-9")


def test_the_clerk_of_a_local_stack_offers_to_who_may_vote(tmp_path: Path) -> None:
    write_roll(tmp_path, ROLL)
    offered = people({"tokens": str(tmp_path / "tokens.json")}, VOTING_CREDENTIAL)
    assert [subject for subject, _ in offered] == ["SYN-R-1", "SYN-R-2", "SYN-R-4"]
