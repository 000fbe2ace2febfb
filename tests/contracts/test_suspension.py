"""An issuer is stopped at once, and what it did and may do at every other time stays judgeable."""

import pytest

from tests.contracts.calls import (
    accredit,
    anchor,
    is_accredited,
    publish,
    revoke_batch,
)
from tests.contracts.chain import (
    RESIDENCE,
    WELFARE,
    YOUTH,
    Chain,
    Refusal,
    sha256,
)

ROOT = sha256("root of a batch")
LIST = sha256("https://welfare.seoul.example/status/1")
ROOT_ROLE = bytes(32)


def suspend(chain: Chain) -> None:
    chain.send(chain.registry.functions.suspendIssuer(WELFARE), by=chain.suspender)


def lift(chain: Chain) -> None:
    chain.send(chain.registry.functions.unsuspendIssuer(WELFARE), by=chain.root)


def test_a_suspended_issuer_anchors_nothing_until_root_lifts_it(accredited: Chain) -> None:
    chain = accredited
    suspend(chain)
    assert chain.refusal(anchor(chain, ROOT), by=chain.controller).name == "NotAccredited"
    lift(chain)
    chain.send(anchor(chain, ROOT), by=chain.controller)


def test_the_events_state_index_time_and_sender(accredited: Chain) -> None:
    chain = accredited
    registry = chain.registry.functions
    for index in (0, 1):
        receipt = chain.send(registry.suspendIssuer(WELFARE), by=chain.suspender)
        assert chain.event("IssuerSuspended", receipt) == {
            "issuerId": WELFARE,
            "by": chain.suspender,
            "suspensionIndex": index,
            "since": chain.now(),
        }
        receipt = chain.send(registry.unsuspendIssuer(WELFARE), by=chain.root)
        assert chain.event("IssuerUnsuspended", receipt) == {
            "issuerId": WELFARE,
            "by": chain.root,
            "suspensionIndex": index,
            "until": chain.now(),
        }


def test_the_suspender_does_not_lift_and_root_without_the_role_does_not_suspend(
    accredited: Chain,
) -> None:
    chain = accredited
    registry = chain.registry.functions
    role = registry.SUSPENDER_ROLE().call()
    for caller in (chain.root, chain.accreditor, chain.controller, chain.outsider):
        assert chain.refusal(registry.suspendIssuer(WELFARE), by=caller) == Refusal(
            "AccessControlUnauthorizedAccount", (caller, role)
        )
    suspend(chain)
    for caller in (chain.suspender, chain.accreditor, chain.controller, chain.outsider):
        assert chain.refusal(registry.unsuspendIssuer(WELFARE), by=caller) == Refusal(
            "AccessControlUnauthorizedAccount", (caller, ROOT_ROLE)
        )


def test_refuses_to_suspend_twice_to_lift_nothing_and_unknown_issuers(accredited: Chain) -> None:
    chain = accredited
    registry = chain.registry.functions
    assert chain.refusal(registry.unsuspendIssuer(WELFARE), by=chain.root) == Refusal(
        "IssuerNotSuspended", (WELFARE,)
    )
    suspend(chain)
    assert chain.refusal(registry.suspendIssuer(WELFARE), by=chain.suspender) == Refusal(
        "IssuerIsSuspended", (WELFARE,)
    )
    unknown = Refusal("UnknownIssuer", (YOUTH,))
    assert chain.refusal(registry.suspendIssuer(YOUTH), by=chain.suspender) == unknown
    assert chain.refusal(registry.unsuspendIssuer(YOUTH), by=chain.root) == unknown


def test_a_past_time_is_judged_by_the_suspensions_of_then(accredited: Chain) -> None:
    chain = accredited
    begun = chain.now()
    chain.travel_to(begun + 100)
    suspend(chain)
    since = chain.now()
    chain.travel_to(begun + 200)
    lift(chain)
    until = chain.now()
    chain.travel_to(begun + 300)
    for time, expected in (
        (begun, True),
        (since - 1, True),
        (since, False),
        (until - 1, False),
        (until, True),
        (chain.now(), True),
    ):
        assert is_accredited(chain, time) is expected, time
    found = chain.registry.functions.suspensions(WELFARE).call()
    assert [tuple(suspension) for suspension in found] == [(since, until)]


def test_a_suspension_holds_for_every_schema_and_a_new_accreditation_does_not_lift_it(
    accredited: Chain,
) -> None:
    chain = accredited
    suspend(chain)
    chain.send(accredit(chain, schema_id=RESIDENCE), by=chain.rival)
    assert chain.registry.functions.isSuspended(WELFARE).call()
    assert not is_accredited(chain, chain.now(), RESIDENCE)


def test_a_suspended_issuer_still_revokes_and_publishes_status(accredited: Chain) -> None:
    chain = accredited
    chain.send(anchor(chain, ROOT), by=chain.controller)
    suspend(chain)
    chain.send(revoke_batch(chain, ROOT), by=chain.controller)
    chain.send(publish(chain, 1, LIST), by=chain.controller)
    assert chain.anchor.functions.batchOf(WELFARE, ROOT).call()[1] > 0
    assert chain.anchor.functions.statusListOf(WELFARE, LIST).call()[0] == 1


@pytest.mark.parametrize("by", ["controller", "root"])
def test_only_root_changes_the_controller_of_a_suspended_issuer(
    accredited: Chain, by: str
) -> None:
    chain = accredited
    change = chain.registry.functions.changeController(WELFARE, chain.outsider)
    suspend(chain)
    if by == "root":
        chain.send(change, by=chain.root)
    else:
        assert chain.refusal(change, by=chain.controller) == Refusal(
            "IssuerIsSuspended", (WELFARE,)
        )
