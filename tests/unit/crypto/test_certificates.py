"""Certificate chains: one that leads to the anchor, and one for each way in which it must not."""

import contextlib
from random import Random
from typing import Any

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests.support.certificates import AGREES, ENCRYPTS, SIGNS_DATA, Authority, x5c
from tests.support.credentials import NOW
from wallet.crypto.certificates import (
    MAX_CHAIN_CERTIFICATES,
    CertificateMalformed,
    CertificateNotTrusted,
    TrustAnchors,
    authority_key_ids,
    certified_key,
    parse_x5c,
)
from wallet.crypto.keys import Es256SigningKey, UnsupportedKey
from wallet.errors import SeoulWalletError

HOST = x509.DNSName("issuer.example")
URI = x509.UniformResourceIdentifier("https://issuer.example/card")
CA = x509.BasicConstraints(ca=True, path_length=None)
ROOT = Authority("Synthetic Root")
INTERMEDIATE = Authority("Synthetic Intermediate", ROOT)
ANCHORS = TrustAnchors([ROOT.der])
KEY = Es256SigningKey.generate()


def leaf(authority: Authority = INTERMEDIATE, *names: x509.GeneralName, **changes: Any) -> bytes:
    return authority.leaf(KEY, *(names or (HOST,)), **changes)


def test_accepts_a_chain_that_leads_to_the_anchor() -> None:
    found = ANCHORS.verify_chain([leaf(INTERMEDIATE, HOST, URI), INTERMEDIATE.der], now=NOW)
    assert found.key.jwk == KEY.public_key.jwk
    assert found.names("https://issuer.example/any/path")
    assert found.names("https://issuer.example:8443")
    assert found.names("https://issuer.example/card")
    assert ANCHORS.verify_chain([leaf(ROOT)], now=NOW).dns_names == {"issuer.example"}


@pytest.mark.parametrize(
    "issuer",
    [
        "https://other.example",
        "https://issuer.example.other.example",
        "https://sub.issuer.example",
        "http://issuer.example",
        "https://issuer.example@other.example",
        "did:web:issuer.example",
        "issuer.example",
        "https://[::1",
        "",
    ],
)
def test_a_certificate_names_no_other_issuer(issuer: str) -> None:
    assert not ANCHORS.verify_chain([leaf(ROOT)], now=NOW).names(issuer)


def test_a_wildcard_names_nobody() -> None:
    found = ANCHORS.verify_chain([leaf(ROOT, x509.DNSName("*.example"))], now=NOW)
    assert not found.names("https://issuer.example")


def test_an_empty_list_of_anchors_trusts_nobody() -> None:
    assert len(TrustAnchors()) == 0
    with pytest.raises(CertificateNotTrusted, match="no trust anchor"):
        TrustAnchors().verify_chain([leaf(ROOT)], now=NOW)
    with pytest.raises(CertificateNotTrusted):
        TrustAnchors([Authority("Synthetic Root").der]).verify_chain([leaf(ROOT)], now=NOW)


@pytest.mark.parametrize(
    "chain",
    [
        pytest.param(lambda: [leaf(), INTERMEDIATE.der, ROOT.der], id="anchor in the chain"),
        pytest.param(lambda: [ROOT.der], id="the anchor itself"),
        pytest.param(lambda: [Authority("Self").der], id="self-signed leaf"),
        pytest.param(lambda: [leaf()], id="intermediate left out"),
        pytest.param(lambda: [leaf(ROOT), INTERMEDIATE.der], id="one too many"),
        pytest.param(lambda: [leaf(), INTERMEDIATE.der, INTERMEDIATE.der], id="one twice"),
        pytest.param(lambda: [INTERMEDIATE.der, leaf()], id="upside down"),
    ],
)
def test_the_chain_is_the_path_and_nothing_else(chain: Any) -> None:
    with pytest.raises(CertificateNotTrusted):
        ANCHORS.verify_chain(chain(), now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"not_after": NOW - 1}, id="expired"),
        pytest.param({"not_before": NOW + 1}, id="not yet valid"),
        pytest.param({"basic": CA}, id="a CA as leaf"),
        pytest.param({"usage": ENCRYPTS}, id="a key for encryption"),
        pytest.param({"usage": AGREES}, id="a key for agreement"),
        pytest.param({"issuer_name": "Synthetic Root"}, id="another issuer's name"),
    ],
)
def test_refuses_a_leaf_that_is_not_as_it_must_be(changes: dict[str, Any]) -> None:
    with pytest.raises(CertificateNotTrusted):
        ANCHORS.verify_chain([leaf(**changes), INTERMEDIATE.der], now=NOW)


