"""did:ethr from changes alone: identifiers, documents, keys at a moment. Beside the npm resolver:
tests/interop/test_ethr_did_peers.py."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.crypto.ethereum import address_of_public_key, checksum_address, keccak256
from wallet.crypto.keys import KeyMalformed
from wallet.did.did_ethr import (
    ChangeKind,
    DidChange,
    DidNetworkUnknown,
    EthrHistory,
    EthrIdentifier,
    parse_did_ethr,
)
from wallet.did.document import KeyNotAuthorized
from wallet.did.ethr_document import ethr_document, keys_at
from wallet.did.syntax import DidMalformed
from wallet.encoding.json import to_json

ADDRESS = "0x" + "ab" * 20
DID = f"did:ethr:0x7a69:{ADDRESS}"
# SEC 2: the base point of secp256k1, the public key of the secret 1
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
GENERATOR_ADDRESS = "7e5f4552091a69125d5dfcb7b8c2659029395bdf"
ED25519 = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
LATE = 2**40


def attribute(name: str, value: bytes, *, at: int = 100, valid_to: int = LATE) -> DidChange:
    return DidChange(
        ADDRESS, at, 0, at, ChangeKind.ATTRIBUTE, name.encode().ljust(32, b"\0"), value, valid_to
    )


def owner(address: bytes, *, at: int) -> DidChange:
    return DidChange(ADDRESS, at, 0, at, ChangeKind.OWNER, bytes(32), address, 0)


def history(*changes: DidChange) -> EthrHistory:
    return EthrHistory(parse_did_ethr(DID), changes)


def test_keccak_is_not_sha3() -> None:
    empty = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"").hex() == empty


@pytest.mark.parametrize(
    "address",
    [
        # EIP-55, test cases
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_the_capitals_of_an_address_are_its_checksum(address: str) -> None:
    assert checksum_address(bytes.fromhex(address[2:])) == address
    assert parse_did_ethr(f"did:ethr:{address}").chain_id == 1
    swapped = "0x" + address[2:].swapcase()
    if address[2:] not in (address[2:].upper(), address[2:].lower()):
        with pytest.raises(DidMalformed):
            parse_did_ethr(f"did:ethr:{swapped}")


def test_a_public_key_names_the_address_that_follows_from_it() -> None:
    assert address_of_public_key(GENERATOR).hex() == GENERATOR_ADDRESS
    found = parse_did_ethr(f"did:ethr:sepolia:0x{GENERATOR.hex()}")
    assert found == EthrIdentifier(
        found.did, 11155111, bytes.fromhex(GENERATOR_ADDRESS), GENERATOR
    )
    with pytest.raises(KeyMalformed):
        address_of_public_key(b"\x02" + b"\xff" * 32)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("did:web:issuer.example", DidMalformed),
        ("did:ethr:0x1234", DidMalformed),
        ("did:ethr:" + "ab" * 20, DidMalformed),
        ("did:ethr:0x05" + "11" * 32, DidMalformed),
        (f"did:ethr:0x0:{ADDRESS}", DidNetworkUnknown),
        (f"did:ethr:0x01:{ADDRESS}", DidNetworkUnknown),
        (f"did:ethr:0x7A69:{ADDRESS}", DidNetworkUnknown),
        (f"did:ethr:elsewhere:{ADDRESS}", DidNetworkUnknown),
    ],
)
def test_other_identifiers_are_refused(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        parse_did_ethr(text)


def test_a_document_without_changes_is_the_account_alone() -> None:
    found = ethr_document(parse_did_ethr(DID), (), now=100)
    assert found.document["authentication"] == [f"{DID}#controller"]
    assert found.document["verificationMethod"][0]["blockchainAccountId"] == (
        "eip155:31337:" + checksum_address(bytes.fromhex(ADDRESS[2:]))
    )
    assert found.metadata == {}


def test_the_version_of_a_block_leaves_out_what_came_later() -> None:
    changes = (
        attribute("did/svc/Hub", b"https://hub.example", at=100),
        attribute("did/svc/Hub", b"https://other.example", at=200),
    )
    found = ethr_document(parse_did_ethr(DID), changes, now=150, block_number=150)
    assert len(found.document["service"]) == 1
    assert found.metadata == {
        "versionId": "100",
        "updated": "1970-01-01T00:01:40Z",
        "nextVersionId": "200",
        "nextUpdate": "1970-01-01T00:03:20Z",
    }


def test_a_key_is_authorized_from_its_change_until_it_ends() -> None:
    kid = f"{DID}#delegate-1"
    key = attribute("did/pub/Ed25519/veriKey/base64", ED25519, valid_to=300)
    for changes, authorized, refused in (
        ((key,), (100, 299), (99, 300)),
        ((key, replace(key, at=200, valid_to=0)), (100, 199), (200, 250)),
        ((key, owner(bytes(20), at=200)), (100, 199), (200, 250)),
        ((key, owner(b"\x01" * 20, at=200)), (100, 250), (300,)),
    ):
        for at in authorized:
            assert keys_at(history(*changes), at).key_for(kid, "assertionMethod").jwk["crv"]
        for at in refused:
            with pytest.raises(KeyNotAuthorized):
                keys_at(history(*changes), at).key_for(kid, "assertionMethod")


def test_a_key_for_encryption_signs_nothing_and_broken_keys_are_none() -> None:
    changes = (
        attribute("did/pub/Ed25519/enc/base64", ED25519),
        attribute("did/pub/Secp256k1/veriKey/hex", b"\x02" + b"\xff" * 32),
        attribute("did/pub/Ed25519/veriKey/hex", ED25519 + b"\0"),
        attribute("did/pub/RSA/veriKey/pem", b"-----BEGIN"),
    )
    for number in range(1, 5):
        with pytest.raises(KeyNotAuthorized):
            keys_at(history(*changes), 100).key_for(f"#delegate-{number}", "assertionMethod")


@given(
    st.lists(
        st.builds(
            DidChange,
            st.just(ADDRESS),
            st.integers(0, 9),
            st.integers(0, 9),
            st.integers(0, 2**34),
            st.sampled_from(ChangeKind),
            st.one_of(
                st.binary(min_size=32, max_size=32),
                st.sampled_from(
                    [
                        b"did/pub/Ed25519/veriKey/base58",
                        b"did/svc/A",
                        b"did/pub/RSA/sigAuth/pem",
                        b"veriKey",
                    ]
                ).map(lambda name: name.ljust(32, b"\0")),
            ),
            st.one_of(st.binary(max_size=64), st.just(b"[" * 2000), st.just(b'"\\ud800"')),
            st.integers(0, 2**63 - 1),
        ),
        max_size=12,
    )
)
def test_whatever_a_registry_holds_makes_a_json_document(changes: list[DidChange]) -> None:
    found = ethr_document(parse_did_ethr(DID), changes, now=5)
    assert to_json(found.document)
    assert found.metadata is not None
    keys_at(history(*changes), 5)
