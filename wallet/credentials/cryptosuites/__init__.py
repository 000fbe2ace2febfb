"""The cryptosuites, one short file each: values that name their choices.

May import `data_integrity`, `jsonld`, `crypto`, `encoding`. To add one: its file, its name here.
"""

from collections.abc import Mapping
from typing import Final

from wallet.credentials.cryptosuites.bbs_2023 import BBS_2023
from wallet.credentials.cryptosuites.ecdsa_jcs_2019 import ECDSA_JCS_2019
from wallet.credentials.cryptosuites.ecdsa_rdfc_2019 import ECDSA_RDFC_2019
from wallet.credentials.cryptosuites.ecdsa_sd_2023 import ECDSA_SD_2023
from wallet.credentials.cryptosuites.eddsa_jcs_2022 import EDDSA_JCS_2022
from wallet.credentials.cryptosuites.eddsa_rdfc_2022 import EDDSA_RDFC_2022
from wallet.credentials.data_integrity.cryptosuite import Cryptosuite

_ALL: Final[tuple[Cryptosuite, ...]] = (
    EDDSA_RDFC_2022,
    EDDSA_JCS_2022,
    ECDSA_RDFC_2019,
    ECDSA_JCS_2019,
    ECDSA_SD_2023,
    BBS_2023,
)
CRYPTOSUITES: Final[Mapping[str, Cryptosuite]] = {suite.name: suite for suite in _ALL}
