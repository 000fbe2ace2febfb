"""The contracts in force, by name and version; nothing on the list is ever replaced."""

from eth_utils.crypto import keccak
from web3.contract import Contract
from web3.contract.contract import ContractFunction

from tests.contracts.chain import Chain, Refusal, artifact

BOARD = b"BallotBoard".ljust(32, b"\0")
ROOT_ROLE = bytes(32)


def code_hash(chain: Chain, contract: Contract) -> bytes:
    return keccak(chain.w3.eth.get_code(contract.address))


def listing(chain: Chain, contract: Contract, name: bytes = BOARD) -> ContractFunction:
    return chain.directory.functions.list(name, contract.address, code_hash(chain, contract))


def entry(chain: Chain, version: int) -> tuple[object, ...]:
    return tuple(chain.directory.functions.entryOf(BOARD, version).call())


def test_root_lists_versions_that_stay(chain: Chain) -> None:
    other = chain.deploy("BallotBoard")
    times = []
    for version, contract in ((1, chain.boards), (2, other)):
        receipt = chain.send(listing(chain, contract), by=chain.root)
        times.append(chain.now())
        assert chain.event("ContractListed", receipt) == {
            "name": BOARD,
            "version": version,
            "location": contract.address,
            "codeHash": code_hash(chain, contract),
        }
    receipt = chain.send(chain.directory.functions.deprecate(BOARD, 1), by=chain.root)
    assert chain.event("ContractDeprecated", receipt) == {"name": BOARD, "version": 1}
    assert chain.directory.functions.versionsOf(BOARD).call() == 2
    assert chain.directory.functions.names().call() == [BOARD]
    listed = code_hash(chain, chain.boards)
    assert entry(chain, 1) == (chain.boards.address, times[0], chain.now(), listed)
    assert entry(chain, 2) == (other.address, times[1], 0, listed)


def test_the_code_hash_of_a_contract_without_immutables_is_that_of_the_artifact(
    chain: Chain,
) -> None:
    runtime = bytes.fromhex(artifact("BallotBoard")["deployedBytecode"].removeprefix("0x"))
    assert keccak(runtime) == code_hash(chain, chain.boards)


def test_the_code_hash_tells_which_registry_an_anchor_was_deployed_with(chain: Chain) -> None:
    registry = chain.deploy("TrustRegistry", 0, chain.root)
    other = chain.deploy("CredentialAnchor", registry.address)
    assert code_hash(chain, other) != code_hash(chain, chain.anchor)


def test_nobody_else_lists_or_deprecates(chain: Chain) -> None:
    chain.send(listing(chain, chain.boards), by=chain.root)
    refused = Refusal("AccessControlUnauthorizedAccount", (chain.outsider, ROOT_ROLE))
    for function in (
        listing(chain, chain.dids),
        chain.directory.functions.deprecate(BOARD, 1),
    ):
        assert chain.refusal(function, by=chain.outsider) == refused


def test_refuses_what_is_not_the_approved_contract(chain: Chain) -> None:
    functions = chain.directory.functions
    real = code_hash(chain, chain.boards)
    address = chain.boards.address
    for function, refused in (
        (functions.list(bytes(32), address, real), Refusal("EmptyName")),
        (functions.list(BOARD, chain.outsider, real), Refusal("NoCode", (chain.outsider,))),
        (
            functions.list(BOARD, address, code_hash(chain, chain.dids)),
            Refusal("CodeHashMismatch", (address, real)),
        ),
    ):
        assert chain.refusal(function, by=chain.root) == refused
    chain.send(listing(chain, chain.boards), by=chain.root)
    assert chain.refusal(listing(chain, chain.boards), by=chain.root) == Refusal(
        "AlreadyListed", (BOARD, address)
    )


def test_refuses_versions_that_are_not_there_and_to_deprecate_twice(chain: Chain) -> None:
    functions = chain.directory.functions
    chain.send(listing(chain, chain.boards), by=chain.root)
    for version in (0, 2):
        refused = Refusal("UnknownVersion", (BOARD, version))
        assert chain.refusal(functions.entryOf(BOARD, version), by=chain.root) == refused
        assert chain.refusal(functions.deprecate(BOARD, version), by=chain.root) == refused
    chain.send(functions.deprecate(BOARD, 1), by=chain.root)
    assert chain.refusal(functions.deprecate(BOARD, 1), by=chain.root) == Refusal(
        "AlreadyDeprecated", (BOARD, 1)
    )
