"""What was verified once is not computed again, and counts only under the key of the moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.credentials import ISSUER, NOW, STATUS_URI, World, policy
from tests.unit.verification.test_issuer_keys import HTTPS, Surroundings, metadata_of
from wallet.credentials.jose import (
    MAX_REMEMBERED_BYTES,
    _verify_once,
    parse_compact_jws,
    sign_jws,
    verify_jws_once,
)
from wallet.credentials.sd_jwt_json import parse_presented_sd_jwt
from wallet.crypto.keys import Es256SigningKey, PublicKey, SignatureInvalid
from wallet.evidence import FactSources, collect
from wallet.status.token_status_list import TokenStatusList
from wallet.verification.checked_lists import CheckedList, ListName, checked_lists
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.issuer_key import KeyHint
from wallet.verification.pipeline import verify_presentation
from wallet.verification.proof_steps import CredentialExpired
from wallet.verification.status import VerifiedStatusList, verify_status_list_token
from wallet.verification.trust_steps import CredentialRevoked


def hits() -> int:
    return _verify_once.cache_info().hits


def test_a_credential_that_comes_again_costs_one_signature_less() -> None:
    world = World()
    issued = world.issue()
    for expected in (0, 1, 2):
        before = hits()
        verify_presentation(world.present(issued), world.evidence(), policy(), now=NOW)
        assert hits() - before == min(expected, 1)


def test_a_remembered_credential_is_judged_anew_each_time() -> None:
    world = World()
    presentation = world.present(world.issue())
    good = world.evidence()
    verify_presentation(presentation, good, policy(), now=NOW)
    assert isinstance(good.status_list, Fact)
    listed = good.status_list.value
    data = bytes([0x55]) * len(listed.entries.data)
    revoked = replace(listed, entries=TokenStatusList(listed.entries.bits, data))
    withdrawn = replace(good, status_list=Fact(revoked, good.status_list.as_of))
    with pytest.raises(CredentialRevoked):
        verify_presentation(presentation, withdrawn, policy(), now=NOW)
    other = Evidence(
        Fact(Es256SigningKey.generate().public_key, NOW),
        good.anchor,
        good.status_list,
        good.manifest,
    )
    with pytest.raises(SignatureInvalid):
        verify_presentation(presentation, other, policy(), now=NOW)
    later = policy(max_replica_age_s=10**10, max_issuer_keys_age_s=10**10)
    with pytest.raises(CredentialExpired):
        verify_presentation(presentation, good, later, now=NOW + 10**9)


def test_what_does_not_verify_is_not_remembered() -> None:
    key, stranger = Es256SigningKey.generate(), Es256SigningKey.generate()
    jws = parse_compact_jws(sign_jws(key, {"typ": "t"}, {"a": 1}), typ="t")
    size = _verify_once.cache_info().currsize
    for _ in range(2):
        with pytest.raises(SignatureInvalid):
            verify_jws_once(jws, stranger.public_key)
    assert _verify_once.cache_info().currsize == size
    verify_jws_once(jws, key.public_key)
    with pytest.raises(SignatureInvalid):
        verify_jws_once(jws._replace(signature=bytes(64)), key.public_key)
    with pytest.raises(SignatureInvalid):
        verify_jws_once(jws._replace(signing_input=jws.signing_input + b"A"), key.public_key)
    with pytest.raises(SignatureInvalid):
        verify_jws_once(jws._replace(header={"alg": "ES384"}), key.public_key)


def test_a_long_token_is_verified_and_not_remembered() -> None:
    key = Es256SigningKey.generate()
    token = sign_jws(key, {"typ": "t"}, {"a": "x" * MAX_REMEMBERED_BYTES})
    before = hits()
    for _ in range(2):
        verify_jws_once(parse_compact_jws(token, typ="t"), key.public_key)
    assert hits() == before


def status_of(around: Surroundings, sources: FactSources) -> Fact[VerifiedStatusList] | Exception:
    evidence = collect(parse_presented_sd_jwt(around.presentation()), sources)
    assert isinstance(evidence.status_list, Fact | Exception)
    return evidence.status_list


def test_a_status_list_is_unpacked_once_until_another_is_published() -> None:
    around = Surroundings()
    sources = around.sources
    first, again = status_of(around, sources), status_of(around, sources)
    assert isinstance(first, Fact)
    assert isinstance(again, Fact)
    assert first.value is again.value
    around.publish_status({"kid": "key-1"})
    fresh = status_of(around, sources)
    assert isinstance(fresh, Fact)
    assert fresh.value is not first.value


def test_a_kept_status_list_counts_no_more_when_the_issuers_key_was_replaced() -> None:
    around = Surroundings()
    sources = around.sources
    assert isinstance(status_of(around, sources), Fact)
    replaced = metadata_of(around.world, **{"key-1": Es256SigningKey.generate().public_key})
    around.metadata._published[HTTPS] = replaced
    assert isinstance(status_of(around, sources), SignatureInvalid)


def checked(size: int, key: PublicKey) -> CheckedList:
    listed = VerifiedStatusList(
        STATUS_URI, ISSUER, NOW, None, None, TokenStatusList(8, bytes(size)), bytes(32)
    )
    return CheckedList(KeyHint(None, None), key, listed)


def test_lists_are_kept_up_to_a_size_in_bytes() -> None:
    key = Es256SigningKey.generate().public_key
    kept = checked_lists(limit_bytes=100)
    one, two = (ListName.of(token, STATUS_URI, ISSUER) for token in (b"one", b"two"))
    kept.put(one, checked(50, key))
    kept.put(two, checked(51, key))
    assert kept.get(one) is None
    assert kept.get(two) is not None


def test_a_token_is_found_by_all_of_its_bytes() -> None:
    world = World()
    token = world.status_token()
    keys = world.issuer_key.public_key
    listed = verify_status_list_token(token, uri=STATUS_URI, issuer=ISSUER, issuer_keys=keys)
    kept, name = checked_lists(), ListName.of(token, STATUS_URI, ISSUER)
    kept.put(name, CheckedList(KeyHint(None, None), keys, listed))
    assert kept.get(name) is not None
    assert kept.get(ListName.of(token[:-1], STATUS_URI, ISSUER)) is None
    assert kept.get(ListName.of(token, STATUS_URI + "1", ISSUER)) is None
    assert kept.get(ListName.of(token, STATUS_URI, "did:web:other.example")) is None
