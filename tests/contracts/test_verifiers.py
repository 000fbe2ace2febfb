"""Which claims a verifier may ask for, for which purpose, from when, until when."""

from tests.contracts.calls import (
    CLAIMS,
    LIBRARY,
    PURPOSE,
    SERVICE,
    register,
    revoke_service,
)
from tests.contracts.chain import FAMILY_CARD, RESIDENCE, WELFARE, YEAR, Chain, Refusal

NOBODY = "0x" + "00" * 20
NONE = bytes(32)


def is_registered(chain: Chain, time: int, service: bytes = SERVICE) -> bool:
    return bool(chain.registry.functions.isRegistered(LIBRARY, service, time).call())


def test_a_registrar_registers_what_a_service_may_ask_for(chain: Chain) -> None:
    until = chain.now() + YEAR
    receipt = chain.send(register(chain, until=until), by=chain.registrar)
    since = chain.now()
    assert chain.event("VerifierRegistered", receipt) == {
        "verifierId": LIBRARY,
        "serviceId": SERVICE,
        "schemaId": FAMILY_CARD,
        "purposeDigest": PURPOSE,
        "claimsDigest": CLAIMS,
        "scopeIndex": 0,
        "validFrom": since,
        "validUntil": until,
    }
    assert is_registered(chain, since)
    assert not is_registered(chain, since - 1)
    assert is_registered(chain, until - 1)
    assert not is_registered(chain, until)


def test_a_service_is_exactly_its_schema_purpose_and_claims(chain: Chain) -> None:
    service = chain.registry.functions.serviceIdOf
    assert service(FAMILY_CARD, PURPOSE, CLAIMS).call() == SERVICE
    chain.send(register(chain), by=chain.registrar)
    for other in (
        service(RESIDENCE, PURPOSE, CLAIMS),
        service(FAMILY_CARD, CLAIMS, CLAIMS),
        service(FAMILY_CARD, PURPOSE, PURPOSE),
    ):
        assert not is_registered(chain, chain.now(), other.call())
    assert not chain.registry.functions.isRegistered(WELFARE, SERVICE, chain.now()).call(), (
        "another verifier"
    )


def test_nobody_registers_without_the_role(chain: Chain) -> None:
    role = chain.registry.functions.REGISTRAR_ROLE().call()
    for caller in (chain.root, chain.accreditor, chain.outsider):
        assert chain.refusal(register(chain), by=caller) == Refusal(
            "AccessControlUnauthorizedAccount", (caller, role)
        )


def test_a_registrar_whose_role_root_took_registers_and_revokes_nothing(chain: Chain) -> None:
    chain.send(register(chain), by=chain.registrar)
    registry = chain.registry.functions
    role = registry.REGISTRAR_ROLE().call()
    chain.send(registry.revokeRole(role, chain.registrar), by=chain.root)
    assert chain.refusal(register(chain), by=chain.registrar).name == (
        "AccessControlUnauthorizedAccount"
    )
    assert chain.refusal(revoke_service(chain), by=chain.registrar) == Refusal(
        "NotRootNorRegistrar", (chain.registrar,)
    )
    chain.send(revoke_service(chain), by=chain.root)


def test_refuses_missing_identifiers_and_wrong_periods(chain: Chain) -> None:
    now = chain.now()
    registry = chain.registry.functions
    full = (LIBRARY, FAMILY_CARD, PURPOSE, CLAIMS)
    for missing in range(4):
        ids = [NONE if i == missing else value for i, value in enumerate(full)]
        function = registry.registerVerifier(*ids, 0, now + YEAR)
        assert chain.refusal(function, by=chain.registrar) == Refusal("ZeroIdentifier")
    for function, refused in (
        (register(chain, until=now), Refusal("EmptyPeriod", (now, now))),
        (register(chain, since=now - 1), Refusal("BackdatedAccreditation", (now - 1, now))),
    ):
        assert chain.refusal(function, by=chain.registrar) == refused
    chain.send(register(chain), by=chain.registrar)
    assert chain.refusal(register(chain), by=chain.registrar) == Refusal("ScopeStillOpen", (0,))


def test_a_revocation_reaches_back_and_history_is_kept(chain: Chain) -> None:
    chain.send(register(chain, until=chain.now() + YEAR), by=chain.registrar)
    since = chain.now()
    chain.travel_to(since + 1000)
    receipt = chain.send(revoke_service(chain, since + 100), by=chain.registrar)
    assert chain.event("VerifierRevoked", receipt) == {
        "verifierId": LIBRARY,
        "serviceId": SERVICE,
        "by": chain.registrar,
        "scopeIndex": 0,
        "revokedAt": since + 100,
    }
    assert is_registered(chain, since + 99)
    assert not is_registered(chain, since + 100)
    assert chain.refusal(revoke_service(chain), by=chain.root).name == "RevocationNotEarlier"
    chain.send(register(chain), by=chain.registrar)
    again = chain.now()
    scopes = chain.registry.functions.verifierScopes(LIBRARY, SERVICE).call()
    assert [tuple(scope) for scope in scopes] == [
        (NOBODY, since, since - 1 + YEAR, since + 100),
        (NOBODY, again, again - 1 + YEAR, 0),
    ]


def test_refuses_to_revoke_what_was_never_registered(chain: Chain) -> None:
    assert chain.refusal(revoke_service(chain), by=chain.registrar) == Refusal(
        "UnknownScope", (0,)
    )
