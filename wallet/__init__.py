"""Seoul Wallet: credentials that a city issues, citizens hold and agencies check.

The library is a pure core (`encoding` … `protocols`), the ports through which it asks the outside
for facts (`ports`, `evidence`), the wallet itself (`holder`) and adapters. `issuer` and `verifier`
are thin services on top. Nothing here reads a clock, the environment or the network by itself:
time and facts are arguments.

    >>> from wallet.crypto.keys import Es256SigningKey
    >>> key = Es256SigningKey.generate()
    >>> key.algorithm
    'ES256'
"""

from wallet.errors import (
    ConflictError,
    MalformedError,
    RejectedError,
    SeoulWalletError,
    UnavailableError,
    UnsupportedError,
)

__all__ = [
    "ConflictError",
    "MalformedError",
    "RejectedError",
    "SeoulWalletError",
    "UnavailableError",
    "UnsupportedError",
]
__version__ = "0.1.0"
