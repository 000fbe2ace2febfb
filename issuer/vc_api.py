"""An issuer that signs what it is given, for agencies that speak VC-API. Development only.

Its keys are did:keys made at start, forgotten at the end and never accredited: what they sign
proves nothing about anybody. Statuses are kept in memory for as long as the keys.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from wallet.credentials.cryptosuites.bbs_2023 import BBS_2023
from wallet.credentials.cryptosuites.ecdsa_jcs_2019 import ECDSA_JCS_2019
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.cryptosuites.eddsa_jcs_2022 import EDDSA_JCS_2022
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.cryptosuite import WholeDocumentSuite
from wallet.credentials.data_integrity.disclosure import ALWAYS_MANDATORY
from wallet.credentials.data_integrity.issue import (
    ProofOptions,
    derive_credential,
    issue_credential,
    issue_disclosable_credential,
)
from wallet.credentials.data_integrity.proof import ProofMalformed
from wallet.credentials.data_integrity.statement_suite import DisclosureSuite
from wallet.credentials.jsonld.pinned import CREDENTIALS_V1, CREDENTIALS_V2, DATA_INTEGRITY_V2
from wallet.credentials.jsonld.processor import Canonicalizer
from wallet.credentials.vc_jose import envelop_credential, issue_credential_jwt
from wallet.credentials.vcdm.credential import parse_credential
from wallet.credentials.vcdm.fields import (
    CredentialMalformed,
    format_date_time,
    parse_entries,
    parse_id_or_object,
)
from wallet.credentials.vcdm.related import check_related_resources
from wallet.crypto.bbs.keys import BbsVerificationKey
from wallet.crypto.bbs.signatures import generate_secret_key
from wallet.crypto.bbs.types import BbsSecretKey
from wallet.crypto.keys import (
    Ed25519SigningKey,
    Es256SigningKey,
    PublicKey,
    SigningKey,
)
from wallet.crypto.signing_keys import Es384SigningKey
from wallet.did.did_key import did_key_from_public_key
from wallet.encoding.json import JsonObject
from wallet.errors import ConflictError, SeoulWalletError
from wallet.ports.clock import Clock
from wallet.status.bitstring import (
    BitstringStatusEntry,
    BitstringStatusList,
    parse_bitstring_status_entry,
)

REVOCATION: Final = "revocation"
SUSPENSION: Final = "suspension"
PURPOSES: Final = (REVOCATION, SUSPENSION)
# Revocation, where the data model of the credential knows Bitstring Status Lists.
DEFAULT_PURPOSE: Final = "default"
LIST_VALIDITY_S: Final = 3600
STATUS_CONTEXT: Final = "https://www.w3.org/ns/credentials/status/v1"
_ANY: Final = ("ed25519", "p256", "p384")
_WHOLE: Final[dict[str, tuple[WholeDocumentSuite, tuple[str, ...]]]] = {
    "eddsa-rdfc-2022": (EDDSA_RDFC_2022, ("ed25519",)),
    "eddsa-jcs-2022": (EDDSA_JCS_2022, ("ed25519",)),
    "ecdsa-rdfc-2019": (ECDSA_RDFC_2019, ("p256", "p384")),
    "ecdsa-jcs-2019": (ECDSA_JCS_2019, ("p256", "p384")),
}
_DISCLOSING: Final[dict[str, tuple[DisclosureSuite[Any], str]]] = {
    "ecdsa-sd-2023": (ECDSA_SD_2023, "p256"),
    "bbs-2023": (BBS_2023, "bls"),
}
# How a credential is secured when the caller does not mind.
_PLAIN: Final = {
    "ed25519": "eddsa-rdfc-2022",
    "p256": "ecdsa-rdfc-2019",
    "p384": "ecdsa-rdfc-2019",
    "bls": "bbs-2023",
}
PAIRS: Final = frozenset(
    [(suite, key) for suite, (_, keys) in _WHOLE.items() for key in keys]
    + [(suite, key) for suite, (_, key) in _DISCLOSING.items()]
    + [("jwt", key) for key in _ANY]
    + [("bitstring", key) for key in _PLAIN]
)


class DevelopmentIssuerUnknown(ConflictError):
    """There is no development issuer with this cryptosuite and key."""

    code = "development_issuer_unknown"
    status = 404


class DevelopmentListFull(ConflictError):
    """Every place in the development issuer's status list is taken."""

    code = "development_list_full"


