"""The 서울패스 account: by what its holder logs in, and signs texts.

`account_id` is a random number that the issuer drew for the person, the same in every credential
that it issues to them anew. It is shown to whoever logs people in or takes their signatures, and
told to nobody else: a provider of logins derives another identifier from it for every site.
"""

from __future__ import annotations

import re
from typing import Final

ACCOUNT: Final = "account"
ACCOUNT_TYPE: Final = "urn:seoul-wallet:account:1"
ACCOUNT_ID: Final = "account_id"
ACCOUNT_ID_BYTES: Final = 32
ACCOUNT_ID_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
