"""The endpoints that pages of other sites may call: those of wallets, and what anyone may read.

Not the agencies' own endpoints, nor the pages, whose cookie ties an answer to its browser.
"""

from __future__ import annotations

from typing import Final

from verifier.oidc.provider import DISCOVERY_PATH, JWKS_PATH, USERINFO_PATH
from wallet.web.cross_origin import GET, POST, OpenRoutes

OPEN_ROUTES: Final[OpenRoutes] = {
    "/.well-known/did.json": GET,
    "/openapi.json": GET,
    "/request-objects/<session_id>": (*GET, *POST),
    "/responses": POST,
    "/v1/programmes": GET,
    "/v1/programmes/<programme_id>/<version>": GET,
    "/v1/programmes/catalogue": GET,
    "/v1/programmes/schema": GET,
    "/v1/receipts/<entry_id>": GET,
    "/v1/receipts/<entry_id>/countersignature": POST,
    "/v1/receipts/<entry_id>/deletion": POST,
    "/v1/receipts/collections": POST,
    "/v1/receipts/withdrawals": POST,
    "/v1/agency-log": GET,
    "/v1/agency-log/extension": GET,
    # Relying parties are servers; of theirs, OpenID Connect Core §5.3 has this one open.
    DISCOVERY_PATH: GET,
    JWKS_PATH: GET,
    USERINFO_PATH: (*GET, *POST),
}
