"""Who may accredit whom, from when, until when."""

import pytest

from tests.contracts.calls import accredit, is_accredited, mandate, scopes
from tests.contracts.chain import (
    BUS_PASS,
    FAMILY_CARD,
    HAND_OVER_DELAY_S,
    RESIDENCE,
    WELFARE,
    YEAR,
    YOUTH,
    Chain,
    Refusal,
)

NOBODY = "0x" + "00" * 20
NO_ID = bytes(32)
ROOT_ROLE = bytes(32)


class TestRootAuthority:
    def test_root_accredits_an_accreditor_for_one_schema(self, chain: Chain) -> None:
        until = chain.now() + YEAR
        receipt = chain.send(mandate(chain, chain.outsider, until=until), by=chain.root)
        since = chain.now()
        assert chain.event("AccreditorAccredited", receipt) == {
            "accreditor": chain.outsider,
            "schemaId": BUS_PASS,
            "mandateId": 5,
            "scopeIndex": 0,
            "validFrom": since,
            "validUntil": until,
        }
        registry = chain.registry.functions
        assert registry.isAccreditor(chain.outsider, BUS_PASS, since).call()
        assert not registry.isAccreditor(chain.outsider, FAMILY_CARD, since).call()
        assert registry.mandateOf(chain.outsider, BUS_PASS).call() == 5
        assert registry.accreditorOf(5).call() == chain.outsider

    def test_nobody_but_root_accredits_or_revokes_accreditors(self, chain: Chain) -> None:
        for caller in (chain.accreditor, chain.controller, chain.outsider):
            refused = Refusal("AccessControlUnauthorizedAccount", (caller, ROOT_ROLE))
            registry = chain.registry.functions
            for function in (
                mandate(chain, caller),
                registry.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0),
                registry.revokeAccreditorScope(chain.accreditor, FAMILY_CARD, 0, 0),
            ):
                assert chain.refusal(function, by=caller) == refused

    def test_root_is_handed_over_in_two_steps_and_not_before_the_delay(self, chain: Chain) -> None:
        registry = chain.registry.functions
        chain.send(registry.beginDefaultAdminTransfer(chain.outsider), by=chain.root)
        schedule = chain.now() + HAND_OVER_DELAY_S
        accept = registry.acceptDefaultAdminTransfer()
        chain.travel_to(schedule)
        assert chain.refusal(accept, by=chain.outsider) == Refusal(
            "AccessControlEnforcedDefaultAdminDelay", (schedule,)
        )
        chain.travel_to(schedule + 1)
        chain.send(accept, by=chain.outsider)
        assert registry.defaultAdmin().call() == chain.outsider
        chain.send(mandate(chain, chain.accreditor), by=chain.outsider)
        assert chain.refusal(mandate(chain, chain.rival), by=chain.root).name == (
            "AccessControlUnauthorizedAccount"
        )

    def test_refuses_an_accreditor_without_address_or_schema(self, chain: Chain) -> None:
        assert chain.refusal(mandate(chain, NOBODY), by=chain.root) == Refusal("ZeroAddress")
        assert chain.refusal(
            mandate(chain, chain.outsider, schema_id=NO_ID), by=chain.root
        ) == Refusal("ZeroIdentifier")

    def test_an_accreditor_has_one_open_scope_and_keeps_the_closed_ones(
        self, chain: Chain
    ) -> None:
        again = mandate(chain, chain.accreditor, FAMILY_CARD)
        assert chain.refusal(again, by=chain.root) == Refusal("ScopeStillOpen", (0,))
        (first,) = chain.registry.functions.accreditorScopes(chain.accreditor, FAMILY_CARD).call()
        chain.send(
            chain.registry.functions.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0),
            by=chain.root,
        )
        ended = chain.now()
        receipt = chain.send(mandate(chain, chain.accreditor, FAMILY_CARD), by=chain.root)
        assert chain.event("AccreditorAccredited", receipt)["mandateId"] == 1
        history = chain.registry.functions.accreditorScopes(chain.accreditor, FAMILY_CARD).call()
        assert [tuple(scope)[1:] for scope in history] == [
            (first[1], first[2], ended),
            (chain.now(), ended + YEAR, 0),
        ]
        assert {scope[0] for scope in history} == {NOBODY}

    def test_revoking_an_accreditor_that_has_no_mandate_is_refused(self, chain: Chain) -> None:
        function = chain.registry.functions.revokeAccreditor(chain.outsider, FAMILY_CARD, 0)
        assert chain.refusal(function, by=chain.root) == Refusal("UnknownScope", (0,))


