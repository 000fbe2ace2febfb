"""Whatever is posted to VC-API: 400, 413, 415 or 422 with a JSON body, never a 5xx."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tests.support.vc_api import CHALLENGE, DOMAIN, EXAMPLES, VcApi, credential, present
from wallet.credentials.jsonld.pinned import CREDENTIALS_V2
from wallet.encoding.json import JsonObject, to_json

REFUSED: Final = frozenset((400, 413, 415, 422))
WRONG: Final[tuple[Any, ...]] = (
    None, True, 0, -1, 1.5, 2**63, "", "text", "\U0001f984" * 50, [], [None], [[]], [{}], {},
    {"a": 1}, ["x"] * 2000, {"@context": None}, {"id": {}},
)  # fmt: skip
BODIES: Final[dict[str, tuple[bytes, str | None, int]]] = {
    "nothing": (b"", "application/json", 400),
    "a string": (b'"text"', "application/json", 400),
    "null": (b"null", "application/json", 400),
    "a number": (b"1", "application/json", 400),
    "a list": (b"[]", "application/json", 400),
    "an empty object": (b"{}", "application/json", 400),
    "not JSON": (b"{", "application/json", 400),
    "not UTF-8": (b'{"a":"\xff"}', "application/json", 400),
    "a lone surrogate": (b'{"options":"\\ud800"}', "application/json", 400),
    "NaN": (b'{"options":NaN}', "application/json", 400),
    "a name twice": (b'{"options":{},"options":{}}', "application/json", 400),
    "deep nesting": (b"[" * 50_000, "application/json", 400),
    "UTF-16": ('{"options":{}}'.encode("utf-16"), "application/json", 400),
    "10 MB": (b'{"options":"' + b"a" * 10_000_000 + b'"}', "application/json", 413),
    "text/plain": (b"{}", "text/plain", 415),
    "no type": (b"{}", None, 415),
}
ENDPOINTS: Final = ("issue", "verify", "present", "derive", "status")


def endpoint(api: VcApi, name: str) -> tuple[FlaskClient, str]:
    return {
        "issue": (api.issuer, "/issuers/eddsa-rdfc-2022/ed25519/credentials/issue"),
        "status": (api.issuer, "/credentials/status"),
        "verify": (api.verifier, "/credentials/verify"),
        "present": (api.verifier, "/presentations/verify"),
        "derive": (api.holder, "/credentials/derive"),
    }[name]


def send(api: VcApi, name: str, body: Any) -> TestResponse:
    client, path = endpoint(api, name)
    return client.post(path, json=body)


def is_refused(answer: TestResponse) -> bool:
    told = answer.get_json()
    return (
        answer.status_code in REFUSED
        and answer.content_type == "application/problem+json"
        and bool(told["code"])
        and bool(told["errors"])
    )


@pytest.fixture(scope="module")
def good(api: VcApi) -> dict[str, JsonObject]:
    """A body for each endpoint that is answered with success."""
    shown = api.shown("eddsa-rdfc-2022", "ed25519")
    presented = present(shown, now=api.clock.now())
    # Whatever is said about this one's status must not show in the others.
    other = api.issued("eddsa-rdfc-2022", "ed25519")
    pointers = {"selectivePointers": ["/credentialSubject/degree"]}
    return {
        "issue": {"credential": {**credential(), "issuer": "did:example:x"}, "options": {}},
        "verify": {"verifiableCredential": shown, "options": {}},
        "present": {
            "verifiablePresentation": presented,
            "options": {"challenge": CHALLENGE, "domain": DOMAIN},
        },
        "derive": {
            "verifiableCredential": api.issued("bbs-2023", "bls"), "options": pointers,
        },
        "status": {"credentialStatus": other["credentialStatus"], "status": False},
    }  # fmt: skip


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from paths(value[name], (*path, name))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from paths(value[index], (*path, index))


def changed(body: JsonObject, path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    copied = copy.deepcopy(body)
    place: Any = copied
    for step in path[:-1]:
        place = place[step]
    change(place, path[-1])
    return copied


def put(value: Any) -> Callable[[Any, Any], None]:
    def change(place: Any, step: Any) -> None:
        place[step] = value

    return change


def remove(place: Any, step: Any) -> None:
    del place[step]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_the_good_bodies_are_good(api: VcApi, good: dict[str, JsonObject], name: str) -> None:
    answer = send(api, name, good[name])
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.parametrize("kind", sorted(BODIES))
@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_hostile_body_is_refused(api: VcApi, name: str, kind: str) -> None:
    body, content_type, status = BODIES[kind]
    client, path = endpoint(api, name)
    answer = client.post(path, data=body, content_type=content_type)
    assert is_refused(answer)
    assert answer.status_code == status


@pytest.mark.parametrize("name", ENDPOINTS)
def test_any_value_at_any_member_is_refused_or_harmless(
    api: VcApi, good: dict[str, JsonObject], name: str
) -> None:
    # A signature covers all of what is verified; an issuer signs what it is given, and a holder
    # may leave out what was changed.
    count = 0
    for path in paths(good[name]):
        if path[:1] == ("verifiableCredential",) and len(path) > 1 and name == "derive":
            values: tuple[Any, ...] = WRONG[::4]
        else:
            values = WRONG if len(path) < 4 else WRONG[::3]
        for value in values:
            body = changed(good[name], path, put(value))
            if body == good[name]:
                continue
            answer = send(api, name, body)
            count += 1
            free = name in ("issue", "status", "derive") or path[0] == "options"
            assert is_refused(answer) or (free and answer.status_code in (200, 201)), (
                path, value, answer.text,
            )  # fmt: skip
    assert count >= 60


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_missing_member_is_refused_unless_it_is_optional(
    api: VcApi, good: dict[str, JsonObject], name: str
) -> None:
    signed = {"verify": "verifiableCredential", "present": "verifiablePresentation"}
    for path in paths(good[name]):
        answer = send(api, name, changed(good[name], path, remove))
        covered = path[0] == signed.get(name)
        assert is_refused(answer) or (not covered and answer.status_code in (200, 201)), path
    for path in ((member,) for member in good[name] if member != "options"):
        assert is_refused(send(api, name, changed(good[name], path, remove)))


PROOF_CHANGES: Final[dict[str, Any]] = {
    "no proof": None,
    "an empty list of proofs": lambda proof: [],
    "a proof that is a string": lambda proof: "proof",
    "an unknown member": lambda proof: {**proof, "more": 1},
    "another suite": lambda proof: {**proof, "cryptosuite": "eddsa-jcs-2022"},
    "a suite of other keys": lambda proof: {**proof, "cryptosuite": "ecdsa-sd-2023"},
    "an unknown suite": lambda proof: {**proof, "cryptosuite": "rsa-1977"},
    "an older proof type": lambda proof: {**proof, "type": "Ed25519Signature2020"},
    "another purpose": lambda proof: {**proof, "proofPurpose": "keyAgreement"},
    "a time that is none": lambda proof: {**proof, "created": "yesterday"},
    "a time without offset": lambda proof: {**proof, "created": "2026-01-01T00:00:00"},
    "a time in the future": lambda proof: {**proof, "created": "2099-01-01T00:00:00Z"},
    "expired": lambda proof: {**proof, "expires": "2001-01-01T00:00:00Z"},
    "a method that is no DID URL": lambda proof: {**proof, "verificationMethod": "key-1"},
    "a method of an unknown kind": lambda proof: {**proof, "verificationMethod": "did:ion:a#b"},
    "a method that cannot be had": lambda proof: {
        **proof, "verificationMethod": "did:web:nowhere.example#key-1",
    },
    "a method of a broken key": lambda proof: {**proof, "verificationMethod": "did:key:z6Mk#z6Mk"},
    "another base": lambda proof: {**proof, "proofValue": "m" + proof["proofValue"][1:]},
    "half a signature": lambda proof: {**proof, "proofValue": proof["proofValue"][:40]},
    "a proof value without a base": lambda proof: {**proof, "proofValue": "A" * 86},
    "a previous proof that is not there": lambda proof: {**proof, "previousProof": "urn:uuid:0"},
    "itself as previous": lambda proof: {**proof, "id": "urn:a:b", "previousProof": "urn:a:b"},
    "a thousand proofs": lambda proof: [proof] * 1000,
    "one bad among good": lambda proof: [proof, {**proof, "proofValue": "z" + "1" * 64}],
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(PROOF_CHANGES))
@pytest.mark.parametrize("name", ["verify", "present", "derive"])
def test_a_proof_that_was_tampered_with_is_refused(
    api: VcApi, good: dict[str, JsonObject], name: str, kind: str
) -> None:
    body = copy.deepcopy(good[name])
    member = "verifiablePresentation" if name == "present" else "verifiableCredential"
    change = PROOF_CHANGES[kind]
    if change is None:
        del body[member]["proof"]
    else:
        body[member]["proof"] = change(body[member]["proof"])
    assert body != good[name], "nothing was changed"
    assert is_refused(send(api, name, body))


DOCUMENTS: Final[dict[str, JsonObject]] = {
    "an unknown context": {"@context": [CREDENTIALS_V2, "https://x.example/c"]},
    "an inline context that imports": {
        "@context": [CREDENTIALS_V2, {"@import": "https://x.example/"}]
    },
    "an inline context that redefines": {
        "@context": [CREDENTIALS_V2, EXAMPLES, {"VerifiableCredential": "https://x.example/"}]
    },
    "a context over http": {"@context": ["http://www.w3.org/ns/credentials/v2"]},
    "no known first context": {"@context": ["https://x.example/c"]},
    "contexts in the wrong order": {"@context": [EXAMPLES, CREDENTIALS_V2]},
    "no type": {"type": []},
    "another type": {"type": ["Credential"]},
    "an undefined type": {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential", "Nothing"],
    },
    "an undefined term": {
        "@context": [CREDENTIALS_V2],
        "type": ["VerifiableCredential"],
        "credentialSubject": {"shoeSize": 42},
    },
    "a relative id": {"id": "not-a-url"},
    "a subject without anything": {"credentialSubject": {}},
    "no subject": {"credentialSubject": []},
    "a subject whose id is a number": {"credentialSubject": {"id": 7}},
    "a date that is none": {"validFrom": "2026-02-30T00:00:00Z"},
    "an end before the start": {"validUntil": "2020-01-01T00:00:00Z"},
    "a status without type": {"credentialStatus": {"id": "https://x.example/1"}},
    "a schema without id": {"credentialSchema": {"type": "JsonSchema"}},
    "a proof in the subject": {"credentialSubject": {"id": "did:example:a", "proof": {}}},
    "a proof already": {"proof": {"type": "DataIntegrityProof"}},
    "a blank node id": {"credentialSubject": {"id": "_:b0", "name": "a"}},
    "a null": {"credentialSubject": {"id": "did:example:a", "name": None}},
    "evidence that is text": {"evidence": "seen"},
    "an issuer that is a number": {"issuer": 1},
    "an issuer without id": {"issuer": {"name": "x"}},
    "a huge list": {
        "credentialSubject": {
            "id": "did:example:a",
            "alumniOf": [{"name": str(n)} for n in range(9000)],
        }
    },
    "a list that repeats itself": {
        "credentialSubject": {"id": "did:example:a", "name": ["a", "a"]}
    },
    "a language that is none": {"name": {"@value": "a", "@language": 7}},
}


@pytest.mark.parametrize("kind", sorted(DOCUMENTS))
@pytest.mark.parametrize(
    ("suite", "key"),
    [("eddsa-rdfc-2022", "ed25519"), ("ecdsa-sd-2023", "p256"), ("bbs-2023", "bls")],
)
def test_a_credential_that_cannot_be_signed_is_refused(
    api: VcApi, suite: str, key: str, kind: str
) -> None:
    answer = api.issue(suite, key, {**credential(), **DOCUMENTS[kind]})
    assert is_refused(answer), answer.text


_NAMES = st.sampled_from(
    ("id", "type", "@context", "proof", "issuer", "credentialSubject", "@id", "@type", "@value")
)
_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
_JSON = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=12,
)
# The services keep nothing that one example leaves for the next.
_FUZZ = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@_FUZZ
@given(value=_JSON, name=st.sampled_from(ENDPOINTS), data=st.data())
def test_any_json_anywhere_is_answered(
    api: VcApi, good: dict[str, JsonObject], value: Any, name: str, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(list(paths(good[name]))))
    answer = send(api, name, changed(good[name], path, put(value)))
    assert is_refused(answer) or answer.status_code in (200, 201)


@_FUZZ
@given(body=st.binary(max_size=200) | _JSON.map(to_json), name=st.sampled_from(ENDPOINTS))
def test_any_bytes_are_refused(api: VcApi, body: bytes, name: str) -> None:
    client, path = endpoint(api, name)
    assert is_refused(client.post(path, data=body, content_type="application/json"))
