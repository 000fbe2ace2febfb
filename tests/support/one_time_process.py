"""One of the two issuer processes that get the same one-time values at the same moment.

`python -m tests.support.one_time_process FOLDER` reads lines of JSON, each a list of requests to
send in parallel, and answers each with a line: the statuses and error names.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

from issuer.authorization.clients import Client, ClientPolicy
from issuer.parts import ServiceSettings
from tests.support.issuing import IssuerWorld, issuer_world
from tests.support.oid4vci_wallet import CLIENT_ID, REDIRECT_URI

SETTINGS = ServiceSettings(
    clients=ClientPolicy(clients=(Client(CLIENT_ID, (REDIRECT_URI,)),)),
)


def shared_world(folder: Path) -> IssuerWorld:
    """Return an issuer over the folder that several processes share."""
    return issuer_world(folder, settings=SETTINGS)


def send(world: IssuerWorld, request: dict[str, Any]) -> list[Any]:
    """Send one request; return its status and what it says of an error."""
    answer = world.client.open(
        request["path"],
        method=request["method"],
        headers=request["headers"],
        data=request["body"].encode(),
    )
    told = answer.get_json(silent=True) or {}
    return [answer.status_code, told.get("error", "")]


def send_together(world: IssuerWorld, requests: list[dict[str, Any]]) -> list[list[Any]]:
    """Send requests at the same moment; return the answers in their order."""
    barrier = Barrier(len(requests))

    def one(request: dict[str, Any]) -> list[Any]:
        barrier.wait()
        return send(world, request)

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(one, requests))


def main(folder: Path) -> None:
    """Serve rounds until the input ends."""
    world = shared_world(folder)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(send_together(world, json.loads(line))) + "\n")
        sys.stdout.flush()
    world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
