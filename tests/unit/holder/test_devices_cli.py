"""`wallet devices|lost|reissue`: a real issuer over loopback, and Argon2id at its full cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.server import ThreadedServer, free_port
from seoul_wallet.wallet_cli import wallet
from seoul_wallet.wallet_texts import TEXTS
from tests.support.issuing import FAMILY, HOLDER, IssuerWorld, issuer_world
from wallet.adapters.clock import SystemClock
from wallet.app import open_wallet
from wallet.crypto.recovery_phrase import PhraseLanguage
from wallet.status.token_status_list import VALID

pytestmark = pytest.mark.loopback
PASSPHRASE = "한강을 건너는 비밀 문장"
KO, EN = TEXTS["ko"], TEXTS["en"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[IssuerWorld]:
    port = free_port()
    built = issuer_world(
        tmp_path,
        base_url=f"http://localhost:{port}",
        now=SystemClock().now(),
        config_changes={"development": True},
    )
    server = ThreadedServer(built.application.flask_app, port)
    yield built
    server.stop()
    built.close()


def run(file: Path, *arguments: str, lang: str = "ko", typed: str = "") -> Result:
    return CliRunner().invoke(
        wallet,
        ["--file", str(file), "--lang", lang, "--development", *arguments],
        env={"SEOUL_WALLET_PASSPHRASE": PASSPHRASE, "COLUMNS": "200"},
        input=typed,
    )


def test_a_lost_phone_on_the_command_line(world: IssuerWorld, tmp_path: Path) -> None:
    old, new, export = tmp_path / "old.db", tmp_path / "new.db", tmp_path / "export"
    offer = world.operate(
        "/offers", {"family_id": FAMILY, "holder_id": HOLDER, "tx_code": False}
    ).get_json()["link"]
    with open_wallet(old, PASSPHRASE, create=True, development=True) as phone:
        phone.devices.name_device("옛 전화 (가상)")
        phone.receive(offer)
        words = " ".join(phone.create_recovery_phrase(PhraseLanguage.KOREAN).words)
        phone.export(export)

    restored = run(new, "restore", str(export), typed=words + "\n")
    assert restored.exit_code == 0, restored.output
    assert "wallet reissue" in restored.output
    issued = run(new, "reissue", "--keep")
    assert issued.exit_code == 0, issued.output
    assert KO["reissued"] in issued.output
    again = run(new, "reissue", lang="en")
    assert again.exit_code == 0, again.output
    assert EN["here_already"] in again.output

    listed = run(new, "devices", "--name", "새 전화 (가상)")
    assert listed.exit_code == 0, listed.output
    assert "옛 전화 (가상)" in listed.output
    assert KO["this_device"] in listed.output
    row = next(line for line in listed.output.splitlines() if "옛 전화" in line)
    device_id = row.split("│")[1].strip()
    asked = run(new, "lost", device_id, typed="n\n")
    assert asked.exit_code == 4
    assert valid(world) == 8
    told = run(new, "lost", device_id, "--yes")
    assert told.exit_code == 0, told.output
    assert KO["lost_done"] in told.output
    assert valid(world) == 4
    refused = run(old, "reissue", "--again")
    assert refused.exit_code == 3
    assert KO["reason_recovery_device_lost"] in refused.output
    assert run(new, "lost", "nobody", "--yes").exit_code == 4


def valid(world: IssuerWorld) -> int:
    issued = world.application.service.statuses.issuances_of(FAMILY)
    return sum(item.status == VALID and item.leaf is not None for item in issued)
