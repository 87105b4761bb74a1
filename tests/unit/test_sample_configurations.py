"""The configurations that we show: each opens with the settings it names, and sees blue when blue has no users."""

import re
from pathlib import Path

import pytest

from bluegreen.config.example import EXAMPLE
from bluegreen.config.loader import load
from bluegreen.migration.connect import open_probe, open_router
from bluegreen.migration.objectives import objectives_of
from bluegreen.migration.plugins import load_adapter
from bluegreen.migration.watched import unwatched

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(r"^```yaml\n(apiVersion.*?)^```$", re.MULTILINE | re.DOTALL)


def samples():
    """Return every whole configuration that is shown, by where it stands."""
    found = {"bluegreen/config/example.py": EXAMPLE}
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("how-to/*.md"))]
    found |= {str(page.relative_to(ROOT)): block for page in pages for block in _BLOCK.findall(page.read_text())}
    stories = sorted(ROOT.glob("scenarios/*/bluegreen.yaml"))
    return found | {str(file.relative_to(ROOT)): file.read_text().replace("${LAB}", "/lab") for file in stories}


SAMPLES = samples()


@pytest.fixture(params=SAMPLES.values(), ids=SAMPLES)
def config(request, tmp_path):
    (tmp_path / "bluegreen.yaml").write_text(request.param)
    return load(None, {}, {}, tmp_path).config


def test_the_readme_the_example_and_the_stories_are_among_them():
    assert {"README.md", "bluegreen/config/example.py", "scenarios/happy/bluegreen.yaml"} <= set(SAMPLES)


def test_its_routes_probes_and_mover_take_their_settings(config):
    assert [open_router(route, config).name for route in config.routes] == [route.name for route in config.routes]
    assert [open_probe(probe, config).name for probe in config.probes] == [probe.name for probe in config.probes]
    if config.data:
        assert load_adapter("bluegreen.movers", config.data.mover)(None, None, config.data.settings, "data")


def test_blue_is_seen_when_it_has_no_users(config):
    probes = {probe.name: open_probe(probe, config) for probe in config.probes}
    assert unwatched(objectives_of(config), probes) == ()
