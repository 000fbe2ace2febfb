"""The command `seoul-wallet verifier` against a running stack, answered by a wallet."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from click.testing import CliRunner, Result

from seoul_wallet.cli import main
from tests.e2e.test_serve import serving
from wallet.adapters.http.fetch import GuardedClient
from wallet.encoding.json import JsonObject, parse_json_object

pytestmark = [pytest.mark.loopback, pytest.mark.timeout(180)]
ACCREDITED_WITHIN_S = 60
AGREEMENT = {
    "type": "urn:seoul-wallet:agreement:1",
    "credential_ids": ["card"],
    "text": "I enrol my child in the swimming class.",
}

MORE = {
    "credentials": [
        {
            "id": "card",
            "format": "dc+sd-jwt",
            "meta": {"vct_values": ["urn:seoul-wallet:multi-child-family-card:1"]},
            "claims": [{"path": ["child_count"]}, {"path": ["family_name"]}],
        }
    ]
}


# The command line in a process in which every use of the network is an error.
WITHOUT_SOCKETS = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("a socket was opened")
socket.socket.__init__ = socket.getaddrinfo = refuse
from seoul_wallet.cli import main
main(sys.argv[1:])
"""


def run(environ: dict[str, str], *arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, env=environ)


def operator_offer(ready: JsonObject) -> str:
    """Have the department offer some family's card, and return the link."""
    token = parse_json_object(Path(ready["tokens"]).read_bytes())["operators"]["clerk"]
    folder = Path(ready["tokens"]).parent
    lines = (folder / "families.csv").read_text("utf-8-sig").splitlines()
    head = lines[0].split(",")
    client = GuardedClient(allow_loopback_http=True, ca_file=ready["trust_anchor"])
    for line in lines[1:]:
        row = dict(zip(head, line.split(","), strict=False))
        body = {"family_id": row["family_id"], "holder_id": row["register_id"], "tx_code": False}
        answer = client.request(
            "POST",
            f"{ready['issuer']}/operator/offers",
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            body=json.dumps(body).encode(),
        )
        if answer.status == 201:
            client.close()
            return str(parse_json_object(answer.body)["link"])
    raise AssertionError("no family of the sample gets a card")


