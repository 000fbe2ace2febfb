"""Step 10 by Bitstring Status Lists: which lists count, how old they may be, and what they say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.credentials import ISSUER, NOW, policy
from wallet.errors import SeoulWalletError
from wallet.status.bitstring import BitstringStatusEntry, BitstringStatusList
from wallet.verification.bitstring_list import UnsupportedStatusType, VerifiedBitstringList
from wallet.verification.bitstring_steps import check_any_status
from wallet.verification.evidence import Evidence, Fact, FactMissing
from wallet.verification.progress import Progress
from wallet.verification.proof_steps import FactsTooOld
from wallet.verification.report import Outcome
from wallet.verification.status import StatusListInvalid
from wallet.verification.trust_steps import CredentialRevoked, CredentialSuspended, StatusMissing

URI = "https://issuer.example/status-lists/1"
INDEX = 7


def listed(purpose: str, *, is_set: bool = False, **changes: Any) -> VerifiedBitstringList:
    """Return the issuer's list for a purpose, made a minute ago."""
    bits = BitstringStatusList.empty().with_statuses({INDEX: int(is_set)})
    uri = f"{URI}/{purpose}"
    found = VerifiedBitstringList(
        uri, ISSUER, NOW - 60, NOW + 3600, None, bits.to_credential_subject(uri, purpose)
    )
    return replace(found, **changes)


def step(*lists: VerifiedBitstringList, purposes: tuple[str, ...] = (), **trust: Any) -> Any:
    """Run the step on a credential that names a list for each purpose."""
    named = purposes or tuple(item.subject["statusPurpose"] for item in lists)
    entries = tuple(
        BitstringStatusEntry(f"{URI}/{purpose}", INDEX, purpose).to_json() for purpose in named
    )
    evidence = Evidence(
        FactMissing("not needed"),
        bitstring_lists={
            f"{URI}/{item.subject['statusPurpose']}": Fact(item, NOW) for item in lists
        },
    )
    return check_any_status(
        Progress(
            policy=policy(**trust),
            evidence=evidence,
            now=NOW,
            issuer=ISSUER,
            statuses=entries,
        )
    )


def test_what_no_list_has_set_holds_as_of_the_oldest_list() -> None:
    older = listed("suspension", issued_at=NOW - 600)
    assert step(listed("revocation"), older) == NOW - 600


@pytest.mark.parametrize(
    ("purpose", "error"),
    [("revocation", CredentialRevoked), ("suspension", CredentialSuspended)],
)
def test_a_set_bit_is_what_its_purpose_says(purpose: str, error: type[SeoulWalletError]) -> None:
    other = {"revocation": "suspension", "suspension": "revocation"}[purpose]
    with pytest.raises(error):
        step(listed(purpose, is_set=True), listed(other))
    assert step(listed(purpose), listed(other)) == NOW - 60


def test_a_message_decides_nothing_and_is_no_revocation_list() -> None:
    message = listed("message", is_set=True)
    assert step(listed("revocation"), message) == NOW - 60
    with pytest.raises(StatusMissing):
        step(message)
    assert step(message, require_status=False) is Outcome.NOT_REQUIRED


@pytest.mark.parametrize("kind", ["StatusList2021Entry", ["BitstringStatusListEntry"]])
def test_a_status_of_another_kind_is_not_passed_over(kind: object) -> None:
    entry = BitstringStatusEntry(f"{URI}/revocation", INDEX, "revocation").to_json()
    progress = Progress(
        policy=policy(require_status=False),
        evidence=Evidence(FactMissing("not needed")),
        now=NOW,
        issuer=ISSUER,
        statuses=({**entry, "type": kind},),
    )
    with pytest.raises(UnsupportedStatusType):
        check_any_status(progress)


def test_a_list_that_was_not_fetched_is_no_verdict() -> None:
    with pytest.raises(FactMissing):
        step(listed("revocation"), purposes=("revocation", "suspension"))


@pytest.mark.parametrize(
    "changes", [{"issuer": "did:web:other.example"}, {"uri": URI}, {"issued_at": NOW + 600}]
)
def test_a_list_of_somebody_else_or_of_the_future_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(StatusListInvalid):
        step(listed("revocation", **changes))


@pytest.mark.parametrize(
    "changes",
    [{"issued_at": NOW - 3601}, {"ttl_s": 59}, {"expires_at": NOW - 1}],
)
def test_an_old_list_is_no_verdict(changes: dict[str, Any]) -> None:
    with pytest.raises(FactsTooOld):
        step(listed("revocation", **changes))
    assert step(listed("revocation", issued_at=NOW - 3600)) == NOW - 3600