@dataclass(frozen=True, slots=True)
class _Signer:
    key: SigningKey | BbsSecretKey
    did: str

    @property
    def method(self) -> str:
        return f"{self.did}#{self.did.removeprefix('did:key:')}"


@dataclass(slots=True)
class _List:
    bits: BitstringStatusList = field(default_factory=BitstringStatusList.empty)
    taken: set[int] = field(default_factory=set)


def _signer(key: SigningKey | BbsSecretKey) -> _Signer:
    public: PublicKey = (
        BbsVerificationKey(key.public_key) if isinstance(key, BbsSecretKey) else key.public_key
    )
    return _Signer(key, did_key_from_public_key(public))


def _added(contexts: list[Any], url: str) -> list[Any]:
    return contexts if url in contexts else [*contexts, url]


class DevelopmentIssuer:
    """Signs credentials with keys of its own and keeps their revocation lists."""

    def __init__(self, base_url: str, clock: Clock, json_ld: Canonicalizer) -> None:
        self._base_url = base_url
        self._clock = clock
        self._json_ld = json_ld
        self._lock = threading.Lock()
        self._signers = {
            "ed25519": _signer(Ed25519SigningKey.generate()),
            "p256": _signer(Es256SigningKey.generate()),
            "p384": _signer(Es384SigningKey.generate()),
            "bls": _signer(generate_secret_key()),
        }
        self._lists = {(name, purpose): _List() for name in self._signers for purpose in PURPOSES}

    @property
    def dids(self) -> dict[str, str]:
        """The issuers' DIDs by the name of their key."""
        return {name: signer.did for name, signer in self._signers.items()}

    def list_uri(self, key: str, purpose: str = REVOCATION) -> str:
        """Return where a key's list for a purpose is served."""
        below = "" if purpose == REVOCATION else f"/{purpose}"
        return f"{self._base_url}/credentials/status/{key}{below}"

    def issue(
        self,
        suite: str,
        key: str,
        credential: JsonObject,
        mandatory_pointers: Sequence[str] = (),
        purpose: str | None = DEFAULT_PURPOSE,
    ) -> JsonObject:
        """Return the secured credential, with its issuer and a place in the list for `purpose`.

        `suite` may also be `bitstring` (secured as suits the key) or `jwt` (enveloped). With
        `DEFAULT_PURPOSE` it is revocation; but a credential of data model 1.1, whose contexts
        know no Bitstring Status List, gets no status then, unless `suite` asks for one. None
        asks for no status. Members that decide validity are mandatory in any case.

        Raises `DevelopmentIssuerUnknown`, `CredentialMalformed`, `ProofMalformed`,
        `PointerMalformed`, `RelatedResourceMismatch`, `DevelopmentListFull`, and what
        canonicalization raises.
        """
        if (suite, key) not in PAIRS:
            raise DevelopmentIssuerUnknown("there is no issuer with this cryptosuite and key")
        if "proof" in credential:
            raise ProofMalformed("a credential to issue has no proof yet")
        unsigned = self._identified(key, credential)
        parsed = parse_credential(unsigned)
        check_related_resources(parsed, self._json_ld.contexts.documents)
        if purpose == DEFAULT_PURPOSE:
            knows_lists = parsed.version == "2.0" or suite == "bitstring"
            purpose = REVOCATION if knows_lists else None
        if purpose is None:
            return self._signed(suite, key, unsigned, mandatory_pointers)
        return self._with_status(suite, key, unsigned, mandatory_pointers, purpose)

    def _with_status(
        self, suite: str, key: str, unsigned: JsonObject, pointers: Sequence[str], purpose: str
    ) -> JsonObject:
        index = self._allocate(key, purpose)
        entry = BitstringStatusEntry(self.list_uri(key, purpose), index, purpose)
        given = list(parse_entries(unsigned, "credentialStatus"))
        statuses = [*given, entry.to_json()]
        unsigned["credentialStatus"] = statuses if given else statuses[0]
        contexts = unsigned["@context"]
        if type(contexts) is list and contexts[0] == CREDENTIALS_V1:
            unsigned["@context"] = _added(contexts, STATUS_CONTEXT)
        try:
            return self._signed(suite, key, unsigned, pointers)
        except SeoulWalletError:
            # A credential that was not issued takes no place in the list.
            with self._lock:
                self._lists[key, purpose].taken.discard(index)
            raise

    def _identified(self, key: str, credential: JsonObject) -> JsonObject:
        """Return the credential as by this issuer, with the proof's context, which 1.1 lacks."""
        did = self._signers[key].did
        given = credential.get("issuer")
        if "issuer" in credential:
            parse_id_or_object(given, "issuer")
        unsigned = {**credential, "issuer": {**given, "id": did} if type(given) is dict else did}
        contexts = credential.get("@context")
        if type(contexts) is list and contexts[:1] == [CREDENTIALS_V1]:
            unsigned["@context"] = _added(contexts, DATA_INTEGRITY_V2)
        return unsigned

    def _allocate(self, key: str, purpose: str) -> int:
        with self._lock:
            known = self._lists[key, purpose]
            if len(known.taken) >= known.bits.entries:
                raise DevelopmentListFull("every place in the status list is taken")
            while (index := secrets.randbelow(known.bits.entries)) in known.taken:
                pass
            known.taken.add(index)
            return index

    def _signed(
        self, suite: str, key: str, unsigned: JsonObject, pointers: Sequence[str]
    ) -> JsonObject:
        if suite == "jwt":
            return self._envelop(self._signers[key], unsigned)
        return self._secure(
            _PLAIN[key] if suite == "bitstring" else suite, key, unsigned, pointers
        )

    def _secure(
        self, suite: str, key: str, unsigned: JsonObject, pointers: Sequence[str]
    ) -> JsonObject:
        signer = self._signers[key]
        options = ProofOptions(signer.method, created=self._clock.now())
        if suite in _WHOLE:
            whole, signing = _WHOLE[suite][0], signer.key
            if isinstance(signing, BbsSecretKey):
                raise DevelopmentIssuerUnknown("a BBS key signs with bbs-2023")
            return issue_credential(
                unsigned, signing, options, whole, json_ld=self._json_ld
            ).document
        always = [f"/{name}" for name in ALWAYS_MANDATORY if name in unsigned]
        return issue_disclosable_credential(
            unsigned,
            signer.key,
            options,
            _DISCLOSING[suite][0],
            mandatory_pointers=[*always, *(each for each in pointers if each not in always)],
            json_ld=self._json_ld,
        ).document

    def _envelop(self, signer: _Signer, unsigned: JsonObject) -> JsonObject:
        if isinstance(signer.key, BbsSecretKey):
            raise DevelopmentIssuerUnknown("a BBS key signs no JWT")
        issued = issue_credential_jwt(unsigned, signer.key, verification_method=signer.method)
        return envelop_credential(issued.compact)

    def set_status(self, entry: object, status: bool) -> None:
        """Set or clear the bit of a `credentialStatus` entry that this issuer gave out.

        Raises `StatusListMalformed`, `CredentialMalformed` for an entry of somebody else's.
        """
        parsed = parse_bitstring_status_entry(entry)
        named = (parsed.list_credential, parsed.purpose)
        lists = [
            known
            for (key, purpose), known in self._lists.items()
            if (self.list_uri(key, purpose), purpose) == named
        ]
        with self._lock:
            if not lists or parsed.index not in lists[0].taken:
                raise CredentialMalformed("credentialStatus is not one of this issuer's")
            (known,) = lists
            known.bits = known.bits.with_statuses({parsed.index: int(status)})

    def status_list(self, key: str, purpose: str = REVOCATION) -> JsonObject:
        """Return the signed BitstringStatusListCredential of a key for a purpose.

        Raises `DevelopmentIssuerUnknown`.
        """
        if (key, purpose) not in self._lists:
            raise DevelopmentIssuerUnknown("there is no issuer with this key and purpose")
        now, uri = self._clock.now(), self.list_uri(key, purpose)
        unsigned: JsonObject = {
            "@context": [CREDENTIALS_V2],
            "id": uri,
            "type": ["VerifiableCredential", "BitstringStatusListCredential"],
            "issuer": self._signers[key].did,
            "validFrom": format_date_time(now),
            "validUntil": format_date_time(now + LIST_VALIDITY_S),
            "credentialSubject": self._lists[key, purpose].bits.to_credential_subject(
                uri, purpose
            ),
        }
        suite = _PLAIN[key]
        # With BBS a verifier needs a derived proof; everything is mandatory, so it hides nothing.
        secured = self._secure(suite, key, unsigned, [""])
        if suite in _DISCLOSING:
            secured = derive_credential(
                secured, [""], _DISCLOSING[suite][0], json_ld=self._json_ld
            )
        return secured
