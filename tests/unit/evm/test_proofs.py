"""Trie proofs, against the trie of py-evm as the oracle."""

import pytest
import rlp
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from wallet.adapters.evm.proofs import (
    EMPTY_TRIE_ROOT,
    ProofInvalid,
    verify_storage_proof,
    verify_trie_value,
)
from wallet.errors import SeoulWalletError, UnavailableError

CONTENTS = st.dictionaries(
    st.binary(min_size=1, max_size=32), st.binary(min_size=1, max_size=64), max_size=24
)
ADDRESS = "0x" + "ab" * 20
SLOT = bytes(32)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x00"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["accountProof", "storageProof", "proof"]), inner)
    ),
    max_leaves=8,
)


def trie_of(contents: dict[bytes, bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for key, value in contents.items():
        trie[keccak(key)] = value
    return trie


def proof_of(trie: HexaryTrie, key: bytes) -> list[bytes]:
    """The nodes that stand for themselves: one shorter than a hash is inside its parent."""
    nodes = [rlp.encode(node) for node in trie.get_proof(keccak(key))]
    return [node for i, node in enumerate(nodes) if i == 0 or len(node) >= 32]


def hexadecimal(nodes: list[bytes]) -> list[str]:
    return ["0x" + node.hex() for node in nodes]


@given(CONTENTS, st.binary(min_size=1, max_size=32))
def test_what_a_proof_shows_is_what_the_trie_holds(
    contents: dict[bytes, bytes], absent: bytes
) -> None:
    trie = trie_of(contents)
    for key in {*contents, absent}:
        expected = contents.get(key, b"")
        assert verify_trie_value(trie.root_hash, key, proof_of(trie, key)) == expected


@given(CONTENTS.filter(bool), st.data())
def test_a_proof_that_is_cut_short_or_altered_shows_nothing(
    contents: dict[bytes, bytes], data: st.DataObject
) -> None:
    trie = trie_of(contents)
    key = data.draw(st.sampled_from(sorted(contents)))
    proof = proof_of(trie, key)
    for short in range(len(proof)):
        with pytest.raises(ProofInvalid):
            verify_trie_value(trie.root_hash, key, proof[:short])
    place = data.draw(st.integers(0, len(proof) - 1))
    bit = data.draw(st.integers(0, 8 * len(proof[place]) - 1))
    altered = bytearray(proof[place])
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ProofInvalid):
        verify_trie_value(
            trie.root_hash, key, [*proof[:place], bytes(altered), *proof[place + 1 :]]
        )


@given(CONTENTS, st.lists(st.binary(max_size=64), max_size=4), st.binary(max_size=32))
def test_any_nodes_are_a_value_of_the_trie_or_refused(
    contents: dict[bytes, bytes], nodes: list[bytes], key: bytes
) -> None:
    trie = trie_of(contents)
    try:
        found = verify_trie_value(trie.root_hash, key, nodes)
    except ProofInvalid:
        return
    assert found == contents.get(key, b"")


def answer(slot_value: int | None) -> tuple[bytes, dict[str, object]]:
    storage = trie_of({} if slot_value is None else {SLOT: rlp.encode(slot_value)})
    account = rlp.encode([1, 0, storage.root_hash, b"\xcc" * 32])
    state = trie_of({bytes.fromhex(ADDRESS[2:]): account, b"another": b"account" * 9})
    proof = proof_of(state, bytes.fromhex(ADDRESS[2:]))
    return state.root_hash, {
        "accountProof": hexadecimal(proof),
        "storageProof": [{"proof": hexadecimal(proof_of(storage, SLOT)) if slot_value else []}],
    }


@pytest.mark.parametrize("value", [None, 1, 2**256 - 1])
def test_a_slot_is_read_with_the_hash_of_the_code(value: int | None) -> None:
    root, honest = answer(value)
    proven = verify_storage_proof(honest, root, ADDRESS, SLOT)
    assert int.from_bytes(proven.value, "big") == (value or 0)
    assert proven.code_hash == b"\xcc" * 32


def test_a_proof_for_another_state_contract_or_slot_is_refused() -> None:
    root, honest = answer(7)
    for state_root in (bytes(32), EMPTY_TRIE_ROOT, answer(8)[0]):
        with pytest.raises(ProofInvalid):
            verify_storage_proof(honest, state_root, ADDRESS, SLOT)
    with pytest.raises(ProofInvalid):
        verify_storage_proof(honest, root, "0x" + "cd" * 20, SLOT)
    assert verify_storage_proof(honest, root, ADDRESS, b"\1" * 32).value == bytes(32)


STATE_ROOT = answer(1)[0]


@given(JSON_VALUES)
def test_any_answer_is_a_typed_error(value: object) -> None:
    with pytest.raises(SeoulWalletError) as caught:
        verify_storage_proof(value, STATE_ROOT, ADDRESS, SLOT)
    assert isinstance(caught.value, UnavailableError)
