"""An id in base64url may begin with a dash, and may hold the letters of any short option."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from seoul_wallet.cli import main
from seoul_wallet.typed_errors import IDS_MAY_BEGIN_WITH_A_DASH

ID = "-hvVh-_AbCdEfGhIjKlMnO"


def every_command(group: click.Group, ctx: click.Context) -> Iterator[tuple[str, click.Context]]:
    """All commands below a group, each by its name and in its context."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        assert command is not None
        inner = click.Context(command, ctx, name, **command.context_settings)
        if isinstance(command, click.Group):
            yield from every_command(command, inner)
        else:
            yield inner.command_path, inner


ALL = dict(every_command(main, click.Context(main, info_name="", **main.context_settings)))
TAKING_IDS = [path for path, found in ALL.items() if found.ignore_unknown_options]


def parsed(ctx: click.Context, *arguments: str) -> list[str]:
    options, positional, _ = ctx.command.make_parser(ctx).parse_args(list(arguments))
    assert not options.get("help")
    return [*positional, *(str(value) for value in options.values())]


@pytest.mark.parametrize("path", TAKING_IDS)
@pytest.mark.parametrize("given", [ID, "-" + ID])
def test_an_id_is_no_option_whatever_is_in_it(path: str, given: str) -> None:
    assert given in parsed(ALL[path], given)


def test_these_are_the_commands_that_take_ids() -> None:
    assert {"verifier result", "verifier offline-decide"} <= {it.strip() for it in TAKING_IDS}
    for path in TAKING_IDS:
        settings = ALL[path].command.context_settings
        assert settings.items() >= IDS_MAY_BEGIN_WITH_A_DASH.items()


def test_other_commands_say_what_they_do_by_a_letter_too() -> None:
    (serve,) = (found for path, found in ALL.items() if path.strip() == "serve")
    assert serve.help_option_names == ["-h", "--help"]
    with pytest.raises(click.NoSuchOption):
        parsed(serve, ID.replace("h", "x"))
