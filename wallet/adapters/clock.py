"""The clock of this machine."""

import time


class SystemClock:
    """`ports.clock.Clock` over the operating system's clock."""

    def now(self) -> int:
        return int(time.time())
