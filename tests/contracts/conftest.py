"""One chain per module; every test starts from the same block."""

from collections.abc import Iterator

import pytest

from tests.contracts.chain import FAMILY_CARD, RESIDENCE, WELFARE, YEAR, Chain


@pytest.fixture(scope="module")
def deployed() -> Chain:
    """Root has accredited `accreditor` and `rival` for both schemas, for ten years, and given
    `suspender` and `registrar` their roles."""
    chain = Chain()
    roles = chain.registry.functions
    for role, holder in (
        (roles.SUSPENDER_ROLE().call(), chain.suspender),
        (roles.REGISTRAR_ROLE().call(), chain.registrar),
    ):
        chain.send(roles.grantRole(role, holder), by=chain.root)
    until = chain.now() + 10 * YEAR
    for schema in (FAMILY_CARD, RESIDENCE):
        for accreditor in (chain.accreditor, chain.rival):
            chain.send(
                chain.registry.functions.accreditAccreditor(accreditor, schema, 0, until),
                by=chain.root,
            )
    return chain


@pytest.fixture
def chain(deployed: Chain) -> Iterator[Chain]:
    snapshot = deployed.snapshot()
    yield deployed
    deployed.restore(snapshot)


@pytest.fixture
def accredited(chain: Chain) -> Chain:
    """The same, and `accreditor` has accredited WELFARE for the family card, for one year."""
    chain.send(
        chain.registry.functions.accreditIssuer(
            WELFARE, chain.controller, FAMILY_CARD, 0, chain.now() + YEAR
        ),
        by=chain.accreditor,
    )
    return chain
