"""Attacks on status lists (ST-1 to ST-9): bombs, cut streams, foreign, stale and older lists."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.support.cost import refused
from tests.support.credentials import ISSUER, NOW, STATUS_URI, World, policy
from wallet.credentials.cose import CoseMalformed, UnsupportedCoseAlgorithm, sign_cose_sign1
from wallet.credentials.jose import JwsMalformed, UnsupportedAlgorithm, sign_jws
from wallet.crypto.keys import Es256SigningKey, SignatureInvalid
from wallet.did.document import (
    DidDocument,
    KeyNotAuthorized,
    build_did_document,
    parse_did_document,
)
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.cbor import CborMalformed, to_cbor
from wallet.errors import SeoulWalletError
from wallet.ports.facts import StatusListUnavailable
from wallet.status.compression import StatusListMalformed
from wallet.status.token_status_list import (
    StatusIndexOutOfRange,
    TokenStatusList,
    parse_status_list_cbor,
    parse_status_list_claim,
    parse_status_reference,
)
from wallet.verification.evidence import Fact
from wallet.verification.pipeline import verify_presentation
from wallet.verification.proof_steps import FactsTooOld
from wallet.verification.status import (
    STATUS_LIST_CWT_TYPE,
    StatusListInvalid,
    VerifiedStatusList,
    sign_status_list_cwt,
    verify_status_list_token,
)
from wallet.verification.trust_steps import (
    CredentialRevoked,
    CredentialSuspended,
    StatusListSuperseded,
)

MIB = 1024 * 1024
MAX_MEMORY = 64 * MIB


def claim(compressed: bytes, bits: int = 1) -> dict[str, Any]:
    return {"bits": bits, "lst": base64url.encode(compressed)}


def test_st_1_a_bomb_is_refused_in_bounded_time_and_memory() -> None:
    compressed = zlib.compress(bytes(200 * MIB), 9)
    assert len(compressed) < 200 * 1024
    parse_status_list_claim(claim(zlib.compress(b"\0")))
    refused(StatusListMalformed, lambda: parse_status_list_claim(claim(compressed)))
    tracemalloc.start()
    try:
        with pytest.raises(StatusListMalformed):
            parse_status_list_claim(claim(compressed))
        with pytest.raises(StatusListMalformed):
            parse_status_list_cbor({"bits": 1, "lst": compressed})
        assert tracemalloc.get_traced_memory()[1] < MAX_MEMORY
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "compressed",
    [
        pytest.param(gzip.compress(bytes(16)), id="gzip in the zlib field"),
        pytest.param(gzip.compress(b"") * 200_000, id="200,000 gzip members"),
        pytest.param(zlib.compress(bytes(16))[:-1], id="cut by a byte"),
        pytest.param(zlib.compress(bytes(16))[:-5], id="without its checksum"),
        pytest.param(zlib.compress(bytes(16))[:3], id="cut early"),
        pytest.param(zlib.compress(bytes(16)) + b"\0", id="a byte behind"),
        pytest.param(zlib.compress(bytes(16)) * 2, id="two streams"),
        pytest.param(zlib.compress(bytes(16))[2:-4], id="bare deflate"),
        pytest.param(zlib.compress(b""), id="an empty list"),
        pytest.param(b"", id="nothing"),
        pytest.param(bytes(100), id="zeros"),
    ],
)
def test_st_2_3_5_a_list_is_one_whole_zlib_stream(compressed: bytes) -> None:
    refused(StatusListMalformed, lambda: parse_status_list_claim(claim(compressed)))
    refused(StatusListMalformed, lambda: parse_status_list_cbor({"bits": 1, "lst": compressed}))


@pytest.mark.parametrize("index", [-1, True, 1.0, "5", None, [5], 2**63])
def test_st_4_refuses_an_index_that_is_none(index: object) -> None:
    reference = {"status_list": {"idx": index, "uri": STATUS_URI}}
    if index == 2**63:
        entries = TokenStatusList.empty(1024)
        refused(
            StatusIndexOutOfRange,
            lambda: entries.status(parse_status_reference(reference).index),
        )
        return
    refused(StatusListMalformed, lambda: parse_status_reference(reference))


def test_st_4_refuses_the_index_behind_the_last() -> None:
    world = World()
    world.claims["status"]["status_list"]["idx"] = 1024
    with pytest.raises(StatusIndexOutOfRange):
        verify_presentation(world.present(world.issue()), world.evidence(), policy(), now=NOW)
    world.claims["status"]["status_list"]["idx"] = 1023
    verify_presentation(world.present(world.issue()), world.evidence(), policy(), now=NOW)


def document(world: World) -> DidDocument:
    keys = {"key-1": world.issuer_key.public_key}
    return parse_did_document(build_did_document(ISSUER, keys), parse_did(ISSUER))


def listed(world: World, token: bytes) -> VerifiedStatusList:
    return verify_status_list_token(
        token, uri=STATUS_URI, issuer=ISSUER, issuer_keys=document(world)
    )


def cwt(world: World, key: Es256SigningKey | None = None, **changes: Any) -> bytes:
    arguments: dict[str, Any] = {
        "uri": STATUS_URI,
        "issuer": ISSUER,
        "verification_method": f"{ISSUER}#key-1",
        "issued_at": NOW - 60,
        "expires_at": NOW - 60 + 86400,
        "ttl_s": 43200,
        **changes,
    }
    entries = TokenStatusList.empty(1024).with_statuses(world.statuses)
    return sign_status_list_cwt(key or world.issuer_key, entries, **arguments)


def test_both_forms_say_the_same() -> None:
    world = World(statuses={7: 1, 9: 2})
    jwt, binary = listed(world, world.status_token()), listed(world, cwt(world))
    assert jwt == binary
    assert binary.entries.status(7) == 1


@pytest.mark.parametrize(
    ("status", "error"), [(1, CredentialRevoked), (2, CredentialSuspended), (3, CredentialRevoked)]
)
def test_a_list_as_cwt_revokes_and_suspends(status: int, error: type[SeoulWalletError]) -> None:
    world = World(statuses={7: status})
    evidence = replace(
        world.evidence(), status_list=Fact(listed(world, cwt(world)), world.status_issued_at)
    )
    with pytest.raises(error):
        verify_presentation(world.present(world.issue()), evidence, policy(), now=NOW)


HEADER = {"typ": "statuslist+jwt", "kid": f"{ISSUER}#key-1"}


@pytest.mark.parametrize(
    ("make", "error"),
    [
        pytest.param(
            lambda w: w.status_token(sub=STATUS_URI + "0"), StatusListInvalid, id="another sub"
        ),
        pytest.param(lambda w: w.status_token(sub=None), JwsMalformed, id="no sub"),
        pytest.param(
            lambda w: w.status_token(iss="did:web:evil.example"),
            StatusListInvalid,
            id="another iss",
        ),
        pytest.param(lambda w: w.status_token(iat=None), JwsMalformed, id="no iat"),
        pytest.param(lambda w: w.status_token(ttl=0), JwsMalformed, id="ttl of zero"),
        pytest.param(lambda w: w.status_token(ttl="1"), JwsMalformed, id="ttl as text"),
        pytest.param(lambda w: w.status_token(exp="1"), JwsMalformed, id="exp as text"),
        pytest.param(
            lambda w: w.status_token(status_list=None), StatusListMalformed, id="no list"
        ),
        pytest.param(
            lambda w: sign_jws(w.issuer_key, {**HEADER, "typ": "JWT"}, {}).encode(),
            JwsMalformed,
            id="another typ",
        ),
        pytest.param(
            lambda w: sign_jws(w.issuer_key, {**HEADER, "alg": "none"}, {}).encode(),
            UnsupportedAlgorithm,
            id="alg none",
        ),
        pytest.param(
            lambda w: replace(w, issuer_key=Es256SigningKey.generate()).status_token(),
            SignatureInvalid,
            id="another key",
        ),
        pytest.param(
            lambda w: sign_jws(w.issuer_key, {**HEADER, "kid": "#key-2"}, {}).encode(),
            KeyNotAuthorized,
            id="a key that is not the issuer's",
        ),
        pytest.param(
            lambda w: sign_jws(w.issuer_key, {**HEADER, "x5c": ["MAA="]}, {}).encode(),
            StatusListInvalid,
            id="certificates where none are expected",
        ),
        pytest.param(
            lambda w: cwt(w, uri=STATUS_URI + "0"), StatusListInvalid, id="cwt: another sub"
        ),
        pytest.param(
            lambda w: cwt(w, issuer="did:web:evil.example"),
            StatusListInvalid,
            id="cwt: another iss",
        ),
        pytest.param(lambda w: cwt(w, ttl_s=-1), JwsMalformed, id="cwt: negative ttl"),
        pytest.param(
            lambda w: cwt(w, Es256SigningKey.generate()), SignatureInvalid, id="cwt: another key"
        ),
        pytest.param(
            lambda w: cwt(w, verification_method="did:web:evil.example#key-1"),
            KeyNotAuthorized,
            id="cwt: a key that is not the issuer's",
        ),
        pytest.param(lambda w: cwt(w) + b"\0", CborMalformed, id="cwt: a byte behind"),
        pytest.param(lambda w: cwt(w)[:-1], CborMalformed, id="cwt: cut"),
        pytest.param(
            lambda w: sign_cose_sign1(w.issuer_key, b"\xa0", typ="application/cwt", kid="k"),
            CoseMalformed,
            id="cwt: another typ",
        ),
        pytest.param(
            lambda w: sign_cose_sign1(
                w.issuer_key, b"\x80", typ=STATUS_LIST_CWT_TYPE, kid=f"{ISSUER}#key-1"
            ),
            CborMalformed,
            id="cwt: claims are a list",
        ),
        pytest.param(
            lambda w: b"\xd2" + to_cbor([to_cbor({1: 5}), {}, b"", b""]),
            UnsupportedCoseAlgorithm,
            id="cwt: a MAC",
        ),
        pytest.param(
            lambda w: b"\xd2" + to_cbor([b"", {}, b"", b""]), CborMalformed, id="cwt: no header"
        ),
        pytest.param(
            lambda w: b"\xd2" + to_cbor([to_cbor({1: -7}), {1: -7}, b"", b""]),
            CoseMalformed,
            id="cwt: alg in both headers",
        ),
        pytest.param(
            lambda w: (
                b"\xd2"
                + to_cbor([to_cbor({1: -7, 2: [16], 16: STATUS_LIST_CWT_TYPE}), {}, b"", b""])
            ),
            UnsupportedCoseAlgorithm,
            id="cwt: crit",
        ),
        pytest.param(lambda w: b"\xd2\xd2" + cwt(w)[1:], CborMalformed, id="cwt: tagged twice"),
        pytest.param(lambda w: cwt(w)[1:], JwsMalformed, id="cwt: without its tag"),
    ],
)
def test_st_6_refuses_a_token(
    make: Callable[[World], bytes], error: type[SeoulWalletError]
) -> None:
    world = World()
    token = make(world)
    refused(error, lambda: listed(world, token))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"iat": NOW - 3601}, FactsTooOld),
        ({"iat": NOW - 100, "exp": NOW - 1}, FactsTooOld),
        ({"iat": NOW - 100, "ttl": 60}, FactsTooOld),
        ({"iat": NOW + 61}, StatusListInvalid),
        ({"nbf": NOW + 61}, StatusListInvalid),
    ],
)
def test_st_6_a_list_outside_its_time_is_no_statement(
    changes: dict[str, int], error: type[SeoulWalletError]
) -> None:
    world = World()
    fact = Fact(listed(world, world.status_token(**changes)), NOW)
    presentation = world.present(world.issue())
    evidence = replace(world.evidence(), status_list=fact)
    refused(error, lambda: verify_presentation(presentation, evidence, policy(), now=NOW))


def test_st_6_a_list_that_cannot_be_had_is_never_a_yes() -> None:
    world = World()
    presentation = world.present(world.issue())
    evidence = replace(world.evidence(), status_list=StatusListUnavailable("404"))
    with pytest.raises(StatusListUnavailable):
        verify_presentation(presentation, evidence, policy(), now=NOW)


def test_st_7_the_first_status_is_in_the_lowest_bits() -> None:
    assert TokenStatusList(1, b"\x01").status(0) == 1
    assert TokenStatusList(1, b"\x80").status(0) == 0
    assert TokenStatusList(1, b"\x80").status(7) == 1
    assert TokenStatusList(2, b"\x02").status(0) == 2
    assert TokenStatusList(4, b"\x0f").status(0) == 15
    assert TokenStatusList(4, b"\x0f").status(1) == 0


def test_st_9_an_older_list_does_not_return_once_a_newer_one_is_known() -> None:
    world = World()
    old = world.status_token(iat=NOW - 900)
    revoked = replace(world, statuses={7: 1})
    presentation = world.present(world.issue())
    # The chain knows the digest of the list that revokes; the older, still fresh list is served.
    evidence = replace(revoked.evidence(), status_list=Fact(listed(world, old), NOW - 900))
    refused(
        StatusListSuperseded,
        lambda: verify_presentation(presentation, evidence, policy(), now=NOW),
    )
    refused(
        CredentialRevoked,
        lambda: verify_presentation(presentation, revoked.evidence(), policy(), now=NOW),
    )


def test_st_9_a_list_that_was_superseded_stays_so_though_it_is_signed_anew() -> None:
    world = World()
    again = listed(world, world.status_token(iat=NOW - 1))
    revoked = replace(world, statuses={7: 1})
    evidence = revoked.evidence()
    assert isinstance(evidence.anchor, Fact)
    facts = replace(evidence.anchor.value, superseded_status_digests=frozenset((again.digest,)))
    rolled_back = replace(
        evidence,
        anchor=Fact(facts, evidence.anchor.as_of),
        status_list=Fact(again, NOW - 1),
    )
    presentation = world.present(world.issue())
    refused(
        StatusListSuperseded,
        lambda: verify_presentation(presentation, rolled_back, policy(), now=NOW),
    )
