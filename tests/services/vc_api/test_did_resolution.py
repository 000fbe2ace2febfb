"""DIDs are resolved over HTTP: what a client takes, and every error by its name and status."""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.vc_api import VcApi

ERRORS: Final = "https://www.w3.org/ns/did#"
# What clients of the drafts before say.
PROFILE: Final = 'application/ld+json;profile="https://w3id.org/did-resolution"'


@pytest.mark.parametrize(
    "did",
    ["did:key:z", "did:key:z6Mk", "did:jwk:e30", "did:jwk:%20", "did:foo:bar", "did:web:127.0.0.1",
     "did:web:a..b", "nonsense", "did:", "did:key:zUC7" + "1" * 130, "did:web:x%2Fy", "a/b/c"],
)  # fmt: skip
def test_a_bad_did_is_resolved_to_an_error(api: VcApi, did: str) -> None:
    for accept in ("*/*", "application/did-resolution", "application/did"):
        answer = api.holder.get(f"/1.0/identifiers/{did}", headers={"Accept": accept})
        told = answer.get_json(force=True)
        assert answer.content_type == "application/did-resolution"
        assert told["didDocument"] is None
        assert told["didDocumentMetadata"] == {}
        kind = told["didResolutionMetadata"]["error"]["type"].removeprefix(ERRORS)
        assert (kind, answer.status_code) in (
            ("INVALID_DID", 400), ("METHOD_NOT_SUPPORTED", 501), ("NOT_FOUND", 404),
        )  # fmt: skip
        assert (did == "did:foo:bar") == (answer.status_code == 501)


@pytest.mark.parametrize(
    ("accept", "media_type", "is_result"),
    [
        (None, "application/did-resolution", True),
        ("*/*", "application/did-resolution", True),
        (PROFILE, "application/ld+json", True),
        ("application/did-resolution", "application/did-resolution", True),
        ("application/json", "application/json", True),
        ("application/did", "application/did", False),
        ("application/did+json", "application/did+json", False),
        ("application/did+ld+json, */*;q=0.1", "application/did+ld+json", False),
    ],
)
def test_a_did_is_resolved_to_what_the_client_takes(
    api: VcApi, accept: str | None, media_type: str, is_result: bool
) -> None:
    did = api.development_issuer.dids["p256"]
    headers = {} if accept is None else {"Accept": accept}
    answer = api.holder.get(f"/1.0/identifiers/{did}", headers=headers)
    told = answer.get_json(force=True)
    assert (answer.status_code, answer.content_type) == (200, media_type)
    assert ("didResolutionMetadata" in told) is is_result
    assert (told["didDocument"] if is_result else told)["id"] == did


def test_a_representation_that_there_is_not_is_not_acceptable(api: VcApi) -> None:
    did = api.development_issuer.dids["p256"]
    for accept in ("text/html", "application/did+cbor", "image/*"):
        answer = api.holder.get(f"/1.0/identifiers/{did}", headers={"Accept": accept})
        problem = answer.get_json(force=True)["didResolutionMetadata"]["error"]
        assert answer.status_code == 406
        assert problem["type"] == ERRORS + "REPRESENTATION_NOT_SUPPORTED"


def test_a_did_that_carries_its_key_is_resolved(api: VcApi) -> None:
    for did in api.development_issuer.dids.values():
        answer = api.holder.get(f"/1.0/identifiers/{did}")
        told = answer.get_json(force=True)
        assert answer.status_code == 200
        assert told["didDocument"]["id"] == did
        (method,) = told["didDocument"]["verificationMethod"]
        assert method["publicKeyMultibase"] == did.removeprefix("did:key:")
        assert told["didDocument"]["assertionMethod"] == [method["id"]]
        assert told["didResolutionMetadata"] == {"contentType": "application/did"}
        assert told["didDocumentMetadata"] == {}
