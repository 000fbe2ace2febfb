"""Calls of the contracts with the arguments most tests use: WELFARE, the family card, a year."""

import hashlib

from web3.contract.contract import ContractFunction

from tests.contracts.chain import BUS_PASS, FAMILY_CARD, WELFARE, YEAR, Chain, sha256

LIBRARY = sha256("did:web:library.seoul.example")
PURPOSE = sha256("reduced fee for families with several children")
CLAIMS = sha256('[["children"],["valid_until"]]')
SERVICE = hashlib.sha256(FAMILY_CARD + PURPOSE + CLAIMS).digest()
EMPTY_ROOT = sha256("")
TALLY = sha256("tally")


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


def register(chain: Chain, since: int = 0, until: int | None = None) -> ContractFunction:
    return chain.registry.functions.registerVerifier(
        LIBRARY,
        FAMILY_CARD,
        PURPOSE,
        CLAIMS,
        since,
        chain.now() + YEAR if until is None else until,
    )


def revoke_service(chain: Chain, effective_at: int = 0) -> ContractFunction:
    return chain.registry.functions.revokeVerifier(LIBRARY, SERVICE, effective_at)


class Vote:
    """A board that opens in ten seconds for a thousand, with a hundred to flush."""

    election = sha256("participatory budget 2034")
    manifest = sha256("signed manifest")

    def __init__(self, chain: Chain) -> None:
        self.organiser, self.operator = chain.other_controller, chain.controller
        self.opens = chain.now() + 10
        self.closes = self.opens + 1000
        self.grace = 100
        self.functions = chain.boards.functions
        self.board = bytes(self.functions.boardIdOf(self.organiser, self.election).call())

    def root(self, size: int) -> bytes:
        return sha256(f"board of {size}") if size else EMPTY_ROOT

    def open(self) -> ContractFunction:
        return self.functions.openBoard(
            self.election, self.operator, self.manifest, self.opens, self.closes, self.grace
        )

    def checkpoint(self, old_size: int, size: int, root: bytes | None = None) -> ContractFunction:
        return self.functions.checkpoint(
            self.board, old_size, size, self.root(old_size), root or self.root(size)
        )

    def seal(self, size: int) -> ContractFunction:
        return self.functions.seal(self.board, size, self.root(size), TALLY)
