"""The rehearsal from its first key folder to the verified record, in real time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Final

from web3 import Web3

from seoul_wallet.anvil import AnvilNode
from seoul_wallet.chain import BLOCK_TIME_S, LocalChain, in_process_chain
from seoul_wallet.rehearsal.election import (
    Times,
    funded,
    legal_choices,
    manifest_json,
    official_selection,
)
from seoul_wallet.rehearsal.plan import OpenCompute, Plan, Report, Tell
from seoul_wallet.rehearsal.polling import STRATUM, Choices, Polling
from seoul_wallet.rehearsal.processes import (
    BoxProcess,
    RehearsalFailed,
    TrusteeProcess,
    children_peak_bytes,
    children_s,
    run_tool,
    verify_record,
)
from seoul_wallet.rehearsal.voters import CoreVoters, synthetic_credential
from seoul_wallet.stack import LocalStack, start_stack
from wallet.adapters.clock import SystemClock
from wallet.adapters.evm.deployment import BOARD
from wallet.adapters.evm.node import ask
from wallet.adapters.evm.sender import Sender
from wallet.adapters.sql.engine import sqlite_url
from wallet.crypto.bbs.signatures import generate_secret_key
from wallet.crypto.secp256k1 import encode_point, secret_multiple
from wallet.crypto.signing_keys import Es256kSigningKey
from wallet.eligibility.days import seoul_day
from wallet.encoding import base64url
from wallet.encoding.json import parse_json_object, to_json
from wallet.voting.acceptance import open_submission, verify_ballot
from wallet.voting.casting import prepare_ballot
from wallet.voting.election import Election
from wallet.voting.manifest import Manifest, manifest_of
from wallet.voting.pabulib import PbElection

PATIENCE_S: Final = 600
# The fewest that the sample register has.
HOUSEHOLDS: Final = 24
RESULT_WAIT_S: Final = 5
_DAY_S: Final = 86_400
_OPERATOR_WEI: Final = 2 * 10**18


class Rehearsal:
    """One rehearsal in `folder` over a running chain. Use it once.

    `open_compute` says where ballots are made and cast; trustees and the verifier have processes
    of their own. Raises `RehearsalFailed`, and what chain, services and wallets raise.
    """

    def __init__(
        self,
        folder: Path,
        chain: LocalChain,
        rpc: str,
        file: PbElection,
        plan: Plan,
        open_compute: OpenCompute,
        tell: Tell,
    ) -> None:
        self._folder = folder
        self._chain = chain
        self._rpc = rpc
        self._file = file
        self._plan = plan
        self._open_compute = open_compute
        self._tell = tell
        self._issuer = generate_secret_key()
        self._board_key = Es256kSigningKey.generate()
        self._operator = Sender.from_secret(chain.w3, secrets.token_bytes(32))
        self._began = time.monotonic()

    def run(self) -> Report:
        """Run all of it."""
        plan = self._plan
        with ExitStack() as ends:
            operator = Web3.to_checksum_address(self._operator.address)
            self._chain.controller.transfer(operator, _OPERATOR_WEI)
            self._come_to_the_present()
            # Two in three sample residents or so live in Seoul and are on the roll.
            stack = ends.enter_context(
                start_stack(
                    self._folder / "stack",
                    # A chain of its own: that of the election is not slowed by the issuer's.
                    in_process_chain(),
                    households=HOUSEHOLDS,
                    residents=max(40, 3 * plan.through_wallet),
                    # The roll is of the day before: a census is taken before the opening.
                    on=seoul_day(SystemClock().now() - _DAY_S),
                )
            )
            trustees = self._trustees(ends)
            keys = [parse_json_object(said.encode()) for said in self._new_folders(trustees)]
            manifest = self._manifest(stack, keys)
            report = Report(plan.voters, len(manifest.projects), manifest.layout.bits)
            self._done(report, "set up")
            box = BoxProcess(self._variables(manifest), self._folder / "ballotbox.log")
            ends.callback(box.end)
            self._ceremony(box, manifest, trustees, report)
            votes = list(islice(cycle(legal_choices(self._file, manifest)), plan.voters))
            taken = self._vote(box, manifest, stack, votes, report)
            self._count(box, manifest, trustees, report)
            self._publish(box, manifest, taken, report)
        return report

    def _come_to_the_present(self) -> None:
        """Let the clock catch up with an anvil of our own: a burst of transactions puts its
        blocks, a second apart, ahead."""
        node = self._chain.node
        if isinstance(node, AnvilNode):
            newest = ask(lambda: self._chain.w3.eth.get_block("latest"))
            node.request("evm_setIntervalMining", [0])
            time.sleep(max(0.0, int(newest["timestamp"]) + 1 - time.time()))
            node.request("evm_setIntervalMining", [BLOCK_TIME_S])

    def _trustees(self, ends: ExitStack) -> list[TrusteeProcess]:
        trustees = [
            TrusteeProcess(self._folder / f"trustee-{number}", secrets.token_urlsafe(16))
            for number in range(1, self._plan.trustees + 1)
        ]
        for trustee in trustees:
            ends.callback(trustee.end)
        return trustees

    def _new_folders(self, trustees: Sequence[TrusteeProcess]) -> list[str]:
        with ThreadPoolExecutor(2) as threads:
            return list(threads.map(lambda trustee: trustee.run("new"), trustees))

    def _manifest(self, stack: LocalStack, keys: Sequence[dict[str, Any]]) -> Manifest:
        roll = stack.issuer.service.voting
        if roll is None:
            raise RehearsalFailed("the issuer has no electoral roll")
        electorate = roll.manifest_parts(min_age=None, districts=None)
        electorate["eligibility"]["issuer_keys"].append(self._issuer.public_key.octets.hex())
        people = electorate["census"]["people"]
        people[STRATUM] = people.get(STRATUM, 0) + self._plan.voters
        parts: dict[str, Any] = {
            "name": f"rehearsal-{secrets.token_hex(6)}",
            "trustees": keys,
            "threshold": self._plan.threshold,
            "board_key": encode_point(
                secret_multiple(int.from_bytes(self._board_key.secret(), "big"))
            ).hex(),
            "electorate": electorate,
            "chain": {
                "chain_id": self._chain.deployment.chain_id,
                "contract": self._chain.deployment.contracts[BOARD].address[2:].lower(),
                "organiser": self._operator.address[2:].lower(),
            },
        }
        now = SystemClock().now()
        rough = manifest_of(manifest_json(self._file, times=self._times(now, 60), **parts))
        vote_s = self._plan.vote_s or self._estimate(rough)
        now = SystemClock().now()
        return manifest_of(manifest_json(self._file, times=self._times(now, vote_s), **parts))

    def _times(self, now: int, vote_s: int) -> Times:
        opens, every_s = now + self._plan.lead_s, self._plan.every_s
        return Times(opens, opens + vote_s, 2 * every_s, every_s)

    def _estimate(self, manifest: Manifest) -> int:
        """How long the vote is to be open: by the clock of two ballots, with room to spare."""
        election = Election(manifest, secret_multiple(1), bytes(32))
        chosen = legal_choices(self._file, manifest)[0]
        order = CoreVoters(election, "", self._issuer, STRATUM, ())
        began = time.monotonic()
        for _ in range(2):
            credential = synthetic_credential(order)
            ballot = prepare_ballot(election, credential, chosen, sequence=1).cast(credential)
            verify_ballot(open_submission(ballot.octets, election), election)
        each_s = (time.monotonic() - began) / 2
        core = self._plan.voters - self._plan.through_wallet
        wallets_s = self._plan.through_wallet * (2 + each_s)
        return int(20 + 1.2 * (core * each_s + wallets_s))

    def _variables(self, manifest: Manifest) -> dict[str, str]:
        """Write the ballot box's files; return what names them."""
        folder = self._folder / "ballotbox"
        folder.mkdir(mode=0o700)
        secret_files = {
            "key": base64url.encode(self._board_key.secret()),
            "operator": bytes(self._operator.account.key).hex(),
        }
        for name, text in secret_files.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text)
        (folder / "manifest.json").write_bytes(manifest.octets)
        (folder / "deployment.json").write_bytes(to_json(self._chain.deployment.to_json()))
        (folder / "ballotbox.toml").write_text(
            'manifest = "manifest.json"\nsigning_key = "key"\nworker_interval_s = 0.2\n'
            f"ceremony_round_s = {PATIENCE_S}\nresult_wait_s = {RESULT_WAIT_S}\n"
            f"count_workers = {self._plan.workers}\n"
            f'database_url = "{sqlite_url(folder / "box.db")}"\n'
        )
        return {
            "SEOUL_WALLET_RPC_URL": self._rpc,
            "SEOUL_WALLET_DEVELOPMENT_CHAIN": "1",
            "SEOUL_WALLET_DEPLOYMENT": str(folder / "deployment.json"),
            "SEOUL_WALLET_CONTROLLER_KEY": str(folder / "operator"),
            "SEOUL_WALLET_BALLOTBOX_CONFIG": str(folder / "ballotbox.toml"),
        }

    def _ceremony(
        self,
        box: BoxProcess,
        manifest: Manifest,
        trustees: Sequence[TrusteeProcess],
        report: Report,
    ) -> None:
        box.wait_for("/healthz", lambda said: True, within_s=PATIENCE_S)
        digest = manifest.digest.hex()
        started = [
            trustee.start("join", box.url, "--manifest-digest", digest, "--every", "0.5")
            for trustee in trustees
        ]
        for number, (trustee, process) in enumerate(zip(trustees, started, strict=True), start=1):
            trustee.finish(process)
            self._tell("key ceremony", number, len(trustees))
        left_s = manifest.opens - time.time() + 30
        box.wait_for("/anchors", lambda said: said["opened"] is not None, within_s=left_s)
        self._done(report, "key ceremony, opening")
        box.wait_for("/checkpoints/newest", lambda said: True, within_s=PATIENCE_S)

    def _vote(
        self,
        box: BoxProcess,
        manifest: Manifest,
        stack: LocalStack,
        votes: Sequence[Choices],
        report: Report,
    ) -> list[Choices]:
        self._began = time.monotonic()
        before_s = box.processor_s()
        polling = Polling(box.url, self._issuer, self._plan, self._open_compute, self._tell)
        taken = polling.cast(manifest, stack, votes, report)
        report.spend("taking the ballots", box.processor_s() - before_s)
        self._done(report, "vote")
        return taken

    def _count(
        self,
        box: BoxProcess,
        manifest: Manifest,
        trustees: Sequence[TrusteeProcess],
        report: Report,
    ) -> None:
        end = manifest.closes + manifest.grace_s // 2
        time.sleep(max(0.0, end - time.time()))
        self._began = time.monotonic()
        workers = str(self._plan.workers)
        # Any of them will do. Nonces first: the result is made with the last share it needs.
        acting = trustees[len(trustees) - self._plan.threshold :]
        time.sleep(max(0.0, manifest.tie_block_time + 1 - time.time()))
        for trustee in acting:
            trustee.run_until("nonce", within_s=PATIENCE_S)
        self._done(report, "tie-break")
        for number, trustee in enumerate(acting, start=1):
            began = children_s()
            trustee.run_until("decrypt", "--workers", workers, within_s=PATIENCE_S)
            report.spend("a trustee's check and decryption", children_s() - began)
            self._tell("decryption", number, len(acting))
        self._done(report, "decryption")
        box.wait_for("/anchors", lambda said: said["sealed"] is not None, within_s=PATIENCE_S)
        self._done(report, "result, seal")

    def _publish(
        self,
        box: BoxProcess,
        manifest: Manifest,
        votes: Sequence[Choices],
        report: Report,
    ) -> None:
        record = self._folder / "record"
        report.memory_bytes["ballot box"] = box.peak_memory_bytes()
        run_tool(["ballotbox", "export", str(record)], box.variables)
        self._done(report, "export")
        began = children_s()
        resume = self._folder / "verified-chunks.ndjson"
        report.verifier_exit, said = verify_record(
            record, self._rpc, self._plan.workers, resume, report.code
        )
        report.checks = {check["check"]: check["status"] for check in said["checks"]}
        report.spend("mvote-verify", children_s() - began)
        self._done(report, "mvote-verify")
        report.memory_bytes["largest other process"] = children_peak_bytes()
        report.record_bytes = sum(file.stat().st_size for file in record.iterdir())
        tally = parse_json_object((record / "tally.json").read_bytes())
        outcome = parse_json_object((record / "outcome.json").read_bytes())
        report.counted = sum(group["counted"] for group in tally["groups"])
        expected = [sum(column) for column in zip(*votes, strict=True)]
        if [group["totals"] for group in tally["groups"]] != [expected]:
            raise RehearsalFailed("the totals are not those of the votes that were cast")
        selected = official_selection(self._file)
        if selected is not None and len(votes) == len(self._file.votes):
            report.is_official = funded(outcome, manifest) == selected

    def _done(self, report: Report, step: str) -> None:
        report.seconds[step] = time.monotonic() - self._began
        self._began = time.monotonic()
