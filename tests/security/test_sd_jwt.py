"""Attacks on disclosures: each must be refused with its own error, and cheaply."""

from typing import Any

import pytest

from tests.support.attacks import HEADER, bound, card, digest, disclosure, forge, segment, verify
from tests.support.cost import refused
from tests.support.credentials import AUDIENCE, ISSUER, NOW, STATUS_URI, VCT, World
from wallet.credentials.disclosure import DisclosureMalformed
from wallet.credentials.jose import JwsMalformed
from wallet.credentials.sd_jwt import SdJwtMalformed
from wallet.crypto.hashing import UnsupportedHash
from wallet.encoding import base64url
from wallet.encoding.base64url import Base64urlMalformed
from wallet.encoding.json import JsonMalformed
from wallet.errors import SeoulWalletError
from wallet.verification.pipeline import VerifiedPresentation
from wallet.verification.proof_steps import AudienceMismatch

WORLD = World()
NAME = disclosure("salt", "name", "김합성")
OTHER = disclosure("pepper", "name", "이합성")
ELEMENT = disclosure("salt", "KR")
ADULT = disclosure("salt", "adult", True)


def present(disclosures: list[str], **claims: Any) -> VerifiedPresentation:
    """Let the issuer sign `claims`, whatever they are, and the holder bind `disclosures`."""
    token = forge(WORLD.issuer_key, HEADER, card(WORLD, **claims))
    return verify(WORLD, bound(WORLD, token, disclosures))


def test_what_the_attacks_start_from_is_good() -> None:
    verified = present([NAME], _sd=[digest(NAME), digest(OTHER)])
    assert verified.claims["name"] == "김합성"
    verified = present([ELEMENT], nationalities=[{"...": digest(ELEMENT)}, {"...": digest(NAME)}])
    assert verified.claims["nationalities"] == ["KR"]
    # Withheld and decoy digests vanish.
    assert "name" not in present([], _sd=[digest(NAME)]).claims


@pytest.mark.parametrize(
    ("disclosures", "claims"),
    [
        pytest.param([NAME], {}, id="nothing refers to it"),
        pytest.param([NAME], {"_sd": []}, id="nothing refers to it, empty _sd"),
        pytest.param([OTHER], {"_sd": [digest(NAME)]}, id="another value than was signed"),
        pytest.param([NAME, NAME], {"_sd": [digest(NAME)]}, id="one twice"),
        pytest.param([NAME], {"_sd": [digest(NAME)] * 2}, id="digest twice in a list"),
        pytest.param(
            [NAME], {"_sd": [digest(NAME)], "a": {"_sd": [digest(NAME)]}}, id="digest twice"
        ),
        pytest.param(
            [NAME], {"_sd": [digest(NAME)], "a": [{"...": digest(NAME)}]}, id="digest twice, list"
        ),
        pytest.param([], {"_sd": [digest(NAME)] * 2}, id="decoy twice"),
        pytest.param(
            [NAME, OTHER], {"_sd": [digest(NAME), digest(OTHER)]}, id="two values of a name"
        ),
        pytest.param([NAME], {"_sd": [digest(NAME)], "name": "x"}, id="over a signed claim"),
        pytest.param([NAME], {"a": [{"...": digest(NAME)}]}, id="a named claim in a list"),
        pytest.param([ELEMENT], {"_sd": [digest(ELEMENT)]}, id="an element in an object"),
        pytest.param(
            [ELEMENT],
            {"a": [{"...": digest(ELEMENT), "x": 1}]},
            id="a member beside an element's digest",
        ),
        pytest.param([ELEMENT], {"...": digest(ELEMENT)}, id="an element's digest at the top"),
        pytest.param([], {"a": {"...": digest(ELEMENT)}}, id="an element's digest in an object"),
        pytest.param([NAME], {"_sd": digest(NAME)}, id="_sd is no list"),
        pytest.param([NAME], {"_sd": {"0": digest(NAME)}}, id="_sd is an object"),
        pytest.param([NAME], {"_sd": [digest(NAME), 1]}, id="a digest is a number"),
        pytest.param([NAME], {"_sd": [digest(NAME), [digest(NAME)]]}, id="a digest is a list"),
        pytest.param([], {"a": [{"...": 1}]}, id="an element's digest is a number"),
        pytest.param([], {"a": [{"...": None}]}, id="an element's digest is null"),
        pytest.param([], {"a": {"_sd_alg": "sha-256"}}, id="_sd_alg below the top"),
        pytest.param([], {"a": [{"b": {"_sd_alg": "sha-512"}}]}, id="_sd_alg further below"),
        pytest.param([], {"a": {"_sd_alg": None}}, id="_sd_alg below the top, null"),
    ],
)
def test_refuses_digests_and_disclosures_that_do_not_fit(
    disclosures: list[str], claims: dict[str, Any]
) -> None:
    refused(DisclosureMalformed, lambda: present(disclosures, **claims))