def test_a_leaf_without_alternative_names_is_trusted_and_names_nobody() -> None:
    found = ANCHORS.verify_chain([ROOT.leaf(KEY)], now=NOW)
    assert found.key.jwk == KEY.public_key.jwk
    assert found.dns_names == found.uris == frozenset()
    assert not found.names("https://issuer.example")
    with pytest.raises(CertificateNotTrusted):
        ANCHORS.verify_chain([Authority("a stranger").leaf(KEY)], now=NOW)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"basic_critical": False}, id="basicConstraints not critical"),
        pytest.param({"basic": None}, id="no basicConstraints"),
        pytest.param({"basic": x509.BasicConstraints(ca=False, path_length=None)}, id="no CA"),
        pytest.param({"usage": SIGNS_DATA}, id="may not sign certificates"),
        pytest.param({"usage": None}, id="no keyUsage"),
        pytest.param({"not_after": NOW - 1}, id="expired"),
        pytest.param(
            {"constraints": x509.NameConstraints([x509.DNSName("other.example")], None)},
            id="for other names",
        ),
        pytest.param(
            {"constraints": x509.NameConstraints(None, [x509.DNSName("issuer.example")])},
            id="not for this name",
        ),
    ],
)
def test_refuses_an_intermediate_that_is_not_as_it_must_be(changes: dict[str, Any]) -> None:
    above = Authority("Synthetic Other", ROOT, changes=changes)
    with pytest.raises(CertificateNotTrusted):
        ANCHORS.verify_chain([leaf(above), above.der], now=NOW)


def test_a_constrained_intermediate_may_speak_for_its_names_and_no_uri() -> None:
    constraint = x509.NameConstraints([x509.DNSName("example")], None)
    above = Authority("Synthetic Held", ROOT, changes={"constraints": constraint})
    other = x509.UniformResourceIdentifier("https://bank.test")
    found = ANCHORS.verify_chain([leaf(above, HOST, other), above.der], now=NOW)
    assert found.names("https://issuer.example")
    assert not found.names("https://bank.test")


def test_the_path_length_of_an_intermediate_is_kept() -> None:
    last = Authority(
        "Last", ROOT, changes={"basic": x509.BasicConstraints(ca=True, path_length=0)}
    )
    below = Authority("Below", last)
    assert ANCHORS.verify_chain([leaf(last), last.der], now=NOW).key.algorithm == "ES256"
    with pytest.raises(CertificateNotTrusted):
        ANCHORS.verify_chain([leaf(below), below.der, last.der], now=NOW)


