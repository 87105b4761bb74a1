"""What an error tells a person to type exists: every long option that a text of ours names is one of some command."""

import re
from pathlib import Path

import click

from bluegreen.cli.main import main

ROOT = Path(__file__).parents[2]
_OF_KUBECTL = {"--context", "--field-selector", "--list", "--overwrite", "--subresource", "--type"}
_OF_VELERO = {"--details", "--kubecontext", "--use-node-agent"}
_OF_AWS = {"--change-batch", "--hosted-zone-id"}
_OTHERS = _OF_KUBECTL | _OF_VELERO | _OF_AWS | {"--help"}
_NAMED = re.compile(r"(?<![\w-])--[a-z][a-z-]+")


def commands(group):
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        yield command
        if isinstance(command, click.Group):
            yield from commands(command)


def known():
    return {option for command in commands(main) for one in command.params for option in one.opts} | _OTHERS


def test_every_option_that_a_text_names_exists():
    files = [*ROOT.glob("bluegreen/**/*.py"), *ROOT.glob("adapters/**/*.py")]
    found = {option: file.name for file in files for option in _NAMED.findall(file.read_text())}

    assert {option: file for option, file in found.items() if option not in known()} == {}
