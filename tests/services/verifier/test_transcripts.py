"""Each flow says on the wire what it said when its transcript was kept.

With SEOUL_WALLET_RECORD=1 the transcripts in `transcripts/` are written anew.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.support.certified_desk import certified
from tests.support.citizen import Citizen
from tests.support.desk import Desk
from tests.support.verifier_transcripts import message, readable

KEPT = Path(__file__).parent / "transcripts"
AGREEMENT = {
    "type": "urn:seoul-wallet:agreement:1",
    "credential_ids": ["card"],
    "text": "I enrol my child in the swimming class.",
}
FLOWS: dict[str, dict[str, Any]] = {
    "did-get-direct-post": {},
    "did-post-direct-post-jwt": {
        "request_uri_method": "post",
        "response_mode": "direct_post.jwt",
    },
    "x509-san-dns-transaction-data": {
        "client_id_prefix": "x509_san_dns",
        "transaction_data": [AGREEMENT],
    },
    "x509-hash-same-device": {
        "client_id_prefix": "x509_hash",
        "flow": "same_device",
        "return_uri": "https://agency.example/done",
    },
    "redirect-uri-by-value": {"client_id_prefix": "redirect_uri"},
    "dc-api-signed": {
        "client_id_prefix": "x509_hash",
        "flow": "dc_api",
        "expected_origins": ["https://shop.example"],
    },
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_flow_is_as_it_was_kept(
    open_desk: Callable[..., Desk], tmp_path: Path, name: str
) -> None:
    desk, anchors = certified(open_desk, tmp_path, x509.DNSName("verifier.example"))
    citizen = Citizen.at(desk, tmp_path, anchors=anchors)
    citizen.hold()
    opened = desk.ask(**FLOWS[name])
    found: list[Any] = [
        {"opened": sorted(opened), "dc_request": readable(opened.get("dc_request"))}
    ]
    if "dc_request" in opened:
        asked = opened["dc_request"]
        consent = citizen.wallet.review_from_page(
            asked["protocol"], asked["data"], origin="https://shop.example"
        )
        data = citizen.wallet.answer_page(consent)
        answer = desk.client.post(
            f"/v1/requests/{opened['request_id']}/response",
            json={"data": data},
            headers={"Authorization": f"Bearer {opened['result_token']}"},
        )
        found.append({"data": readable(data), "status": answer.status_code})
    else:
        citizen.wallet.present(citizen.wallet.review(opened["link"]))
        for (method, url, body), said in zip(
            citizen.transport.sent, citizen.transport.answers, strict=True
        ):
            found.append(message(method, url, body, said.status, said.body))
    told = desk.result(opened).get_json()
    found.append({"state": told["state"], "outcome": told.get("outcome")})
    text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
    path = KEPT / f"{name}.json"
    if os.environ.get("SEOUL_WALLET_RECORD") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text
