"""Which DID may sign for which credential issuer."""

import pytest

from wallet.did.syntax import parse_did
from wallet.holder.issuers import IssuerPolicy, OfferNotTrusted

LOCAL = parse_did("did:web:localhost%3A8001")


@pytest.mark.parametrize("issuer", ["http://localhost:8001", "https://localhost:8001"])
def test_in_development_a_local_issuer_may_speak_http_and_https(issuer: str) -> None:
    IssuerPolicy(development=True).check_signer(LOCAL, issuer)


def test_without_development_nobody_speaks_http() -> None:
    IssuerPolicy().check_signer(LOCAL, "https://localhost:8001")
    with pytest.raises(OfferNotTrusted):
        IssuerPolicy().check_signer(LOCAL, "http://localhost:8001")


@pytest.mark.parametrize(
    "issuer",
    ["https://localhost:8002", "https://localhost", "https://issuer.example", "http://a:8001"],
)
def test_nobody_signs_for_another_host(issuer: str) -> None:
    with pytest.raises(OfferNotTrusted):
        IssuerPolicy(development=True).check_signer(LOCAL, issuer)


def test_a_did_of_another_method_is_refused() -> None:
    did = parse_did("did:key:zDnaeuc1FVS9HeBbMQUojMwr9PN4MApigqjEy63e5qydX8ioc")
    with pytest.raises(OfferNotTrusted):
        IssuerPolicy().check_signer(did, "https://localhost:8001")
