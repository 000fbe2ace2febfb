"""Ending accreditations: who may, from when on, and what stays in the history."""

from tests.contracts.calls import accredit, is_accredited, mandate, revoke, scopes
from tests.contracts.chain import FAMILY_CARD, WELFARE, YEAR, Chain, Refusal


def test_the_giving_accreditor_revokes_at_once(accredited: Chain) -> None:
    chain = accredited
    ((giver, since, until, _),) = scopes(chain)
    receipt = chain.send(revoke(chain), by=chain.accreditor)
    assert chain.event("IssuerRevoked", receipt) == {
        "issuerId": WELFARE,
        "schemaId": FAMILY_CARD,
        "by": chain.accreditor,
        "scopeIndex": 0,
        "revokedAt": chain.now(),
    }
    assert scopes(chain) == [(giver, since, until, chain.now())]
    assert is_accredited(chain, chain.now() - 1)
    assert not is_accredited(chain, chain.now())


def test_root_revokes_what_an_accreditor_gave(accredited: Chain) -> None:
    receipt = accredited.send(revoke(accredited), by=accredited.root)
    assert accredited.event("IssuerRevoked", receipt)["by"] == accredited.root


def test_nobody_else_revokes_not_even_another_accreditor_of_the_schema(accredited: Chain) -> None:
    chain = accredited
    for caller in (chain.rival, chain.controller, chain.outsider):
        assert chain.refusal(revoke(chain), by=caller) == Refusal(
            "NotRootNorGivingAccreditor", (caller, 1)
        )


