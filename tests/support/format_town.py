"""A city with one card in every format, and a citizen who holds it. People are synthetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from tests.support.city import AGENCY_TOKEN, City
from tests.support.holder_stores import create_store
from tests.support.issuing import ALICE, FAMILY, HOLDER, NOW, sample_family
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.formats import BBS_NYM_FORMAT, JWT_VC_FORMAT, LDP_VC_FORMAT
from wallet.encoding.json import JsonObject
from wallet.holder.cards import Card, HeldCredential, HeldCredentials
from wallet.holder.consent import ConsentRequest
from wallet.holder.handles import is_nym_handle
from wallet.holder.nyms import Nyms
from wallet.holder.presentables import Binding, presentable
from wallet.holder.signing import HeldSigningKey
from wallet.holder.wallet import Wallet
from wallet.protocols.oid4vp_response import RawPresentation, build_response
from wallet.trust.identifiers import schema_id

CARD: Final = "multi-child-family-card"
VCT: Final = "urn:seoul-wallet:multi-child-family-card:1"
EPOCH: Final = "2027"
# The suffix of the configuration, and the format of the query.
FORMATS: Final[Mapping[str, str]] = {
    "jwt": JWT_VC_FORMAT,
    "ldp": LDP_VC_FORMAT,
    "ldp-sd": LDP_VC_FORMAT,
    "bbs": BBS_NYM_FORMAT,
}
STATUS_REUSE_S: Final = 120
ANCHOR_INTERVAL_S: Final = 3600
W3C: Final = ("jwt", "ldp", "ldp-sd")
PARTIAL: Final = ("ldp-sd", "bbs")
# By what a presentation for another nonce, or audience, is rejected.
OTHER_NONCE: Final = {
    "jwt": "nonce_mismatch",
    "ldp": "challenge_mismatch",
    "ldp-sd": "challenge_mismatch",
    "bbs": "bbs_proof_invalid",
}
OTHER_AUDIENCE: Final = {
    "jwt": "audience_mismatch",
    "ldp": "domain_mismatch",
    "ldp-sd": "domain_mismatch",
    "bbs": "bbs_proof_invalid",
}


def query_for(kind: str, *claims: str, **changes: Any) -> JsonObject:
    """Return a DCQL query for one card in the format of a kind."""
    if FORMATS[kind] == BBS_NYM_FORMAT:
        meta: JsonObject = {"vct_values": [VCT]}
        paths = [[name] for name in claims]
    else:
        meta = {"type_values": [["MultiChildFamilyCard"]]}
        paths = [["credentialSubject", name] for name in claims]
    item: JsonObject = {"id": "card", "format": FORMATS[kind], "meta": meta}
    if paths:
        item["claims"] = [{"path": path} for path in paths]
    return {"credentials": [{**item, **changes}]}


def _named(kind: str) -> JsonObject:
    (item,) = query_for(kind, "child_count")["credentials"]
    return {**item, "id": kind}


TWO_CARDS: Final[JsonObject] = {"credentials": [_named("jwt"), _named("bbs")]}


@dataclass
class Holder:
    """A wallet, and what is behind it."""

    wallet: Wallet
    held: HeldCredentials
    keys: SoftwareKeyStore
    nyms: Nyms
    store: SqliteRecordStore

    def credential(self, card: Card) -> HeldCredential:
        """Return a card as it is stored."""
        return self.held.get(card.id)

    def presentation(
        self,
        card: Card,
        paths: Sequence[tuple[str | int, ...]],
        *,
        audience: str,
        nonce: str,
        issued_at: int,
        key: Any = None,
        pseudonym: bool = False,
    ) -> RawPresentation:
        """Return a presentation as this wallet would make it, or as it never would."""
        held = self.credential(card)
        own = None
        if not is_nym_handle(held.key_handle):
            own = HeldSigningKey(self.keys, self.keys.find(held.key_handle))
        binding = Binding(key or own, self.nyms, audience, nonce, issued_at, {}, pseudonym)
        return presentable(held).present(paths, binding)


@dataclass
class FormatTown:
    """A city with an issuer of every format, and an agency that takes them."""

    folder: Path
    configure: Mapping[str, Any] = field(default_factory=dict)
    accredited: bool = True
    now: int = NOW

    def __post_init__(self) -> None:
        self.city = City(
            self.folder,
            self.now,
            {},
            [sample_family()],
            configure=self.configure,
            issuing={"nym_epoch": EPOCH},
        )
        identity = self.city.issuer.service.identity
        if self.accredited:
            self.city.ledger.accredit(identity.chain_id, schema_id(VCT))
        self.city.settle()
        self._holders: list[Holder] = []

    def holder(self) -> Holder:
        """Return somebody with an empty wallet."""
        store = create_store(self.folder / f"{len(self._holders)}.wallet")
        keys = SoftwareKeyStore(store)
        wallet = Wallet(
            records=store,
            keys=keys,
            transport=self.city.network,
            dids=self.city.network,
            clock=self.city.clock,
            close=store.close,
        )
        self._holders.append(
            Holder(wallet, HeldCredentials(store), keys, Nyms(store, wallet.voting_secrets), store)
        )
        return self._holders[-1]

    def operate(self, path: str, body: JsonObject) -> Any:
        """Ask the issuer as its operator."""
        return self.city.network.hosts["issuer.example"].post(
            f"/operator{path}", json=body, headers={"Authorization": f"Bearer {ALICE}"}
        )

    def offer(self, kind: str) -> str:
        """Return the link of an offer of the card."""
        made = self.operate(
            "/credential-offers",
            {
                "configuration_id": f"{CARD}-{kind}",
                "subject_id": FAMILY,
                "holder_id": HOLDER,
                "tx_code": False,
            },
        )
        assert made.status_code == 201, made.text
        link: str = made.get_json()["link"]
        return link

    def give(self, holder: Holder, kind: str) -> Card:
        """Let a holder receive the card in a format."""
        (card,) = holder.wallet.receive(self.offer(kind))
        return card

    def issuances(self) -> frozenset[str]:
        """Return the ids of everything that the family was issued."""
        found = self.city.issuer.service.statuses.issuances_of(FAMILY)
        return frozenset(issuance.issuance_id for issuance in found)

    def change_status(self, issuances: frozenset[str], change: str) -> None:
        """Revoke, suspend or reinstate issuances, and let the lists that say so be served."""
        for issuance in sorted(issuances):
            path = f"/issuances/{issuance}/{change}"
            assert self.operate(path, {"reason": "under_review"}).status_code == 204
        self.pass_time(STATUS_REUSE_S)

    def pass_time(self, seconds: int) -> None:
        """Let time go by, and everyone catch up."""
        self.city.clock.set(self.city.clock.now() + seconds)
        self.city.settle()

    def ask(self, query: JsonObject, **options: Any) -> JsonObject:
        """Open a request as the agency, for a DCQL query or for what `query` names."""
        purpose = "합성 시험 / synthetic test"
        asked = {"dcql_query": query, "purpose": purpose} if "credentials" in query else query
        answer = self.city.agency.post(
            "/v1/requests",
            json={**asked, **options},
            headers={"Authorization": f"Bearer {AGENCY_TOKEN}"},
        )
        assert answer.status_code == 201, answer.text
        opened: JsonObject = answer.get_json()
        return opened

    def result(self, opened: JsonObject) -> JsonObject:
        """Collect the result of a request."""
        answer = self.city.agency.get(
            urlsplit(opened["result_uri"]).path,
            headers={"Authorization": f"Bearer {opened['result_token']}"},
        )
        assert answer.status_code == 200, answer.text
        found: JsonObject = answer.get_json()
        return found

    def post(self, consent: ConsentRequest, presentation: RawPresentation) -> Any:
        """Post an answer that no wallet of ours makes."""
        request = consent.request
        form = urlencode(build_response({"card": [presentation]}, request.state)).encode()
        return self.city.network.post_form(request.response_uri or "", form)

    def close(self) -> None:
        """Release everything."""
        for holder in self._holders:
            holder.wallet.close()
        self.city.close()
