"""A small world for verification tests: one issuer, one holder, one card, honest evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wallet.credentials.jose import sign_jws
from wallet.credentials.sd_jwt import (
    IssuedSdJwt,
    bind_to_key,
    issue_sd_jwt_vc,
    parse_sd_jwt,
    present_sd_jwt,
    select_disclosures,
)
from wallet.crypto.keys import Es256SigningKey
from wallet.crypto.merkle import MerkleTree
from wallet.did.document import build_did_document, parse_did_document
from wallet.did.syntax import parse_did
from wallet.encoding.json import JsonObject
from wallet.status.token_status_list import TokenStatusList
from wallet.trust.facts import (
    AccreditorScope,
    AnchorFacts,
    BatchFact,
    BlockRef,
    IssuerScope,
    StatusFact,
)
from wallet.trust.identifiers import issuer_id, schema_id, status_list_id
from wallet.trust.receipt import RECEIPT_CLAIM, AnchorReceipt, batch_leaf
from wallet.verification.evidence import Evidence, Fact
from wallet.verification.policy import TrustPolicy, VerificationPolicy
from wallet.verification.status import verify_status_list_token

NOW = 1_800_000_000
ISSUER = "did:web:issuer.example"
VCT = "urn:seoul-wallet:multi-child-family-card:1"
STATUS_URI = "https://issuer.example/status-lists/1"
AUDIENCE = "https://verifier.example"
NONCE = "n-0S6_WzA2Mj0123456789"
ACCREDITOR = "0x" + "a1" * 20
DISCLOSED = (("child_count",), ("seoul_resident",), ("valid_until",))


def card_claims() -> JsonObject:
    """Ten claims of a synthetic card; the holder's name and five more are disclosable."""
    return {
        "iss": ISSUER,
        "vct": VCT,
        "exp": NOW + 86400 * 365,
        "status": {"status_list": {"idx": 7, "uri": STATUS_URI}},
        "name": "김합성",
        "seoul_resident": True,
        "child_count": 2,
        "youngest_birth_month": "2015-03",
        "valid_until": "2034-02-28",
        "holder_role": "parent",
    }


DISCLOSABLE = (
    ("name",),
    ("seoul_resident",),
    ("child_count",),
    ("youngest_birth_month",),
    ("valid_until",),
    ("holder_role",),
)


@dataclass
class World:
    """Everything honest; a test changes one thing and looks at the step that notices."""

    issuer_key: Es256SigningKey = field(default_factory=Es256SigningKey.generate)
    holder_key: Es256SigningKey = field(default_factory=Es256SigningKey.generate)
    claims: JsonObject = field(default_factory=card_claims)
    disclosable: Sequence[tuple[str | int, ...]] = DISCLOSABLE
    statuses: dict[int, int] = field(default_factory=dict)
    status_issued_at: int = NOW - 60
    status_claims: JsonObject = field(default_factory=dict)
    neighbours: int = 63

    def issue(self) -> IssuedSdJwt:
        """Sign the card."""
        return issue_sd_jwt_vc(
            self.claims,
            self.disclosable,
            self.issuer_key,
            verification_method=f"{ISSUER}#key-1",
            holder=self.holder_key.public_key,
        )

    def receipt(self, issued: IssuedSdJwt) -> tuple[AnchorReceipt, bytes]:
        """Return the card's receipt in a padded batch, and the batch's root."""
        salt = b"\x42" * 32
        leaves = [bytes([n]) * 32 for n in range(self.neighbours)]
        leaves.insert(5, batch_leaf(salt, issued.signing_input))
        tree = MerkleTree(leaves)
        return AnchorReceipt(5, tree.size, tree.inclusion_path(5), salt), tree.root

    def present(
        self,
        issued: IssuedSdJwt,
        *,
        disclose: Sequence[tuple[str | int | None, ...]] = DISCLOSED,
        audience: str = AUDIENCE,
        nonce: str = NONCE,
        issued_at: int = NOW,
        receipt: AnchorReceipt | None = None,
        key: Es256SigningKey | None = None,
        extra: JsonObject | None = None,
    ) -> str:
        """Present the card with key binding."""
        parsed = parse_sd_jwt(issued.compact)
        chosen = select_disclosures(parsed.process(parsed.jws.peek_claims()), disclose)
        bound = dict(extra or {})
        if receipt is not None:
            bound[RECEIPT_CLAIM] = receipt.to_json()
        return bind_to_key(
            present_sd_jwt(parsed, chosen),
            key or self.holder_key,
            audience=audience,
            nonce=nonce,
            issued_at=issued_at,
            extra_claims=bound,
        )

    def status_token(self, **changes: Any) -> bytes:
        """Return a signed status list of 1,024 entries."""
        entries = TokenStatusList.empty(1024).with_statuses(self.statuses)
        claims = {
            "sub": STATUS_URI,
            "iss": ISSUER,
            "iat": self.status_issued_at,
            "exp": self.status_issued_at + 86400,
            "ttl": 43200,
            "status_list": entries.to_claim(),
            **self.status_claims,
            **changes,
        }
        header = {"typ": "statuslist+jwt", "kid": f"{ISSUER}#key-1"}
        return sign_jws(self.issuer_key, header, claims).encode()

    def anchor_facts(self, root: bytes | None = None) -> AnchorFacts:
        """Return what a replica knows: issuer and accreditor in force, the batch if given."""
        schema = schema_id(VCT)
        listed = TokenStatusList.empty(1024).with_statuses(self.statuses)
        return AnchorFacts(
            head=BlockRef(100, b"\x01" * 32, NOW - 30),
            issuer_scopes=(
                IssuerScope(issuer_id(ISSUER), schema, 0, ACCREDITOR, NOW - 10_000, NOW + 10_000),
            ),
            accreditor_scopes=(
                AccreditorScope(ACCREDITOR, schema, 0, NOW - 20_000, NOW + 20_000),
            ),
            batch=None
            if root is None
            else BatchFact(issuer_id(ISSUER), schema, root, 64, b"\x02" * 32, NOW - 5_000),
            status=StatusFact(
                issuer_id(ISSUER),
                status_list_id(STATUS_URI),
                3,
                listed.digest,
                NOW + 86400,
                NOW - 500,
            ),
        )

    def evidence(self, root: bytes | None = None) -> Evidence:
        """Return complete, fresh evidence."""
        did = parse_did(ISSUER)
        document = parse_did_document(
            build_did_document(ISSUER, {"key-1": self.issuer_key.public_key}), did
        )
        listed = verify_status_list_token(
            self.status_token(), uri=STATUS_URI, issuer=ISSUER, issuer_keys=document
        )
        return Evidence(
            issuer_keys=Fact(document, NOW - 120),
            anchor=Fact(self.anchor_facts(root), NOW - 30),
            status_list=Fact(listed, self.status_issued_at),
        )


def policy(**trust: Any) -> VerificationPolicy:
    """Return the policy of the test verifier, with changes to its trust policy."""
    return VerificationPolicy(
        accepted_types=frozenset((VCT,)),
        audience=AUDIENCE,
        nonce=NONCE,
        trust=replace(TrustPolicy(), **trust),
    )


def proof_policy(**changes: Any) -> VerificationPolicy:
    """Return a policy that checks the proof alone."""
    base = VerificationPolicy(
        accepted_types=frozenset((VCT,)), audience=AUDIENCE, nonce=NONCE, trust=None
    )
    return replace(base, **changes)
