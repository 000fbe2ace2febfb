"""did:ethr identifiers after ERC-1056, with signatures that say where, once and until when."""

from typing import Any

import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.abi import abi_to_signature
from web3.contract.contract import ContractFunction

from tests.contracts.chain import Chain, Refusal

NOBODY = "0x" + "00" * 20
HOUR = 3600
VERI_KEY = b"veriKey".ljust(32, b"\0")
KEY_NAME = b"did/pub/Secp256k1/veriKey/hex".ljust(32, b"\0")
KEY = bytes.fromhex("02b97c30de767f084ce3080168ee293053ba33b235d7116a3263d29f1450936b71")
TYPES = {
    "ChangeOwner": [("identity", "address"), ("newOwner", "address")],
    "AddDelegate": [
        ("identity", "address"),
        ("delegateType", "bytes32"),
        ("delegate", "address"),
        ("validity", "uint256"),
    ],
    "RevokeDelegate": [
        ("identity", "address"),
        ("delegateType", "bytes32"),
        ("delegate", "address"),
    ],
    "SetAttribute": [
        ("identity", "address"),
        ("name", "bytes32"),
        ("value", "bytes"),
        ("validity", "uint256"),
    ],
    "RevokeAttribute": [("identity", "address"), ("name", "bytes32"), ("value", "bytes")],
}


@pytest.fixture
def holder() -> LocalAccount:
    account: LocalAccount = Account.from_key("0x" + "a1" * 32)  # synthetic
    return account


def signed(
    chain: Chain,
    holder: LocalAccount,
    kind: str,
    *args: Any,
    nonce: int = 0,
    deadline: int,
    **domain: Any,
) -> ContractFunction:
    """The call `kind` + "Signed" with a signature by an independent EIP-712 library."""
    fields = [*TYPES[kind], ("nonce", "uint256"), ("deadline", "uint256")]
    values = [holder.address, *args, nonce, deadline]
    signature = holder.sign_typed_data(
        domain_data={
            "name": "EthereumDIDRegistry",
            "version": "1",
            "chainId": chain.w3.eth.chain_id,
            "verifyingContract": chain.dids.address,
            **domain,
        },
        message_types={kind: [{"name": name, "type": type_} for name, type_ in fields]},
        message_data={name: value for (name, _), value in zip(fields, values, strict=True)},
    ).signature
    function = chain.dids.functions[kind[0].lower() + kind[1:] + "Signed"]
    return function(holder.address, *args, deadline, bytes(signature))


def test_the_events_are_those_of_erc_1056(chain: Chain) -> None:
    events = {abi_to_signature(i) for i in chain.dids.abi if i["type"] == "event"}
    assert events - {"EIP712DomainChanged()"} == {
        "DIDOwnerChanged(address,address,uint256)",
        "DIDDelegateChanged(address,bytes32,address,uint256,uint256)",
        "DIDAttributeChanged(address,bytes32,bytes,uint256,uint256)",
    }


def test_the_views_are_those_of_erc_1056(chain: Chain) -> None:
    views = {
        abi_to_signature(i)
        for i in chain.dids.abi
        if i["type"] == "function" and i["stateMutability"] == "view"
    }
    assert views >= {
        "identityOwner(address)",
        "validDelegate(address,bytes32,address)",
        "changed(address)",
        "nonce(address)",
    }


def test_a_resolver_walks_the_events_backwards(chain: Chain) -> None:
    me, dids = chain.controller, chain.dids.functions
    sent = [
        chain.send(function, by=me)["blockNumber"]
        for function in (
            dids.setAttribute(me, KEY_NAME, KEY, HOUR),
            dids.addDelegate(me, VERI_KEY, chain.rival, HOUR),
            dids.changeOwner(me, chain.outsider),
        )
    ]
    walked = []
    block = dids.changed(me).call()
    while block:
        walked.append(block)
        (log,) = chain.w3.eth.get_logs(
            {"fromBlock": block, "toBlock": block, "address": chain.dids.address}
        )
        event = next(
            chain.dids.events[name]().process_log(log)
            for name in ("DIDAttributeChanged", "DIDDelegateChanged", "DIDOwnerChanged")
            if bytes(log["topics"][0]) == bytes.fromhex(chain.dids.events[name]().topic[2:])
        )
        block = event["args"]["previousChange"]
    assert walked == sent[::-1]


def test_nobody_but_the_owner_changes_an_identity(chain: Chain) -> None:
    me, dids = chain.controller, chain.dids.functions
    refused = Refusal("NotOwner", (chain.outsider, me))
    for function in (
        dids.changeOwner(me, chain.outsider),
        dids.addDelegate(me, VERI_KEY, chain.outsider, HOUR),
        dids.revokeDelegate(me, VERI_KEY, chain.outsider),
        dids.setAttribute(me, KEY_NAME, KEY, HOUR),
        dids.revokeAttribute(me, KEY_NAME, KEY),
    ):
        assert chain.refusal(function, by=chain.outsider) == refused


