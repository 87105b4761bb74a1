"""The pages that people write: links lead somewhere, commands and options exist, configurations load."""

import re
from pathlib import Path

import click
import pytest
import yaml

from bluegreen.cli.main import main
from bluegreen.config.loader import load
from bluegreen.migration.connect import open_router

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
CONCEPTS, HOW_TO = sorted((DOCS / "concepts").glob("*.md")), sorted((DOCS / "how-to").glob("*.md"))
WRITTEN = [*CONCEPTS, *HOW_TO, DOCS / "README.md"]
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)")
COMMAND = re.compile(r"(?:`|^\$ |^    )bluegreen ((?:[a-z]+ ?)+)([^`\n]*)", re.MULTILINE)
CONFIGURATION = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
REST = {  # what a page that shows a part leaves out
    "from": "old",
    "to": "new",
    "namespaces": ["shop"],
    "routes": [{"name": "shop", "router": "haproxy", "with": {"socket": "/run/admin.sock", "backend": "shop"}}],
    "probes": [{"name": "web", "probe": "http", "with": {"blue": "http://192.0.2.1/", "green": "http://192.0.2.2/"}}],
    "objectives": [{"name": "web", "probe": "web", "good": "99%"}],
}


def names(pages):
    return [str(page.relative_to(DOCS)) for page in pages]


def anchors(page):
    """Return the anchors of a page's headings, as the usual viewers make them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def found(words):
    """Return the command that words name and the context it was found in."""
    command, context = main, click.Context(main)
    for word in words.split():
        below = command.get_command(context, word) if isinstance(command, click.Group) else None
        if below is None:
            break
        command = below
    return command


@pytest.mark.parametrize("page", WRITTEN, ids=names(WRITTEN))
def test_every_link_leads_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = [(path, anchor) for path, anchor in LINK.findall(text) if "://" not in path]
    missing = [path for path, _ in links if not (page.parent / path).exists()]
    lost = [a for path, a in links if a and a not in anchors((page.parent / path) if path else page)]

    assert (missing, lost) == ([], [])


@pytest.mark.parametrize("page", WRITTEN, ids=names(WRITTEN))
def test_every_command_and_option_exists(page):
    wrong = []
    for words, rest in COMMAND.findall(page.read_text(encoding="utf-8")):
        command = found(words)
        known = {option for one in command.params for option in one.opts} | {"--help"}
        if isinstance(command, click.Group) or command is main:
            wrong.append(words)
        wrong += [f"{words}{option}" for option in re.findall(r"(?<![\w-])--[a-z-]+", rest) if option not in known]

    assert wrong == []


def test_the_pages_name_commands():
    assert sum(len(COMMAND.findall(page.read_text(encoding="utf-8"))) for page in WRITTEN) > 40


@pytest.mark.parametrize("page", WRITTEN, ids=names(WRITTEN))
def test_every_configuration_loads_and_its_routes_open(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PDNS_KEY", "canary-key")
    for text in CONFIGURATION.findall(page.read_text(encoding="utf-8")):
        file = tmp_path / "bluegreen.yaml"
        file.write_text(yaml.safe_dump({**REST, **yaml.safe_load(text)}), encoding="utf-8")
        config = load(file, {}, {}, tmp_path).config

        assert [open_router(route, config).name for route in config.routes] == [route.name for route in config.routes]


def test_the_pages_show_configurations():
    assert sum(len(CONFIGURATION.findall(page.read_text(encoding="utf-8"))) for page in WRITTEN) > 4


@pytest.mark.parametrize(
    ("page", "most"),
    [(page, 120) for page in CONCEPTS] + [(page, 100) for page in HOW_TO],
    ids=names([*CONCEPTS, *HOW_TO]),
)
def test_a_page_stays_short(page, most):
    assert len(page.read_text(encoding="utf-8").splitlines()) <= most


def test_the_index_names_every_page():
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    pages = [*CONCEPTS, *HOW_TO, *DOCS.glob("reference/*.md"), *DOCS.glob("[a-z]*.md")]

    assert [name for name in names(pages) if f"({name})" not in index] == []
