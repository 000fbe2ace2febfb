"""Hostile inputs, and what refusing each of them costs; run as a program of its own.

Prints one JSON object a line: `{"name", "code", "cpu_s", "memory_bytes"}`, the memory being how
far the peak of this process rose above the start of the corpus. Inputs are made before they are
measured, signed by the issuer where only an issuer could have made them.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Final

from tests.security import test_bbs_2023_attacks as bbs
from tests.security import test_linked_data_attacks as linked_data
from tests.security.test_sd_jwt import chain
from tests.support.attacks import HEADER, bound, card, digest, disclosure, forge
from tests.support.credentials import ISSUER, NOW, STATUS_URI, World, policy
from tests.support.w3c import ed25519
from wallet.credentials.jose import sign_jws
from wallet.credentials.jsonld import rdfc
from wallet.crypto.certificates import parse_x5c
from wallet.crypto.keys import parse_jwk
from wallet.did.document import parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding import base64url
from wallet.encoding.cbor import parse_cbor
from wallet.encoding.json import parse_json
from wallet.encoding.multibase import decode_base58btc, encode_base64url
from wallet.errors import SeoulWalletError
from wallet.status.bitstring import parse_encoded_list
from wallet.trust.receipt import parse_receipt
from wallet.verification.manifest import verify_manifest
from wallet.verification.pipeline import verify_presentation
from wallet.verification.status import verify_status_list_token

KIB: Final = 1024
MIB: Final = 1024 * KIB
WORLD = World()
RULES = policy()
EVIDENCE = WORLD.evidence()
Refusal = Callable[[], object]


def presented(presentation: str | bytes) -> Refusal:
    """Return the verification of a presentation, as a service runs it."""
    return lambda: verify_presentation(presentation, EVIDENCE, RULES, now=NOW)


def issued(claims: dict[str, Any], disclosures: list[str] | None = None) -> Refusal:
    """Return the verification of what the issuer itself signed, and a holder bound."""
    token = forge(WORLD.issuer_key, HEADER, card(WORLD, **claims))
    return presented(bound(WORLD, token, disclosures or []))


def texts() -> Iterator[tuple[str, Refusal]]:
    """Presentations that are not one."""
    noise = random.Random(7)
    for size, name in ((256 * KIB, "256 KiB"), (5 * MIB, "5 MB")):
        for what, text in (
            ("tildes", "~" * size),
            ("dots", "." * size),
            ("letters", "A" * size),
            ("braces", "{" * size),
            ("members", '{"a":' * (size // 5)),
            ("other letters", "가" * (size // 3)),
            ("noise", noise.randbytes(size)),
            ("segments", "A.A.A~" * (size // 6)),
            ("one long signature", "e30.e30." + "A" * (size - 8) + "~"),
        ):
            yield f"{name} of {what}", presented(text)
    good = WORLD.present(WORLD.issue())
    yield "a good one with 200 KiB behind it", presented(good + "A" * 200 * KIB)
    yield "a good one a hundred times", presented("~".join([good] * 100))


def claims() -> Iterator[tuple[str, Refusal]]:
    """Presentations whose issuer, or whose holder, means harm."""
    many = [disclosure(f"s{number}", f"c{number}", "x" * 300) for number in range(501)]
    yield "501 disclosures", issued({"_sd": [digest(item) for item in many]}, many)
    yield "500 disclosures nobody refers to", issued({}, many[:500])
    yield "500 times the same", issued({"_sd": [digest(many[0])]}, many[:1] * 500)
    made, first = chain(400)
    yield "a chain of 400 disclosures", issued({"_sd": [first]}, made)
    yield "40,000 digests", issued({"_sd": ["A"] * 40_000})
    yield "15,000 members", issued({f"m{number}": number for number in range(15_000)})
    text = b'{"a":' + b"[" * 60_000 + b"]" * 60_000 + b"}"
    yield (
        "claims nested 60,000 deep",
        presented(bound(WORLD, forge(WORLD.issuer_key, HEADER, text))),
    )
    twice = b'{"iss":"a","a":"\\u0061",' + b'"b":1,' * 20_000 + b'"c":1}'
    yield (
        "20,000 members of one name",
        presented(bound(WORLD, forge(WORLD.issuer_key, HEADER, twice))),
    )
    number = b'{"iss":"a","n":' + b"9" * 150_000 + b"}"
    yield (
        "a number of 150,000 digits",
        presented(bound(WORLD, forge(WORLD.issuer_key, HEADER, number))),
    )
    yield "a list of one digest 2,000 times", issued({"a": [{"...": "A" * 43}] * 2000})
    receipt = {"index": 0, "size": 2, "path": ["A" * 43] * 3000, "salt": "A" * 43}
    token = WORLD.issue().compact
    yield (
        "a receipt of 3,000 nodes",
        presented(bound(WORLD, token.split("~")[0], anchor_receipt=receipt)),
    )
    yield "a receipt alone", lambda: parse_receipt(receipt)
    certificates = [base64url.encode(bytes(16 * KIB))] * 8
    yield "an x5c of zeros", lambda: parse_x5c(certificates)
    yield (
        "a header of 200 KiB",
        presented(
            bound(WORLD, forge(WORLD.issuer_key, {**HEADER, "x": "y" * 200_000}, card(WORLD)))
        ),
    )


def lists() -> Iterator[tuple[str, Refusal]]:
    """Status lists that unpack to far more than they are."""
    document = parse_did_document(
        {"id": ISSUER, **_method(ISSUER, WORLD.issuer_key.public_key.jwk)}, parse_did(ISSUER)
    )

    def token(packed: bytes) -> bytes:
        claims = {
            "sub": STATUS_URI,
            "iss": ISSUER,
            "iat": NOW,
            "status_list": {"bits": 1, "lst": base64url.encode(packed)},
        }
        header = {"typ": "statuslist+jwt", "kid": f"{ISSUER}#key-1"}
        return sign_jws(WORLD.issuer_key, header, claims).encode()

    for size in (17, 100):
        packed = zeros(size, zlib.MAX_WBITS)
        for name, data in (("", packed), (" cut off", packed[:-8]), (" twice", packed * 2)):
            made = token(data)
            yield (
                f"a list of {size} MiB{name}",
                lambda made=made: verify_status_list_token(
                    made, uri=STATUS_URI, issuer=ISSUER, issuer_keys=document
                ),
            )
        bits = encode_base64url(zeros(size, 16 + zlib.MAX_WBITS))
        yield f"a bitstring of {size} MiB", lambda bits=bits: parse_encoded_list(bits)
    unsigned = sign_jws(World().issuer_key, {"typ": "statuslist+jwt"}, {}).encode()
    yield (
        "a list that nobody signed",
        lambda: verify_status_list_token(
            unsigned, uri=STATUS_URI, issuer=ISSUER, issuer_keys=document
        ),
    )
    huge = b"e30." + b"A" * MIB + b".AAAA"
    yield (
        "a manifest of 1 MiB",
        lambda: verify_manifest(huge, issuer=ISSUER, issuer_keys=document, now=NOW),
    )


def zeros(mebibytes: int, window: int) -> bytes:
    """Return so many zeros compressed, without ever holding them: the peak is being measured."""
    packer = zlib.compressobj(9, wbits=window)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(mebibytes)), packer.flush()])


def _method(did: str, jwk: dict[str, Any]) -> dict[str, Any]:
    method = {"id": f"{did}#key-1", "type": "JsonWebKey", "controller": did, "publicKeyJwk": jwk}
    return {"verificationMethod": [method], "assertionMethod": [f"{did}#key-1"]}


def parsers() -> Iterator[tuple[str, Refusal]]:
    """What is read on the way: JSON, CBOR, keys, DID documents, multibase."""
    yield "JSON nested 500,000 deep", lambda: parse_json(b"[" * 500_000 + b"]" * 500_000)
    escapes = b'{"a":"' + b"\\u0000" * 150_000 + b'","a":1}'
    yield "JSON of 150,000 escapes", lambda: parse_json(escapes)
    yield "CBOR nested 100,000 deep", lambda: parse_cbor(b"\x81" * 100_000 + b"\x00")
    yield "CBOR that promises 2^60 items", lambda: parse_cbor(b"\x9b" + b"\x0f" + b"\xff" * 7)
    yield "CBOR that promises 2^31 bytes", lambda: parse_cbor(b"\x5a\x7f\xff\xff\xff" + b"A")
    point = {"kty": "EC", "crv": "P-256", "x": "A" * MIB, "y": "A" * MIB}
    yield "a key of 2 MiB", lambda: parse_jwk(point)
    yield "base58 of 1 MiB", lambda: decode_base58btc("z" + "z" * MIB)
    jwk = WORLD.issuer_key.public_key.jwk
    methods = [_method(ISSUER, jwk)["verificationMethod"][0]] * 5000
    yield (
        "5,000 verification methods",
        lambda: parse_did_document(
            {"id": ISSUER, "verificationMethod": methods}, parse_did(ISSUER)
        ),
    )
    yield "a DID of 1 MiB", lambda: parse_did("did:web:" + "a." * (MIB // 2))


def documents() -> Iterator[tuple[str, Refusal]]:
    """Linked data that is poison, and derived proofs that are garbage."""
    for name, graph in linked_data.POISON.items():
        yield f"a graph: {name}", lambda graph=graph: rdfc.canonicalize(graph)
    issuer = ed25519()
    crowded = linked_data.issued(issuer)
    children = [{"birthMonth": f"2015-{number}"} for number in range(2500)]
    crowded = {
        **crowded,
        "credentialSubject": {**crowded["credentialSubject"], "children": children},
    }
    yield "a credential of 2,500 children", lambda: linked_data.verify(crowded, issuer)
    proofs = {**linked_data.issued(issuer)}
    proofs["proof"] = [proofs["proof"]] * 1000
    yield "a thousand proofs", lambda: linked_data.verify(proofs, issuer)
    nested: Any = {"birthMonth": "2015-03"}
    for _ in range(90):
        nested = {"children": [nested]}
    deep = linked_data.issued(issuer)
    deep = {**deep, "credentialSubject": {**deep["credentialSubject"], **nested}}
    yield "a credential 180 deep", lambda: linked_data.verify(deep, issuer)
    shown = bbs.derived()
    noise = random.Random(11)
    for size in (0, 100, 20 * KIB):
        text = encode_base64url(bbs.DERIVED + noise.randbytes(size))
        proof = {**shown["proof"], "proofValue": text}
        yield (
            f"a BBS proof of {size} bytes of noise",
            (lambda proof=proof: bbs.verify({**shown, "proof": proof})),
        )
    for name, (change, _) in bbs.CHANGES.items():
        made = bbs.with_components(shown, change)
        yield f"a BBS proof: {name}", lambda made=made: bbs.verify(made)


def peak_bytes() -> int:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB


def warm_up() -> None:
    """Use every part once on good input, so that what is measured is not the first import."""
    verify_presentation(WORLD.present(WORLD.issue()), EVIDENCE, RULES, now=NOW)
    bbs.verify(bbs.derived())


def main() -> None:
    """Refuse everything and say what it cost."""
    warm_up()
    groups = (texts, claims, lists, parsers, documents)
    corpus = [item for group in groups for item in group()]
    start = peak_bytes()
    for name, refusal in corpus:
        started = time.process_time()
        try:
            refusal()
            code = None
        except SeoulWalletError as error:
            code = error.code
        spent = time.process_time() - started
        line = {"name": name, "code": code, "cpu_s": spent, "memory_bytes": peak_bytes() - start}
        sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
