"""An agency that sends applications in bulk, to a composed verifier over a database of its own.

People and papers are synthetic; facts come from the memory adapters, everything else is real.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.chunks import EndsAt
from tests.support.databases import VERIFIER, lay_out
from tests.support.evidence_bench import EvidenceBench, noon
from tests.support.programmes import boundary_data, programme
from verifier.app import Verifier, build_verifier
from verifier.config import VerifierConfig
from wallet.adapters.compute.processes import ProcessPool
from wallet.adapters.sql.engine import sqlite_url
from wallet.credentials.sd_jwt import bind_to_key
from wallet.crypto.hashing import sha256
from wallet.crypto.keys import Es256SigningKey
from wallet.eligibility.programme import Programme
from wallet.encoding import base64url
from wallet.encoding.json import JsonObject, to_json
from wallet.ports.compute import Compute, ComputeUnavailable
from wallet.protocols.oid4vp_link import parse_request_link
from wallet.protocols.oid4vp_request_object import parse_request_object
from wallet.protocols.oid4vp_response import build_response

T = TypeVar("T")
R = TypeVar("R")
TOKENS = {"gate": "synthetic-agency-token", "other": "synthetic-other-token"}
NDJSON = "application/x-ndjson"
DEADLY = "deadly"
PATH = "/v1/eligibility/batches"
CARD = programme("multi-child-card@from-2023-07")
CARD_CLAIMS: JsonObject = boundary_data()[CARD.name]["claims"]
CARD_NOW = noon(date.fromisoformat(boundary_data()[CARD.name]["on"]))
CHUNK = 250


class OneProcess:
    """`ports.Compute` in this process; what would travel is copied as if it did."""

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        work: Callable[[T], R] = pickle.loads(pickle.dumps(function))
        for chunk in chunks:
            copied: T = pickle.loads(pickle.dumps(chunk))
            yield pickle.loads(pickle.dumps(work(copied)))


class NoWorkers:
    """`ports.Compute` of a cluster whose every worker is gone."""

    def map(
        self, function: Callable[[T], R], chunks: Iterable[T]
    ) -> Iterator[R | ComputeUnavailable]:
        for _ in chunks:
            yield ComputeUnavailable("there is no worker")


class KillingPool:
    """A process pool in which one application is the end of whoever decides on it."""

    def __init__(self, pool: ProcessPool) -> None:
        self._pool = pool

    def map(
        self, function: Callable[[Any], Any], chunks: Iterable[Any]
    ) -> Iterator[Any | ComputeUnavailable]:
        return self._pool.map(EndsAt(function, DEADLY), chunks)


@contextmanager
def killing_pool() -> Iterator[Compute]:
    """Give a `KillingPool` of one worker."""
    with ProcessPool(1) as pool:
        yield KillingPool(pool)


def one_process() -> AbstractContextManager[Compute]:
    """Give the engine that is this process."""
    return nullcontext(OneProcess())


class BulkBench:
    """One verifier with the facts of an `EvidenceBench`, and the agency's side of a batch."""

    def __init__(
        self,
        folder: Path,
        bench: EvidenceBench,
        *,
        open_compute: Callable[[], AbstractContextManager[Compute]] | None = one_process,
        database_url: str | None = None,
        **changes: Any,
    ) -> None:
        self.bench, self.clock = bench, bench.clock
        key_file = folder / "signing-key"
        key_file.write_text(base64url.encode(Es256SigningKey.generate().secret()))
        lay_out(folder / "verifier.db", VERIFIER)
        self._open_compute = open_compute
        self._config = VerifierConfig(
            base_url="https://agency.example",
            database_url=database_url or sqlite_url(folder / "verifier.db"),
            signing_key_file=key_file,
            agency_token_digests={name: sha256(token.encode()) for name, token in TOKENS.items()},
            **changes,
        )
        self.verifier = self._build()

    def _build(self) -> Verifier:
        return build_verifier(
            self._config,
            replica=self.bench.replica,
            clock=self.clock,
            dids=self.bench.dids,
            status_lists=self.bench.status_lists,
            open_compute=self._open_compute,
        )

    def restart(
        self, open_compute: Callable[[], AbstractContextManager[Compute]] | None = one_process
    ) -> None:
        """Compose the verifier anew over the same database, as a new process would."""
        self._open_compute = open_compute
        self.verifier = self._build()

    @property
    def client(self) -> FlaskClient:
        """A client of the verifier."""
        return self.verifier.app.test_client()

    def answer(
        self, programme: Programme, claims: JsonObject, **binding: Any
    ) -> tuple[JsonObject, JsonObject]:
        """Answer an application by hand; return what wallet and applicant are told."""
        opened = self.client.post(
            "/v1/eligibility/applications", json={"programme": programme.id}
        ).get_json()
        link = parse_request_link(opened["link"])
        request = parse_request_object(self.client.get(_path(link.request_uri)).data).peek_claims()
        bound = {"audience": request["client_id"], "nonce": request["nonce"], **binding}
        shown = {
            name: [self.bench.present(programme, name, said, **bound)]
            for name, said in claims.items()
        }
        told = self.client.post("/responses", data=build_response(shown, request["state"]))
        assert told.status_code == 200, told.get_data(as_text=True)
        bearer = {"Authorization": f"Bearer {opened['result_token']}"}
        decided = self.client.get(_path(opened["decision_uri"]), headers=bearer)
        return told.get_json(), decided.get_json()

    def call(
        self, method: str, path: str = "", *, agency: str = "gate", **more: Any
    ) -> TestResponse:
        """Call the batches' API as an agency."""
        headers = {"Authorization": f"Bearer {TOKENS[agency]}", **more.pop("headers", {})}
        return self.client.open(PATH + path, method=method, headers=headers, **more)

    def open(self) -> JsonObject:
        """Open a batch."""
        answer = self.call("POST")
        assert answer.status_code == 202, answer.get_data(as_text=True)
        opened: JsonObject = answer.get_json()
        return opened

    def send(
        self, batch: JsonObject, number: int, lines: Iterable[bytes | JsonObject]
    ) -> TestResponse:
        """Send a chunk."""
        body = b"".join(
            (line if isinstance(line, bytes) else to_json(line)) + b"\n" for line in lines
        )
        path = f"/{batch['batch_id']}/chunks/{number}"
        return self.call("PUT", path, data=body, content_type=NDJSON)

    def seal(self, batch: JsonObject) -> JsonObject:
        """Seal a batch."""
        answer = self.call("POST", f"/{batch['batch_id']}/seal")
        assert answer.status_code == 202
        sealed: JsonObject = answer.get_json()
        return sealed

    def progress(self, batch: JsonObject) -> JsonObject:
        """Tell how far a batch is."""
        told: JsonObject = self.call("GET", f"/{batch['batch_id']}").get_json()
        return told

    def decisions(self, batch: JsonObject, *, limit: int = 1000) -> list[JsonObject]:
        """Read all decisions that there are."""
        return list(self.each_decision(batch, limit=limit))

    def each_decision(self, batch: JsonObject, *, limit: int = 1000) -> Iterator[JsonObject]:
        """Read all decisions that there are, page by page."""
        after = 0
        while True:
            path = f"/{batch['batch_id']}/decisions?after={after}&limit={limit}"
            page = self.call("GET", path).get_json()
            yield from page["decisions"]
            if page["is_last"] or page["next"] == after:
                return
            after = page["next"]

    def application(
        self,
        batch: JsonObject,
        name: str,
        programme: Programme,
        claims: JsonObject,
        **changes: Any,
    ) -> JsonObject:
        """Return one person's application, with presentations that name the batch."""
        binding = {"audience": batch["audience"], "nonce": batch["nonce"], **changes}
        return {
            "id": name,
            "programme": programme.id,
            "presentations": {
                evidence: self.bench.present(programme, evidence, said, **binding)
                for evidence, said in claims.items()
            },
        }


def _path(url: str | None) -> str:
    return (url or "").removeprefix("https://agency.example")


def applications(
    bulk: BulkBench, batch: JsonObject, count: int, start: int
) -> Iterator[JsonObject]:
    """Give applications of one person's paper, each with a key binding of its own."""
    shown = bulk.application(batch, "x", CARD, CARD_CLAIMS)["presentations"]["family"]
    unbound = shown.rpartition("~")[0] + "~"
    for number in range(start, start + count):
        bound = bind_to_key(
            unbound,
            bulk.bench.holder,
            audience=batch["audience"],
            nonce=batch["nonce"],
            issued_at=bulk.clock.now(),
        )
        yield {"id": str(number), "programme": CARD.id, "presentations": {"family": bound}}


def send_all(bulk: BulkBench, batch: JsonObject, count: int, start: int = 0) -> None:
    at = start
    while at < start + count:
        size = min(CHUNK, start + count - at)
        number = bulk.progress(batch)["next_chunk"]
        sent = bulk.send(batch, number, applications(bulk, batch, size, at))
        assert sent.status_code == 202, sent.get_data(as_text=True)
        at += size