@pytest.mark.parametrize(
    "content",
    [
        [], ["salt"], ["salt", "a", 1, 2], [1, "a", 1], [None, "a", 1], [["salt"], "a", 1],
        ["salt", 1, 1], ["salt", None, 1], ["salt", ["a"], 1], ["salt", True, 1],
        ["salt", "_sd", []], ["salt", "...", "x"],
    ],
)  # fmt: skip
def test_refuses_disclosures_of_another_form(content: list[Any]) -> None:
    made = disclosure(*content)
    refused(DisclosureMalformed, lambda: present([made], _sd=[digest(made)]))


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (segment({"salt": "a"}), DisclosureMalformed),
        (segment(b'"salt"'), DisclosureMalformed),
        (segment(b"null"), DisclosureMalformed),
        (segment(b'["salt","a",NaN]'), JsonMalformed),
        (segment(b'["salt","a",{"b":1,"b":2}]'), JsonMalformed),
        (segment('["salt","a",1]'.encode("utf-16")), JsonMalformed),
        (segment('["salt","a",1]'.encode("utf-8-sig")), JsonMalformed),
        (segment(b'["salt","a",' + b"[" * 50_000 + b"]" * 50_000 + b"]"), JsonMalformed),
        (segment(b'["salt","a",1]') + "=", Base64urlMalformed),
        (segment(b'["salt","a",1]')[:-1] + "1", Base64urlMalformed),
        (segment(b'["salt","a",1]') + "\n", Base64urlMalformed),
        ("", JsonMalformed),
        ("*", Base64urlMalformed),
    ],
)
def test_refuses_disclosures_that_are_not_strict(made: str, error: type[SeoulWalletError]) -> None:
    refused(error, lambda: present([made], _sd=[digest(made)]))


@pytest.mark.parametrize(
    "name",
    [
        "md5", "sha-1", "sha1", "sha-224", "SHA-256", "sha256", "sha-256 ", "", ["sha-256"],
        {"a": 1}, 256, True,
    ],
)  # fmt: skip
def test_refuses_other_hashes(name: object) -> None:
    refused(UnsupportedHash, lambda: present([NAME], _sd=[digest(NAME)], _sd_alg=name))


def test_refuses_null_as_a_hash() -> None:
    claims = {**card(WORLD), "_sd_alg": None}
    made = bound(WORLD, forge(WORLD.issuer_key, HEADER, claims))
    refused(UnsupportedHash, lambda: verify(WORLD, made))


def test_the_hash_is_not_for_the_holder_to_choose() -> None:
    made = disclosure("salt", "_sd_alg", "sha-512")
    refused(DisclosureMalformed, lambda: present([made], _sd=[digest(made)]))
    token = forge(WORLD.issuer_key, HEADER, card(WORLD, _sd=[digest(made)], _sd_alg=None))
    refused(DisclosureMalformed, lambda: verify(WORLD, bound(WORLD, token, [made])))


CLAIMS_THAT_DECIDE: dict[str, Any] = {
    "exp": NOW + 86400,
    "nbf": NOW - 1,
    "status": {"status_list": {"idx": 7, "uri": STATUS_URI}},
    "cnf": {"jwk": WORLD.holder_key.public_key.jwk},
    "vct": VCT,
    "aud": "https://verifier.example",
    "vct#integrity": "sha256-AAAA",
}


@pytest.mark.parametrize("name", sorted(CLAIMS_THAT_DECIDE))
def test_refuses_to_have_a_claim_disclosed_that_decides_validity(name: str) -> None:
    made = disclosure("salt", name, CLAIMS_THAT_DECIDE[name])
    refused(SdJwtMalformed, lambda: present([made], **{name: None, "_sd": [digest(made)]}))


