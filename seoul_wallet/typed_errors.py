"""Typed errors on the command line: one line, and the exit code of the family."""

from __future__ import annotations

from typing import Any, Final, NoReturn

import click

from wallet.errors import (
    ConflictError,
    MalformedError,
    RejectedError,
    SeoulWalletError,
    UnavailableError,
    UnsupportedError,
)
from wallet.holder.texts import shown

# Of commands that take an id: one in base64url may begin with a dash, and is no option for that.
# Nor is it a bundle of short ones, an `h` among them: these commands have none.
IDS_MAY_BEGIN_WITH_A_DASH: Final = {
    "ignore_unknown_options": True,
    "help_option_names": ["--help"],
}
EXIT_CODES: Final = (
    (MalformedError, 2),
    (UnsupportedError, 2),
    (RejectedError, 3),
    (ConflictError, 4),
    (UnavailableError, 5),
)


class TypedErrors(click.Group):
    """Tells every typed error in one line, with the exit code of its family."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SeoulWalletError as error:
            fail(error)


def fail(error: SeoulWalletError) -> NoReturn:
    """Write the error's line and end with its exit code."""
    click.echo(f"{error.code}: {shown(str(error))}", err=True)
    raise SystemExit(exit_code(error))


def exit_code(error: SeoulWalletError) -> int:
    """Return the exit code of the error's family."""
    return next(code for family, code in EXIT_CODES if isinstance(error, family))