def test_an_identity_handed_on_obeys_its_new_owner_alone(chain: Chain) -> None:
    me, dids = chain.controller, chain.dids.functions
    chain.send(dids.changeOwner(me, chain.outsider), by=me)
    assert dids.identityOwner(me).call() == chain.outsider
    back = dids.changeOwner(me, me)
    assert chain.refusal(back, by=me) == Refusal("NotOwner", (me, me))
    chain.send(back, by=chain.outsider)


def test_a_deactivated_identity_never_changes_again(chain: Chain) -> None:
    me, dids = chain.controller, chain.dids.functions
    chain.send(dids.addDelegate(me, VERI_KEY, chain.rival, HOUR), by=me)
    assert dids.validDelegate(me, VERI_KEY, chain.rival).call()
    chain.send(dids.changeOwner(me, NOBODY), by=me)
    assert dids.identityOwner(me).call() == NOBODY
    assert not dids.validDelegate(me, VERI_KEY, chain.rival).call()
    for caller in (me, NOBODY):
        assert chain.refusal(dids.changeOwner(me, me), by=caller) == Refusal("Deactivated", (me,))


def test_every_signed_variant_takes_the_owners_signature(
    chain: Chain, holder: LocalAccount
) -> None:
    deadline = chain.now() + 100
    steps: list[tuple[str, tuple[Any, ...]]] = [
        ("SetAttribute", (KEY_NAME, KEY, HOUR)),
        ("RevokeAttribute", (KEY_NAME, KEY)),
        ("AddDelegate", (VERI_KEY, chain.rival, HOUR)),
        ("RevokeDelegate", (VERI_KEY, chain.rival)),
        ("ChangeOwner", (chain.rival,)),
    ]
    for nonce, (kind, args) in enumerate(steps):
        function = signed(chain, holder, kind, *args, nonce=nonce, deadline=deadline)
        chain.send(function, by=chain.outsider)
    assert chain.dids.functions.nonce(holder.address).call() == len(steps)
    assert chain.dids.functions.identityOwner(holder.address).call() == chain.rival


def test_a_signature_is_used_once(chain: Chain, holder: LocalAccount) -> None:
    function = signed(
        chain, holder, "SetAttribute", KEY_NAME, KEY, HOUR, deadline=chain.now() + 99
    )
    chain.send(function, by=chain.outsider)
    assert chain.refusal(function, by=chain.outsider) == Refusal(
        "SignatureNotOwners", (holder.address, holder.address)
    )


@pytest.mark.parametrize(
    "domain",
    [
        {"chainId": 1},
        {"verifyingContract": "0x" + "11" * 20},
        {"version": "2"},
        {"name": "AnotherRegistry"},
    ],
)
def test_a_signature_for_another_chain_contract_or_version_is_refused(
    chain: Chain, holder: LocalAccount, domain: dict[str, Any]
) -> None:
    deadline = chain.now() + 100
    function = signed(chain, holder, "ChangeOwner", chain.rival, deadline=deadline, **domain)
    assert chain.refusal(function, by=chain.outsider).name == "SignatureNotOwners"


def test_a_signature_after_its_deadline_is_refused(chain: Chain, holder: LocalAccount) -> None:
    deadline = chain.now()
    chain.travel_to(deadline + 1)
    function = signed(chain, holder, "ChangeOwner", chain.rival, deadline=deadline)
    assert chain.refusal(function, by=chain.outsider) == Refusal(
        "SignatureExpired", (deadline, deadline + 1)
    )


def test_a_signature_of_a_former_owner_or_over_another_argument_is_refused(
    chain: Chain, holder: LocalAccount
) -> None:
    deadline = chain.now() + 100
    good = signed(chain, holder, "ChangeOwner", chain.rival, deadline=deadline)
    identity, _, *rest = good.args
    other = chain.dids.functions.changeOwnerSigned(identity, chain.outsider, *rest)
    assert chain.refusal(other, by=chain.outsider).name == "SignatureNotOwners"
    chain.send(good, by=chain.outsider)
    late = signed(chain, holder, "ChangeOwner", chain.outsider, nonce=1, deadline=deadline)
    assert chain.refusal(late, by=chain.outsider) == Refusal(
        "SignatureNotOwners", (chain.rival, holder.address)
    )


def test_validity_and_value_are_bounded(chain: Chain) -> None:
    me, dids = chain.controller, chain.dids.functions
    longest, largest = dids.MAX_VALIDITY_S().call(), dids.MAX_VALUE_BYTES().call()
    chain.send(dids.setAttribute(me, KEY_NAME, b"x" * largest, longest), by=me)
    for function, refused in (
        (
            dids.setAttribute(me, KEY_NAME, KEY, longest + 1),
            Refusal("ValidityTooLong", (longest + 1,)),
        ),
        (
            dids.addDelegate(me, VERI_KEY, chain.rival, 2**256 - 1),
            Refusal("ValidityTooLong", (2**256 - 1,)),
        ),
        (
            dids.revokeAttribute(me, KEY_NAME, b"x" * (largest + 1)),
            Refusal("ValueTooLong", (largest + 1,)),
        ),
    ):
        assert chain.refusal(function, by=me) == refused
