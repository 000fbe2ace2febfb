"""Evidence in the whole stack: chain, issuer, verifier and a wallet over loopback."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from issuer.register.model import SEOUL
from seoul_wallet.chain import in_process_chain
from seoul_wallet.sample.residents import make_residents
from seoul_wallet.stack import CLERK, start_stack
from wallet.adapters.clock import SystemClock
from wallet.adapters.http.fetch import GuardedClient
from wallet.app import open_wallet
from wallet.eligibility.days import seoul_day
from wallet.encoding.json import parse_json_object, to_json


@pytest.mark.loopback
@pytest.mark.timeout(240)
def test_a_resident_joins_the_library_with_what_the_stack_issued(tmp_path: Path) -> None:
    today = seoul_day(SystemClock().now())
    resident = next(
        item.register_id
        for item in make_residents(seed=1, count=30, on=today)
        if item.rows["residence"][-1]["city_or_province"] == SEOUL
        and item.rows["residence"][-1]["first_day"] <= today
    )
    with start_stack(
        tmp_path / "stack", in_process_chain(), households=30, residents=30, on=today
    ) as stack:
        client = GuardedClient(allow_loopback_http=True)
        offer = client.request(
            "POST",
            f"{stack.issuer_url}/operator/evidence-offers",
            headers={
                "Authorization": f"Bearer {stack.operator_tokens[CLERK]}",
                "Content-Type": "application/json",
            },
            body=to_json(
                {
                    "kind": "residence",
                    "subject_id": resident,
                    "holder_id": resident,
                    "tx_code": False,
                }
            ),
        )
        client.close()
        assert offer.status == 201, offer.body
        city = "did:web:" + quote(urlsplit(stack.verifier_url).netloc, safe="")
        with open_wallet(
            tmp_path / "wallet.db",
            "한강을 건너는 비밀 문장",
            create=True,
            development=True,
            catalogue_publishers=frozenset((city,)),
        ) as wallet:
            wallet.receive(parse_json_object(offer.body)["link"])
            wallet.discovery.refresh(stack.verifier_url)
            (library,) = [
                item
                for item in wallet.discovery.findings()
                if item.programme.id == "library-member"
            ]
            plan = wallet.discovery.plan([library])
            # The status list of the new credential may still be on its way to the chain.
            for _ in range(60):
                (applied,) = wallet.discovery.apply(plan)
                assert applied.decision is not None, applied.code
                if applied.decision["outcome"] != "unknown":
                    break
                stack.issuer.work_once()
                stack.verifier.background.run_once()
        assert applied.decision["outcome"] == "eligible", applied.decision
        (seen,) = applied.decision["evidence"]
        assert seen["accepted"]
        assert seen["facts_age_s"] is not None
    # SQLite removes its log with the last connection: a closed stack holds no database open.
    assert list((tmp_path / "stack").glob("*.db")) != []
    assert list((tmp_path / "stack").glob("*-wal")) == []
