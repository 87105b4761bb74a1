"""The page of commands is the one that the commands make, and it has all of them at the promised width."""

from pathlib import Path

import pytest

from bluegreen.cli.main import COMMANDS
from bluegreen.cli.reference import PAGE, cli_page


def test_the_page_in_the_docs_is_current(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")  # the page does not depend on who makes it
    written = (Path(__file__).parents[2] / PAGE).read_text(encoding="utf-8")

    assert written == cli_page(), "run: make docs"


@pytest.mark.parametrize("name", [*COMMANDS, "traffic set", "adapters permissions", "config view"])
def test_every_command_has_its_help(name):
    assert f"\n## bluegreen {name}\n\n```text\nUsage: bluegreen {name} " in cli_page()


def test_no_line_of_the_page_is_wider_than_a_terminal():
    blocks = cli_page().split("```text\n")[1:]
    lines = [line for block in blocks for line in block.partition("```")[0].splitlines()]

    assert [line for line in lines if len(line) > 80] == []
