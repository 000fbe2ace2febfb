"""The command `seoul-wallet run`: a service under the production WSGI server."""

from __future__ import annotations

import click
from granian.constants import Interfaces
from granian.server import Server

from seoul_wallet.worker_process import KILL_TIMEOUT_S, let_signals_end_new_workers
from seoul_wallet.wsgi import check_start
from verifier.config import ConfigurationError
from verifier.exclusions.config import ExclusionConfigurationError
from wallet.errors import SeoulWalletError

_FACTORIES = {
    "ballotbox": "seoul_wallet.wsgi:ballotbox_app",
    "issuer": "seoul_wallet.wsgi:issuer_app",
    "register": "seoul_wallet.wsgi:register_app",
    "verifier": "seoul_wallet.wsgi:verifier_app",
}


@click.command("run")
@click.argument("service", type=click.Choice(sorted(_FACTORIES)))
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), required=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--threads", type=click.IntRange(1, 64), default=4, show_default=True)
def run(service: str, host: str, port: int, workers: int, threads: int) -> None:
    """Serve a service with granian, configured by the environment.

    `register` is the register of exclusion groups, which needs no chain. Put a TLS proxy in front
    of each. The variables are listed in seoul_wallet/wsgi.py, issuer/config.py,
    verifier/config.py, verifier/exclusions/config.py and ballotbox/config.py. SIGTERM and SIGINT
    end it: requests under way are answered first, for as long as half a minute.
    """
    try:
        check_start(service)
    except (SeoulWalletError, ConfigurationError, ExclusionConfigurationError) as error:
        raise click.ClickException(str(error)) from error
    let_signals_end_new_workers()
    Server(
        _FACTORIES[service],
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=threads,
        factory=True,
        websockets=False,
        workers_kill_timeout=KILL_TIMEOUT_S,
    ).serve()
