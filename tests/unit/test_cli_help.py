"""What the help says is so: exit codes of every command, options that do something, no parts that are not there."""

import click
import pytest
from click.testing import CliRunner

from bluegreen.cli.main import COMMANDS, main

MORE = ("traffic show", "traffic set", "traffic watch", "traffic finalize", "config view")
MORE = (*MORE, "adapters list", "adapters permissions")
GROUPS = ("traffic", "config", "adapters")


def help_of(words):
    done = CliRunner().invoke(main, [*words.split(), "--help"], terminal_width=80)
    assert done.exit_code == 0
    return done.output


def command_of(words):
    command = main
    for word in words.split():
        command = command.get_command(None, word)
    return command


@pytest.mark.parametrize("words", [*sorted(COMMANDS.keys() - {*GROUPS, "version"}), *MORE])
def test_the_help_of_every_command_has_its_exit_codes(words):
    assert "Exit codes: " in help_of(words)


def options_of(words):
    return {option: one for one in command_of(words).params for option in one.opts if isinstance(one, click.Option)}


@pytest.mark.parametrize(
    ("words", "verb"),
    [("migrate", "move"), ("export", "export"), ("verify", "compare"), ("assess", "look at"), ("plan", "plan for")],
)
def test_a_namespace_is_what_the_command_does_with_it(words, verb):
    assert options_of(words)["-n"].help == f"Namespace to {verb}; repeatable."


@pytest.mark.parametrize("words", ["revert", *MORE[:4]])
def test_where_routes_are_meant_a_namespace_changes_nothing_and_says_so(words):
    assert "changes nothing here" in options_of(words)["-n"].help


def test_export_takes_no_target():
    assert "--to" not in options_of("export")
    assert "--from" in options_of("export")


def test_pause_says_what_ends_it():
    assert "timeouts.pause" in help_of("pause")
    assert "until somebody orders otherwise" not in help_of("pause")


def test_nothing_speaks_of_notifiers():
    assert not [words for words in ("", *COMMANDS, *MORE) if "notifier" in help_of(words)]