def test_the_header_is_standard_base64_of_few_certificates() -> None:
    good = x5c(leaf(), INTERMEDIATE.der)
    assert parse_x5c(good) == parse_x5c(list(good))
    assert len(parse_x5c(good)) == 2
    bad: list[object] = [
        None, [], "x", {}, [1], [good[0].rstrip("=") + "*"], [good[0] + "\n"], [[good[0]]],
        [good[0].replace("/", "_").replace("+", "-") + "_"], ["A" * 40_000],
        good * (MAX_CHAIN_CERTIFICATES // 2 + 1), ["가"],
    ]  # fmt: skip
    for value in bad:
        with pytest.raises(CertificateMalformed):
            parse_x5c(value)


@given(st.lists(st.binary(max_size=200), max_size=3))
def test_any_bytes_are_a_chain_or_a_typed_error(chain: list[bytes]) -> None:
    with pytest.raises((CertificateMalformed, CertificateNotTrusted)):
        ANCHORS.verify_chain(chain, now=NOW)


def test_a_truncated_or_changed_certificate_is_refused() -> None:
    good = leaf(ROOT)
    for at in range(0, len(good), 7):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        with pytest.raises((CertificateMalformed, CertificateNotTrusted)):
            ANCHORS.verify_chain([changed], now=NOW)
        with pytest.raises((CertificateMalformed, CertificateNotTrusted)):
            ANCHORS.verify_chain([good[:at]], now=NOW)


_KEY_ID = bytes.fromhex("0603551d0e")
_AUTHORITY_ID = bytes.fromhex("0603551d23")
_COMMON_NAME = bytes.fromhex("0603550403")
_ON_P256 = bytes.fromhex("06082a8648ce3d030107")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(_KEY_ID, _AUTHORITY_ID, id="one extension twice"),
        pytest.param(bytes.fromhex("a003020102"), bytes.fromhex("a003020105"), id="version 6"),
        pytest.param(_COMMON_NAME + b"\x0c", _COMMON_NAME + b"\x03", id="a name of another kind"),
        pytest.param(b"Synthetic", b"Synth\xfftic", id="a name that is not UTF-8"),
    ],
)
def test_a_certificate_that_cannot_be_read_in_full_is_malformed(old: bytes, new: bytes) -> None:
    good = leaf(ROOT)
    assert ANCHORS.verify_chain([good], now=NOW).dns_names == {"issuer.example"}
    assert len(authority_key_ids([good])) == 1
    assert old in good
    changed = good.replace(old, new)
    for read in (
        certified_key,
        lambda der: authority_key_ids([der]),
        lambda der: TrustAnchors([der]),
    ):
        with pytest.raises(CertificateMalformed):
            read(changed)
    with pytest.raises(CertificateMalformed):
        ANCHORS.verify_chain([changed], now=NOW)


def test_a_certificate_for_a_key_of_another_kind_is_unsupported_and_not_a_crash() -> None:
    unknown_curve = leaf(ROOT).replace(_ON_P256, _ON_P256[:-1] + b"\x63")
    with pytest.raises(UnsupportedKey):
        certified_key(unknown_curve)
    off_the_curve = leaf(ROOT).replace(KEY.public_key._point[1:], bytes(64))
    with pytest.raises(CertificateMalformed):
        certified_key(off_the_curve)


# The library warns of oddities that it lets pass.
@pytest.mark.filterwarnings("ignore")
def test_no_mutation_of_a_certificate_is_a_crash() -> None:
    random = Random(7)
    good = (leaf(ROOT, HOST, URI), INTERMEDIATE.der)
    for _ in range(1500):
        data = bytearray(random.choice(good))
        for _ in range(random.randint(1, 3)):
            data[random.randrange(len(data))] = random.choice(
                (random.randrange(256), *b"\x30\x05")
            )
        der = bytes(data)
        for read in (
            certified_key,
            lambda der: authority_key_ids([der]),
            lambda der: TrustAnchors([der]),
            lambda der: ANCHORS.verify_chain([der], now=NOW),
        ):
            with contextlib.suppress(SeoulWalletError):
                read(der)


def test_anchors_come_from_pem_too() -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    anchors = TrustAnchors.from_pem(ROOT.certificate.public_bytes(Encoding.PEM))
    assert anchors.verify_chain([leaf(ROOT)], now=NOW).uris == frozenset()
    with pytest.raises(CertificateMalformed):
        TrustAnchors.from_pem(b"none")