def test_refuses_a_part_of_such_a_claim_disclosed() -> None:
    made = disclosure("salt", "jwk", WORLD.holder_key.public_key.jwk)
    refused(SdJwtMalformed, lambda: present([made], cnf={"_sd": [digest(made)]}))


def test_refuses_the_issuer_disclosed() -> None:
    made = disclosure("salt", "iss", ISSUER)
    refused(JwsMalformed, lambda: present([made], iss=None, _sd=[digest(made)]))


@pytest.mark.parametrize("named", ["https://other.example", [], [AUDIENCE + "/"], {}, None, 1])
def test_refuses_a_credential_that_the_issuer_meant_for_others(named: object) -> None:
    for good in (AUDIENCE, ["https://other.example", AUDIENCE]):
        assert present([], aud=good).claims["aud"] == good
    token = forge(WORLD.issuer_key, HEADER, {**card(WORLD), "aud": named})
    refused(AudienceMismatch, lambda: verify(WORLD, bound(WORLD, token, [])))


def test_withholding_what_decides_makes_nothing_valid_for_longer() -> None:
    made = disclosure("salt", "exp", NOW - 86400)
    # An issuer that hides exp has made a card that no honest holder can show; to withhold it
    # leaves a card without an end, which is what the issuer signed.
    assert "exp" not in present([], exp=None, _sd=[digest(made)]).claims
    refused(SdJwtMalformed, lambda: present([made], exp=None, _sd=[digest(made)]))


def chain(length: int) -> tuple[list[str], str]:
    """Return disclosures of which each holds the digest of the one before."""
    made: list[str] = []
    inner: Any = 1
    for number in range(length):
        made.append(disclosure("salt", f"c{number}", inner))
        inner = {"_sd": [digest(made[-1])]}
    return made, digest(made[-1])


def test_refuses_chains_of_disclosures_that_are_too_long() -> None:
    made, first = chain(1200)
    token = forge(WORLD.issuer_key, HEADER, card(WORLD, _sd=[first]))
    long = bound(WORLD, token, made)
    refused(SdJwtMalformed, lambda: verify(WORLD, long))
    made, first = chain(400)
    refused(DisclosureMalformed, lambda: present(made, _sd=[first]))
    made, first = chain(50)
    assert present(made, _sd=[first]).issuer == ISSUER


def test_a_value_that_opens_deeper_than_the_limit_by_disclosures_is_refused() -> None:
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    inner = disclosure("salt", "inner", deep)
    outer: Any = {"_sd": [digest(inner)]}
    for _ in range(60):
        outer = {"a": outer}
    refused(DisclosureMalformed, lambda: present([inner], outer=outer))


def test_refuses_more_than_500_disclosures_and_takes_500() -> None:
    made = [disclosure(f"s{number}", f"c{number}", number) for number in range(501)]
    digests = [digest(item) for item in made]
    assert present(made[:500], _sd=digests).claims["c499"] == 499
    refused(SdJwtMalformed, lambda: present(made, _sd=digests))


@pytest.mark.parametrize("name", ["sha-384", "sha-512"])
def test_the_longer_hashes_hold_for_the_digests_and_the_binding(name: str) -> None:
    token = forge(WORLD.issuer_key, HEADER, card(WORLD, _sd=[digest(NAME, name)], _sd_alg=name))
    good = bound(WORLD, token, [NAME], hash_name=name)
    assert verify(WORLD, good).claims["name"] == "김합성"
    mixed = forge(WORLD.issuer_key, HEADER, card(WORLD, _sd=[digest(NAME)], _sd_alg=name))
    refused(
        DisclosureMalformed,
        lambda: verify(WORLD, bound(WORLD, mixed, [NAME], hash_name=name)),
    )


def test_a_disclosure_in_another_encoding_is_another_disclosure() -> None:
    spaced = base64url.encode('["salt", "name", "김합성"]'.encode())
    escaped = base64url.encode(b'["salt","name","\\uae40\\ud569\\uc131"]')
    for made in (spaced, escaped):
        assert present([made], _sd=[digest(made)]).claims["name"] == "김합성"
        refused(DisclosureMalformed, lambda made=made: present([made], _sd=[digest(NAME)]))
    assert present([ADULT], _sd=[digest(ADULT)]).claims["adult"] is True
