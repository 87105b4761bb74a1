"""`bluegreen traffic` on two stand-ins for routers, with marks and on a terminal where a test wants them."""

import sys
from dataclasses import dataclass

from click.testing import CliRunner
from fake_traffic import FakeRouter
from test_migration_store import manifest

from bluegreen.cli import traffic as cli
from bluegreen.cli.main import main
from bluegreen.migration import connect
from bluegreen.migration.journal import Journal
from bluegreen.migration.store import Store
from bluegreen.model.errors import ConflictError, TransientError
from bluegreen.model.refs import Side

CONFIG = """\
from: old
to: new
namespaces: [shop]
routes: [{name: shop, router: fake}, {name: api, router: fake}]
probes: [{name: p, probe: http}]
objectives: [{name: o, probe: p, good: 99%}]
"""


@dataclass
class Marked(FakeRouter):
    """A router with a mark, ours or another's, which it leaves when it writes."""

    mark: str = "somebody"

    def marked_by(self):
        return self.mark

    def shift(self, to, expect):
        super().shift(to, expect)
        self.mark = "us"

    def finalize(self):
        if self._fault() == "away":
            raise TransientError("fake.away", "finalizing", "away")
        if self.mark not in {"", "us"}:
            raise ConflictError("fake.owned", "finalizing", f"the mark of {self.mark}", "ask them")
        self.mark = ""


class Cached(Marked):
    """A marked router with a TTL."""

    def prepare(self):
        return 0.0


def two_routers(monkeypatch):
    """Return the routers that the configuration's routes open, by name; a test may put others there."""
    found = {"shop": FakeRouter("shop"), "api": FakeRouter("api")}
    monkeypatch.setattr(connect, "load_adapter", lambda group, name: lambda route, settings: found[route])
    return found


def command(directory, state, monkeypatch):
    """Write the configuration; return a function that runs a command of the group there."""
    (directory / "bluegreen.yaml").write_text(CONFIG)
    monkeypatch.chdir(directory)
    monkeypatch.setenv("BLUEGREEN_STATE_DIR", str(state))
    return lambda *arguments: CliRunner().invoke(main, ["traffic", *map(str, arguments)])


def migration(state, name="old-new-1", outcome=""):
    store = Store(state / name)
    store.write_manifest(manifest(name).__class__(**{**fields(manifest(name)), "green": other(manifest(name).green)}))
    journal = Journal(store.events)
    journal("run.started")
    if outcome:
        journal("run.finished", outcome=outcome)
    return store


def fields(one):
    return {key: getattr(one, key) for key in one.__dataclass_fields__}


def other(cluster):
    return cluster.__class__("new", "uid-2", cluster.version, cluster.server)


def weights(router):
    return router.raw[Side.BLUE], router.raw[Side.GREEN]


class Terminal:
    """A stream that says it is a terminal."""

    def __init__(self, stream):
        self._stream = stream

    def isatty(self):
        return True

    def __getattr__(self, name):
        return getattr(self._stream, name)


def on_a_terminal(monkeypatch):
    """Make the runner's own streams, which are there only while it runs, terminals for the question."""
    asked = cli._confirm

    def on_terminal(lines, question, *, yes):
        monkeypatch.setattr(sys, "stdin", Terminal(sys.stdin))
        monkeypatch.setattr(sys, "stderr", Terminal(sys.stderr))
        asked(lines, question, yes=yes)

    monkeypatch.setattr(cli, "_confirm", on_terminal)
