"""Calls of the contracts with the arguments most tests use: WELFARE, the family card, a year."""

from web3.contract.contract import ContractFunction

from tests.contracts.chain import BUS_PASS, FAMILY_CARD, WELFARE, YEAR, Chain, sha256


def accredit(
    chain: Chain,
    issuer_id: bytes = WELFARE,
    controller: str | None = None,
    schema_id: bytes = FAMILY_CARD,
    since: int = 0,
    until: int | None = None,
) -> ContractFunction:
    return chain.registry.functions.accreditIssuer(
        issuer_id,
        controller or chain.controller,
        schema_id,
        since,
        chain.now() + YEAR if until is None else until,
    )


def mandate(
    chain: Chain, accreditor: str, schema_id: bytes = BUS_PASS, since: int = 0, until: int = 0
) -> ContractFunction:
    return chain.registry.functions.accreditAccreditor(
        accreditor, schema_id, since, until or chain.now() + YEAR
    )


def revoke(
    chain: Chain, effective_at: int = 0, schema_id: bytes = FAMILY_CARD
) -> ContractFunction:
    return chain.registry.functions.revokeIssuer(WELFARE, schema_id, effective_at)


def is_accredited(chain: Chain, time: int, schema_id: bytes = FAMILY_CARD) -> bool:
    accredited = chain.registry.functions.isAccredited(WELFARE, schema_id, time).call()
    if time == chain.now():
        _, mandate_id = chain.registry.functions.currentAccreditation(WELFARE, schema_id).call()
        assert accredited == (mandate_id != 0), "the two views disagree about the present"
    return bool(accredited)


def scopes(chain: Chain, schema_id: bytes = FAMILY_CARD) -> list[tuple[str, int, int, int]]:
    found = chain.registry.functions.issuerScopes(WELFARE, schema_id).call()
    return [tuple(scope) for scope in found]


def anchor(
    chain: Chain,
    root: bytes,
    schema_id: bytes = FAMILY_CARD,
    size: int = 100,
    manifest: bytes | None = None,
    issuer_id: bytes = WELFARE,
) -> ContractFunction:
    return chain.anchor.functions.anchorBatch(
        issuer_id, schema_id, root, size, sha256("manifest") if manifest is None else manifest
    )


def revoke_batch(chain: Chain, root: bytes, issuer_id: bytes = WELFARE) -> ContractFunction:
    return chain.anchor.functions.revokeBatch(issuer_id, root)


def publish(
    chain: Chain,
    version: int,
    list_id: bytes,
    digest: bytes | None = None,
    expires: int | None = None,
    issuer_id: bytes = WELFARE,
) -> ContractFunction:
    return chain.anchor.functions.publishStatus(
        issuer_id,
        list_id,
        sha256(f"list version {version}") if digest is None else digest,
        version,
        chain.now() + YEAR if expires is None else expires,
    )