def test_a_revocation_may_take_effect_in_the_past(accredited: Chain) -> None:
    chain = accredited
    since = scopes(chain)[0][1]
    chain.travel_to(since + 1000)
    chain.send(revoke(chain, since + 100), by=chain.accreditor)
    assert [is_accredited(chain, t) for t in (since, since + 99, since + 100, since + 1000)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_revocation_from_the_beginning_voids_the_scope(accredited: Chain) -> None:
    since = scopes(accredited)[0][1]
    accredited.send(revoke(accredited, since), by=accredited.accreditor)
    assert not is_accredited(accredited, since)


def test_refuses_a_revocation_in_the_future_or_before_the_scope(accredited: Chain) -> None:
    chain = accredited
    since, now = scopes(chain)[0][1], chain.now()
    assert chain.refusal(revoke(chain, now + 1), by=chain.accreditor) == Refusal(
        "RevocationInFuture", (now + 1, now)
    )
    assert chain.refusal(revoke(chain, since - 1), by=chain.accreditor) == Refusal(
        "RevocationBeforeScope", (since - 1, since)
    )


def test_a_revocation_only_moves_earlier(accredited: Chain) -> None:
    chain = accredited
    since = scopes(chain)[0][1]
    chain.travel_to(since + 1000)
    chain.send(revoke(chain, since + 500), by=chain.accreditor)
    for effective_at in (since + 500, since + 501, since + 1000):
        assert chain.refusal(revoke(chain, effective_at), by=chain.accreditor) == Refusal(
            "RevocationNotEarlier", (effective_at, since + 500)
        )
    assert chain.refusal(revoke(chain), by=chain.root).name == "RevocationNotEarlier"
    chain.send(revoke(chain, since + 400), by=chain.root)
    assert scopes(chain)[0][3] == since + 400


def test_a_lapsed_scope_can_be_ended_earlier_but_not_now(accredited: Chain) -> None:
    chain = accredited
    ((_, since, until, _),) = scopes(chain)
    chain.travel_to(until)
    assert chain.refusal(revoke(chain), by=chain.accreditor) == Refusal(
        "RevocationNotEarlier", (until, until)
    )
    chain.send(revoke(chain, since + 7), by=chain.accreditor)
    assert not is_accredited(chain, since + 7)


def test_an_accreditor_revokes_also_after_its_own_mandate_lapsed(accredited: Chain) -> None:
    chain = accredited
    given = scopes(chain)[0][1]
    (mandate_scope,) = chain.registry.functions.accreditorScopes(
        chain.accreditor, FAMILY_CARD
    ).call()
    chain.travel_to(mandate_scope[2])
    assert chain.refusal(accredit(chain), by=chain.accreditor).name == "NotAccreditor"
    chain.send(revoke(chain, given + 1), by=chain.accreditor)
    assert scopes(chain)[0][3] == given + 1


def test_an_accreditor_that_root_revoked_revokes_nothing_itself(accredited: Chain) -> None:
    chain = accredited
    chain.send(
        chain.registry.functions.revokeAccreditor(chain.accreditor, FAMILY_CARD, 0), by=chain.root
    )
    assert chain.refusal(revoke(chain), by=chain.accreditor) == Refusal(
        "NotRootNorGivingAccreditor", (chain.accreditor, 1)
    )
    chain.send(revoke(chain), by=chain.root)


def test_a_scope_still_to_begin_is_called_off_and_can_be_given_again(chain: Chain) -> None:
    since = chain.now() + 1000
    chain.send(accredit(chain, since=since, until=since + YEAR), by=chain.accreditor)
    assert chain.refusal(revoke(chain, chain.now()), by=chain.accreditor) == Refusal(
        "RevocationBeforeScope", (chain.now(), since)
    )
    chain.send(revoke(chain), by=chain.accreditor)
    assert scopes(chain)[0][3] == since
    chain.send(accredit(chain, until=since + 10), by=chain.rival)
    given = chain.now()
    chain.travel_to(since)
    assert [is_accredited(chain, t) for t in (given, since, since + 10)] == [True, True, False]


def test_history_is_kept_and_a_new_scope_covers_nothing_before_it(accredited: Chain) -> None:
    chain = accredited
    ((_, first_since, first_until, _),) = scopes(chain)
    chain.travel_to(first_since + 1000)
    chain.send(revoke(chain, first_since + 10), by=chain.accreditor)
    chain.send(accredit(chain), by=chain.rival)
    second_since, second_until = chain.now(), chain.now() - 1 + YEAR
    chain.travel_to(second_until)
    chain.send(accredit(chain), by=chain.accreditor)
    third_since = chain.now()
    assert scopes(chain) == [
        (chain.accreditor, first_since, first_until, first_since + 10),
        (chain.rival, second_since, second_until, 0),
        (chain.accreditor, third_since, second_until + YEAR, 0),
    ]
    for time, expected in (
        (first_since, True),
        (first_since + 10, False),
        (second_since - 1, False),
        (second_since, True),
        (second_until - 1, True),
        (second_until, False),
        (third_since, True),
    ):
        assert is_accredited(chain, time) is expected, time


def test_an_older_scope_is_revoked_by_its_index_by_the_one_who_gave_it(accredited: Chain) -> None:
    chain = accredited
    first_since = scopes(chain)[0][1]
    chain.send(revoke(chain), by=chain.accreditor)
    chain.send(accredit(chain), by=chain.rival)
    older = chain.registry.functions.revokeIssuerScope(WELFARE, FAMILY_CARD, 0, first_since)
    assert chain.refusal(older, by=chain.rival) == Refusal(
        "NotRootNorGivingAccreditor", (chain.rival, 1)
    )
    # the newest scope is the rival's, and does not reach back so far
    assert chain.refusal(revoke(chain), by=chain.accreditor) == Refusal(
        "NotRootNorGivingAccreditor", (chain.accreditor, 2)
    )
    assert chain.refusal(revoke(chain, first_since), by=chain.rival).name == (
        "RevocationBeforeScope"
    )
    receipt = chain.send(older, by=chain.accreditor)
    assert chain.event("IssuerRevoked", receipt)["scopeIndex"] == 0
    assert not is_accredited(chain, first_since)
    assert is_accredited(chain, chain.now())


def test_the_newest_scope_is_the_one_revoked_without_an_index(accredited: Chain) -> None:
    chain = accredited
    chain.send(revoke(chain), by=chain.accreditor)
    first = scopes(chain)[0]
    chain.send(accredit(chain), by=chain.rival)
    receipt = chain.send(revoke(chain), by=chain.rival)
    assert chain.event("IssuerRevoked", receipt)["scopeIndex"] == 1
    assert scopes(chain)[0] == first
    assert scopes(chain)[1][3] == chain.now()


def test_an_issuer_is_accredited_again_in_the_second_its_scope_lapses(accredited: Chain) -> None:
    chain = accredited
    until = scopes(chain)[0][2]
    chain.travel_to(until - 1)
    assert chain.refusal(accredit(chain), by=chain.accreditor) == Refusal("ScopeStillOpen", (0,))
    chain.send(accredit(chain), by=chain.accreditor)
    assert chain.now() == scopes(chain)[1][1] == until


def test_refuses_to_revoke_a_scope_that_is_not_there(accredited: Chain) -> None:
    chain = accredited
    registry = chain.registry.functions
    assert chain.refusal(
        registry.revokeIssuerScope(WELFARE, FAMILY_CARD, 1, 0), by=chain.root
    ) == Refusal("UnknownScope", (1,))
    assert chain.refusal(
        registry.revokeIssuer(FAMILY_CARD, FAMILY_CARD, 0), by=chain.root
    ) == Refusal("UnknownScope", (0,))
    assert chain.refusal(
        registry.revokeAccreditorScope(chain.accreditor, FAMILY_CARD, 1, 0), by=chain.root
    ) == Refusal("UnknownScope", (1,))


def test_back_dating_an_accreditors_revocation_uncovers_its_issuers(accredited: Chain) -> None:
    chain = accredited
    since = scopes(chain)[0][1]
    chain.travel_to(since + 1000)
    chain.send(
        chain.registry.functions.revokeAccreditorScope(
            chain.accreditor, FAMILY_CARD, 0, since + 100
        ),
        by=chain.root,
    )
    assert is_accredited(chain, since + 99)
    assert not is_accredited(chain, since + 100)
    # accrediting it again covers nothing in between
    chain.send(mandate(chain, chain.accreditor, FAMILY_CARD), by=chain.root)
    assert not is_accredited(chain, chain.now() - 1)
    assert is_accredited(chain, chain.now())