def shown_offline(tmp_path: Path, environ: dict[str, str], holder: tuple[str, ...]) -> None:
    """Show the card to the verifier, from a process that shares with it two folders of pictures
    and can open no socket."""
    asked, answered = tmp_path / "asked", tmp_path / "answered"
    opened = run(environ, "verifier", "offline-request", "family-card", "--folder", str(asked))
    assert opened.exit_code == 0, opened.output
    command = ("show-offline", str(asked), "--folder", str(answered), "--yes")
    shown = subprocess.run(
        [sys.executable, "-c", WITHOUT_SOCKETS, *holder, *command],
        env={**os.environ, **environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown.returncode == 0, shown.stderr
    assert len(list(asked.glob("*.png"))) > 1
    assert len(list(answered.glob("*.png"))) > 1
    session = opened.output.strip()
    told = run(environ, "verifier", "offline-decide", session, "--frames", str(answered))
    assert told.exit_code == 0, told.output
    outcome = parse_json_object(told.output.encode())
    assert (outcome["outcome"], outcome["code"]) == ("accepted", None)
    assert outcome["facts_age_s"] >= 0
    folder = str(tmp_path / "programme")
    of_programme = ("offline-request", "climate-card-youth", "--programme", "--folder", folder)
    asked_for = run(environ, "verifier", *of_programme)
    assert asked_for.exit_code == 0, asked_for.output
    open_still = run(environ, "verifier", "result", asked_for.output.strip())
    assert parse_json_object(open_still.output.encode())["state"] == "fetched"
    # The same frames again, and a loop that was not read to its end.
    again = run(environ, "verifier", "offline-decide", session, "--frames", str(answered))
    assert again.exit_code == 4, again.output
    next(answered.glob("*.png")).unlink()
    partial = run(environ, "verifier", "offline-decide", session, "--frames", str(answered))
    assert partial.exit_code == 4, partial.output
    assert "frames_missing" in partial.output


def ten_lines_of_the_page(tmp_path: Path, environ: dict[str, str]) -> None:
    """Run docs/wallet.md's first program as a stranger would."""
    page = (Path(__file__).parents[2] / "docs" / "wallet.md").read_text("utf-8")
    (program,) = re.findall(r"^```py\n(.*?)^```", page, re.M | re.S)
    assert len([line for line in program.splitlines() if line]) <= 10
    offer = run(environ, "issuer", "offer", "multi-child-family-card").output.splitlines()[0]
    link = run(environ, "verifier", "request", "family-card").output.splitlines()[0]
    done = subprocess.run(
        [sys.executable, "-c", program, offer, link],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "다둥이 행복카드" in done.stdout
    assert done.stdout.endswith("accepted\n")


def test_asks_prints_a_link_and_tells_the_outcome(tmp_path: Path) -> None:
    environ = {
        "SEOUL_WALLET_STACK": str(tmp_path / "home" / "stack.json"),
        "SEOUL_WALLET_PASSPHRASE": "synthetic passphrase",
        "SEOUL_WALLET_FILE": str(tmp_path / "wallet.db"),
    }
    transaction = tmp_path / "transaction.json"
    transaction.write_text(json.dumps(AGREEMENT))
    assert run(environ, "verifier", "request", "family-card").exit_code == 4
    with serving(tmp_path / "stack", environ=environ) as ready:
        assert Path(ready["stack"]).stat().st_mode & 0o077 == 0
        holder = (
            "wallet", "--development", "--verifier-ca", ready["trust_anchor"],
            "--registry", ready["registry"],
        )  # fmt: skip
        assert run(environ, *holder, "create").exit_code == 0
        received = run(environ, *holder, "receive", operator_offer(ready), "--yes")
        assert received.exit_code == 0, received.output

        def once(prefix: str, mode: str) -> JsonObject:
            asked = run(
                environ, "verifier", "request", "family-card", "--prefix", prefix,
                "--response-mode", mode, "--transaction-data", str(transaction),
            )  # fmt: skip
            assert asked.exit_code == 0, asked.output
            link, session = asked.output.split()
            assert link.startswith(f"openid4vp://?{urlencode({'client_id': prefix})}") or (
                prefix == "redirect_uri"
            )
            shown = run(environ, *holder, "present", link, "--yes")
            assert shown.exit_code == 0, shown.output
            assert "swimming class" in shown.output
            told = run(environ, "verifier", "result", session, "--wait", "10")
            return parse_json_object(told.output.encode())

        # The clock of the chain in the process starts ahead of the one on the wall.
        ends_at = time.monotonic() + ACCREDITED_WITHIN_S
        while once("decentralized_identifier", "direct_post")["code"] == "issuer_not_accredited":
            assert time.monotonic() < ends_at
            time.sleep(1)
        for prefix, mode in (
            ("x509_san_dns", "direct_post.jwt"),
            ("x509_hash", "direct_post.jwt"),
            ("redirect_uri", "direct_post"),
        ):
            outcome = once(prefix, mode)
            assert (outcome["outcome"], outcome["code"]) == ("accepted", None)
            assert set(outcome["credentials"]["card"][0]["claims"]) == {
                "child_count", "seoul_resident", "valid_until",
            }  # fmt: skip
        shown_offline(tmp_path, environ, holder)
        ten_lines_of_the_page(tmp_path, environ)
        # The chain has what this verifier may ask for, and the wallet looks there.
        more = tmp_path / "more.json"
        more.write_text(json.dumps(MORE))
        asked = run(environ, "verifier", "request", str(more), "--purpose", "synthetic")
        refused = run(environ, *holder, "present", asked.output.split()[0], "--yes")
        assert refused.exit_code == 3, refused.output
        assert "outside_registration" in refused.output
        no_json = tmp_path / "text.json"
        no_json.write_text("text")
        data = ("--transaction-data", str(no_json))
        for arguments, code, told in (
            (("result", "nonsense"), 4, "session_not_kept: "),
            (("request", "nonsense"), 2, "stack_request_malformed: query_unknown: "),
            (("request", str(no_json)), 2, "json_malformed: text.json: "),
            (("request", "missing.json"), 2, "file_unreadable: missing.json "),
            (("request", "family-card", *data), 2, "json_malformed: text.json: "),
        ):
            bad = run(environ, "verifier", *arguments)
            assert bad.exit_code == code, bad.output
            assert bad.output.startswith(told)
            assert bad.output.count("\n") == 1
