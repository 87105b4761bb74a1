"""The page of adapters is the one that the adapters make, and what it says of their settings is what they take."""

import inspect
import re
from pathlib import Path

import pytest

from bluegreen.cli.adapter_page import PAGE, adapters_page, asked_for, points_of, settings_of
from bluegreen.model.errors import InvalidInputError

POINTS = [(port, point) for port in ("routers", "probes", "movers") for point in points_of(port)]


def known_settings(factory):
    """Return the settings that an adapter lists when it is given one that it does not know."""
    given = dict.fromkeys(inspect.signature(factory).parameters) | {"name": "x", "options": {"no-such": "x"}}
    with pytest.raises(InvalidInputError) as refused:
        factory(**given)
    told = refused.value.next_step or " ".join(refused.value.reasons)
    return re.split(", ", re.search(r"known(?: settings)?: (.+)$", told)[1])


def test_the_page_in_the_docs_is_current():
    written = (Path(__file__).parents[2] / PAGE).read_text(encoding="utf-8")

    assert written == adapters_page(), "run: make docs"


@pytest.mark.parametrize(("port", "point"), POINTS, ids=[f"{port}-{point.name}" for port, point in POINTS])
def test_the_page_names_every_setting_that_an_adapter_takes(port, point):
    factory = point.load()
    words = set(re.findall(r"\w+", re.sub(r"\([^()]*\)", "", settings_of(factory))))
    known = known_settings(factory)

    assert len(known) > 2
    assert [key for key in known if key not in words] == []


def test_an_adapter_without_settings_says_what_it_cannot_do_without():
    haproxy = next(point for point in points_of("routers") if point.name == "haproxy").load()

    assert asked_for(haproxy) == ("socket is missing", "backend is missing")
