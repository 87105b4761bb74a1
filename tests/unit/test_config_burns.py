"""Burn rates in the file: what can be written, and rules that could never speak are refused."""

from pathlib import Path

import pytest

from bluegreen.config.loader import load
from bluegreen.model.errors import InvalidInputError

TEXT = """\
from: old
to: new
namespaces: [shop]
routes: [{{name: r, router: haproxy}}]
probes: [{{name: p, probe: http}}]
objectives: [{{name: o, probe: p, good: 99%, burnRates: [{rule}]}}]
"""


def loaded(tmp_path: Path, rule: str, more: str = "", flags=None):
    (tmp_path / "bluegreen.yaml").write_text(TEXT.format(rule=rule) + more)
    return load(None, flags or {}, {}, tmp_path).config.objectives[0].burn_rates


def refused(tmp_path: Path, rule: str, more: str = "") -> str:
    with pytest.raises(InvalidInputError) as caught:
        loaded(tmp_path, rule, more)
    return " | ".join(caught.value.reasons)


def test_the_short_window_may_be_left_out(tmp_path):
    rate = loaded(tmp_path, "{rate: 14.4, long: 1h}", "bake: 2h\n")[0]
    assert (rate.rate, rate.long, rate.short) == (14.4, 3600.0, None)


@pytest.mark.parametrize("more", ["bake: 1h\n", "hold: 1h\n", "steps: [10, {weight: 100, hold: 1h}]\n"])
def test_any_stretch_that_is_as_long_will_do(tmp_path, more):
    assert loaded(tmp_path, "{rate: 2, long: 1h, short: 5m}", more)


def test_a_flag_makes_the_bake_longer(tmp_path):
    assert loaded(tmp_path, "{rate: 2, long: 1h}", flags={"bake": "2h"})


@pytest.mark.parametrize(
    ("rule", "more", "words"),
    [
        (
            "{rate: 2, long: 1h}",
            "",
            "objectives[0].burnRates[0].long: is longer than any step or the bake is judged (20 s)",
        ),
        ("{rate: 2, long: 1h}", "steps: [10, {weight: 100, hold: 30m}]\n", "is judged (1800 s)"),
        ("{rate: 2, long: 1h, short: 1h}", "bake: 2h\n", "short: must be shorter than `long`"),
        ("{rate: 0.5, long: 1h}", "bake: 2h\n", "rate"),
        ("{rate: 2, long: soon}", "bake: 2h\n", "is no duration"),
        ("{rate: 2, long: 1h, shrt: 5m}", "bake: 2h\n", "shrt"),
        ("{rate: 2}", "bake: 2h\n", "long"),
        ("7", "bake: 2h\n", "burnRates[0]"),
    ],
)
def test_a_rule_that_makes_no_sense_is_told(tmp_path, rule, more, words):
    assert words in refused(tmp_path, rule, more)
