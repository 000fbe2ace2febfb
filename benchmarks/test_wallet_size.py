"""Claims: what a wallet with 10,000 cards takes to open and to search, and what one answer costs.

All in time of the processor, the quickest of nine: other programs on the machine can only make it
longer. Opening is compared with one Argon2id derivation at the stored parameters, which takes ten
times as long as what is measured. The search is cold, the first one after opening, over the index
that the last session kept; ten cards answer. Memory is that of a process that opened the wallet
and searched it.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest

from benchmarks.conftest import Figure, Paired, is_measuring
from tests.support.credentials import DISCLOSABLE, ISSUER, NOW, VCT, World, card_claims
from tests.support.holder_stores import PASSPHRASE
from wallet.adapters.keystore.software import SoftwareKeyStore
from wallet.adapters.sql.holder_store import SqliteRecordStore
from wallet.credentials.sd_jwt import issue_sd_jwt_vc
from wallet.crypto.keys import Es256SigningKey
from wallet.crypto.sealing import RootKey, wrap_key
from wallet.encoding.json import to_json
from wallet.holder.card_index import CardIndex
from wallet.holder.cards import HeldCredential, to_put
from wallet.holder.choices import choices_for
from wallet.holder.nyms import Nyms
from wallet.holder.presentables import Binding, presentable
from wallet.holder.voting_secrets import VotingSecrets
from wallet.protocols.dcql import parse_dcql

CARDS, ANSWERING, PER_WRITE = 10_000, 10, 500
FEW = 40
OPEN_BEYOND_ARGON2_MS, FIND_MS, MEMORY_MIB = 100.0, 20.0, 150.0
ROUNDS = 9
QUERY = parse_dcql(
    {
        "credentials": [
            {
                "id": "card",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [VCT]},
                "claims": [{"path": ["child_count"]}, {"path": ["seoul_resident"]}],
            }
        ]
    }
)


@pytest.fixture(scope="module")
def wallet_file(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    path = tmp_path_factory.mktemp("size") / "wallet.db"
    count = CARDS if is_measuring(pytestconfig) else FEW
    every, world = count // ANSWERING, World()
    with SqliteRecordStore.create(path, PASSPHRASE) as store:
        key = SoftwareKeyStore(store).generate()
        puts = [
            to_put(
                HeldCredential(
                    id=f"card-{number}",
                    credential_issuer="https://issuer.example",
                    configuration_id="card",
                    credential=issue_sd_jwt_vc(
                        card_claims() | ({} if number % every == 0 else {"vct": _other(number)}),
                        DISCLOSABLE,
                        world.issuer_key,
                        verification_method=f"{ISSUER}#key-1",
                        holder=key.public_key,
                    ).compact,
                    key_handle=key.handle,
                    received_at=NOW - number,
                )
            )
            for number in range(count)
        ]
        for start in range(0, count, PER_WRITE):
            store.write(*puts[start : start + PER_WRITE])
        index = CardIndex(store)
        index.answering(QUERY)
        index.keep()
    return path


def _other(number: int) -> str:
    return f"urn:seoul-wallet:synthetic:{number % 37}"


_HOLDER = """
import sys
from pathlib import Path
from wallet.app import open_wallet
from wallet.encoding.json import to_json
from wallet.holder.card_index import CardIndex
from wallet.protocols.dcql import parse_dcql
from wallet.encoding.json import parse_json_object
with open_wallet(sys.argv[1], sys.argv[2]) as wallet:
    query = parse_dcql(parse_json_object(sys.argv[3].encode()))
    found = CardIndex(wallet._records).answering(query)
    assert len(found) == int(sys.argv[4])
    status = Path("/proc/self/status").read_text("ascii")
print(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
"""


def _resident_mib(path: Path) -> float:
    """Return what a process takes that does nothing but open the wallet and search it."""
    query = to_json(QUERY.to_json()).decode()
    done = subprocess.run(
        [sys.executable, "-c", _HOLDER, str(path), PASSPHRASE, query, str(ANSWERING)],
        env={"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1024


def _derivation_s() -> float:
    started = process_time()
    wrap_key(RootKey.generate(), PASSPHRASE, label=b"benchmark")
    return process_time() - started


def test_opening_and_searching(
    wallet_file: Path, figure: Figure, pytestconfig: pytest.Config
) -> None:
    opening, deriving, finding = [], [], []
    for _ in range(ROUNDS if is_measuring(pytestconfig) else 1):
        deriving.append(_derivation_s())
        started = process_time()
        with SqliteRecordStore.open(wallet_file, PASSPHRASE) as store:
            opening.append(process_time() - started)
            started = process_time()
            found = CardIndex(store).answering(QUERY)
            choices = choices_for(QUERY.credentials["card"], None, found)
            finding.append(process_time() - started)
            assert len(choices) == ANSWERING
    if not is_measuring(pytestconfig):
        return
    beyond = (min(opening) - min(deriving)) * 1000
    figure("open 10,000 cards beyond Argon2id", beyond, limit=OPEN_BEYOND_ARGON2_MS, unit="ms")
    figure("find what answers, of 10,000", min(finding) * 1000, limit=FIND_MS, unit="ms")
    figure("memory with 10,000 cards", _resident_mib(wallet_file), limit=MEMORY_MIB, unit="MiB")


def test_one_presentation_against_a_raw_signature(wallet_file: Path, paired: Paired) -> None:
    with SqliteRecordStore.open(wallet_file, PASSPHRASE) as store:
        held, *_ = CardIndex(store).answering(QUERY)
        key = Es256SigningKey.generate()
        nyms = Nyms(store, VotingSecrets(store))
        paths = (("child_count",), ("seoul_resident",))
        ready = presentable(held)

        def fresh() -> Binding:
            nonce = secrets.token_urlsafe(32)
            return Binding(key, nyms, "x509_hash:synthetic", nonce, NOW, {})

        paired(
            row="one presentation: one ES256 signature",
            fresh=fresh,
            floor=lambda binding: key.sign(binding.nonce.encode()),
            subject=lambda binding: ready.present(paths, binding),
            rounds=500,
            at_most=3.0,
            clock=process_time,
        )