class TestAccreditingIssuers:
    def test_an_accreditor_accredits_an_issuer_for_its_schema(self, chain: Chain) -> None:
        until = chain.now() + YEAR
        receipt = chain.send(accredit(chain, until=until), by=chain.accreditor)
        since = chain.now()
        assert chain.event("IssuerAccredited", receipt) == {
            "issuerId": WELFARE,
            "schemaId": FAMILY_CARD,
            "controller": chain.controller,
            "mandateId": 1,
            "scopeIndex": 0,
            "validFrom": since,
            "validUntil": until,
        }
        assert is_accredited(chain, since)
        assert not is_accredited(chain, since, RESIDENCE)
        assert chain.registry.functions.controllerOf(WELFARE).call() == chain.controller
        assert scopes(chain) == [(chain.accreditor, since, until, 0)]

    def test_refuses_everyone_whose_mandate_for_that_schema_is_not_in_force(
        self, chain: Chain
    ) -> None:
        for caller in (chain.root, chain.controller, chain.outsider):
            refused = Refusal("NotAccreditor", (caller, FAMILY_CARD))
            assert chain.refusal(accredit(chain), by=caller) == refused
        other_schema = accredit(chain, schema_id=BUS_PASS)
        assert chain.refusal(other_schema, by=chain.accreditor) == Refusal(
            "NotAccreditor", (chain.accreditor, BUS_PASS)
        )

    def test_refuses_an_accreditor_whose_mandate_lapsed(self, chain: Chain) -> None:
        until = chain.now() + 100
        chain.send(mandate(chain, chain.outsider, until=until), by=chain.root)
        chain.travel_to(until)
        assert chain.refusal(accredit(chain, schema_id=BUS_PASS), by=chain.outsider) == Refusal(
            "NotAccreditor", (chain.outsider, BUS_PASS)
        )

    def test_refuses_an_accreditor_whose_mandate_has_not_begun(self, chain: Chain) -> None:
        since = chain.now() + 100
        chain.send(mandate(chain, chain.outsider, since=since), by=chain.root)
        function = accredit(chain, schema_id=BUS_PASS, until=since + YEAR)
        assert chain.refusal(function, by=chain.outsider).name == "NotAccreditor"
        chain.travel_to(since)
        chain.send(function, by=chain.outsider)

    def test_a_window_is_half_open(self, chain: Chain) -> None:
        since, until = chain.now() + 100, chain.now() + 200
        chain.send(accredit(chain, since=since, until=until), by=chain.accreditor)
        for time, expected in (
            (since - 1, False),
            (since, True),
            (until - 1, True),
            (until, False),
        ):
            chain.travel_to(time)
            assert is_accredited(chain, time) is expected

    def test_refuses_an_empty_or_back_dated_period(self, chain: Chain) -> None:
        now = chain.now()
        for function, refused in (
            (accredit(chain, since=now + 9, until=now + 9), ("EmptyPeriod", (now + 9, now + 9))),
            (accredit(chain, until=now), ("EmptyPeriod", (now, now))),
            (accredit(chain, since=now - 1), ("BackdatedAccreditation", (now - 1, now))),
        ):
            assert chain.refusal(function, by=chain.accreditor) == Refusal(*refused)

    def test_refuses_an_issuer_without_id_or_controller(self, chain: Chain) -> None:
        assert chain.refusal(accredit(chain, issuer_id=NO_ID), by=chain.accreditor) == Refusal(
            "ZeroIdentifier"
        )
        assert chain.refusal(accredit(chain, controller=NOBODY), by=chain.accreditor) == Refusal(
            "ZeroAddress"
        )

    def test_nobody_opens_a_second_scope_for_the_same_issuer_and_schema(
        self, accredited: Chain
    ) -> None:
        for accreditor in (accredited.accreditor, accredited.rival):
            assert accredited.refusal(accredit(accredited), by=accreditor) == Refusal(
                "ScopeStillOpen", (0,)
            )

    def test_a_scope_still_to_begin_is_open_too(self, chain: Chain) -> None:
        since = chain.now() + 100
        chain.send(accredit(chain, since=since), by=chain.accreditor)
        assert chain.refusal(accredit(chain), by=chain.rival) == Refusal("ScopeStillOpen", (0,))

    def test_another_accreditor_may_add_another_schema(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(accredit(chain, schema_id=RESIDENCE), by=chain.rival)
        assert is_accredited(chain, chain.now(), RESIDENCE)
        assert scopes(chain, RESIDENCE)[0][0] == chain.rival
        assert scopes(chain)[0][0] == chain.accreditor

    def test_an_accreditor_losing_its_mandate_ends_its_issuers_and_regaining_it_resumes_them(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        begun = chain.now()
        revocation = chain.registry.functions.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0)
        receipt = chain.send(revocation, by=chain.root)
        ended = chain.now()
        assert chain.event("AccreditorRevoked", receipt) == {
            "accreditor": chain.accreditor,
            "schemaId": FAMILY_CARD,
            "mandateId": 1,
            "scopeIndex": 0,
            "revokedAt": ended,
        }
        assert not is_accredited(chain, ended)
        chain.send(mandate(chain, chain.accreditor, FAMILY_CARD), by=chain.root)
        resumed = chain.now()
        assert [is_accredited(chain, t) for t in (begun, ended, resumed)] == [True, False, True]


class TestController:
    def test_another_accreditor_cannot_take_an_issuer_over(self, accredited: Chain) -> None:
        chain = accredited
        hijack = accredit(chain, controller=chain.outsider, schema_id=RESIDENCE)
        assert chain.refusal(hijack, by=chain.rival) == Refusal(
            "ControllerMismatch", (WELFARE, chain.controller)
        )

    def test_an_issuer_cannot_be_taken_over_after_its_accreditation_ended(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        chain.travel_to(scopes(chain)[0][2])
        hijack = accredit(chain, controller=chain.outsider)
        assert chain.refusal(hijack, by=chain.rival) == Refusal(
            "ControllerMismatch", (WELFARE, chain.controller)
        )

    def test_an_address_may_control_two_dids_of_one_entity(self, accredited: Chain) -> None:
        chain = accredited
        chain.send(accredit(chain, issuer_id=YOUTH), by=chain.rival)
        registry = chain.registry.functions
        for issuer_id in (WELFARE, YOUTH):
            assert registry.controllerOf(issuer_id).call() == chain.controller
        # and each of them is handed on apart
        change = registry.changeController(YOUTH, chain.outsider)
        chain.send(change, by=chain.controller)
        assert registry.controllerOf(WELFARE).call() == chain.controller

    def test_root_and_the_present_controller_change_the_controller(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        registry = chain.registry.functions
        for by, old, new in (
            (chain.controller, chain.controller, chain.other_controller),
            (chain.root, chain.other_controller, chain.outsider),
        ):
            receipt = chain.send(registry.changeController(WELFARE, new), by=by)
            assert chain.event("ControllerChanged", receipt) == {
                "issuerId": WELFARE,
                "previousController": old,
                "controller": new,
                "by": by,
            }
            assert registry.controllerOf(WELFARE).call() == new

    def test_nobody_else_changes_the_controller(self, accredited: Chain) -> None:
        chain = accredited
        change = chain.registry.functions.changeController(WELFARE, chain.outsider)
        for caller in (chain.accreditor, chain.rival, chain.outsider):
            assert chain.refusal(change, by=caller) == Refusal(
                "NotRootNorController", (caller, WELFARE)
            )

    def test_a_former_controller_does_not_change_the_controller_back(
        self, accredited: Chain
    ) -> None:
        chain = accredited
        change = chain.registry.functions.changeController
        chain.send(change(WELFARE, chain.other_controller), by=chain.controller)
        assert chain.refusal(change(WELFARE, chain.controller), by=chain.controller) == Refusal(
            "NotRootNorController", (chain.controller, WELFARE)
        )

    @pytest.mark.parametrize(
        ("issuer_id", "controller", "refused"),
        [
            (YOUTH, "0x" + "11" * 20, Refusal("UnknownIssuer", (YOUTH,))),
            (WELFARE, NOBODY, Refusal("ZeroAddress")),
        ],
    )
    def test_refuses_to_change_to_nobody_or_of_an_unknown_issuer(
        self, accredited: Chain, issuer_id: bytes, controller: str, refused: Refusal
    ) -> None:
        change = accredited.registry.functions.changeController(issuer_id, controller)
        assert accredited.refusal(change, by=accredited.root) == refused
