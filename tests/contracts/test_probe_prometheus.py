"""The Prometheus probe's own traps, against a real one: queries that name nothing, and counters that come and go.

The contract that every probe keeps is in test_probe.py.
"""

import subprocess
import sys

import pytest
from rig_prometheus import PrometheusRig

from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import CheckedProbe
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData
from bluegreen_adapters.promql import labels_of, selectors
from scenarios.lab.layout import kubeconfig

LAZY = (("blue", "500"), ("green", "500"))


@pytest.fixture
def rig():
    rig = PrometheusRig()
    yield rig
    rig.close()


@pytest.fixture
def lazy():
    """Return a rig whose library makes the counter of errors with the first error, and none has come ever."""
    rig = PrometheusRig(hidden=LAZY, fresh=True)
    yield rig
    rig.close()


# ---- at plan time ----


def test_queries_that_name_something_have_no_faults(rig):
    probe = rig.open_probe()
    assert isinstance(probe, CheckedProbe)
    assert probe.check() == ()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"bad": 'sum(hitz{side="$side",code=~"5.."})'}, ["bad names no series", "no metric hitz", "absent: zero"]),
        ({"bad": 'sum(hits{side="$side",cod="500"})'}, ["bad names no series", "no label cod", "code", "side"]),
        ({"bad": 'sum(hits{side="$side",code="555"})'}, ["bad names no series", 'code="555"', "absent: zero"]),
        ({"bad": 'sum(hitz{side="$side"}) or vector(0)'}, ["bad names no series", "hitz"]),
        ({"bad": 'sum(hits{side="$side",code="500"}) + sum(hitz{side="$side"})'}, ["no metric hitz"]),
        ({"bad": 'vector(0) # "$side"'}, ["bad names no metric"]),
        ({"all": 'sum(hitz{side="$side"})'}, ["all names no series of blue", "no metric hitz"]),
        ({"all": "sum($side"}, ["all cannot be used for blue", "refuses"]),
        ({"all": 'hits{side="$side"}'}, ["2 series instead of one", "sum(…)"]),
        ({"all": 'scalar(sum(hits{side="$side"}))'}, ["scalar"]),
        ({"blue": "bleu"}, ["all names no series of blue", "bleu"]),
        ({"absent": "zero", "bad": 'sum(hits{side="$side",cod="500"})'}, ["does not explain it", "no label cod"]),
        ({"absent": "zero", "all": 'sum(hitz{side="$side"})'}, ["all names no series of blue"]),
        ({"url": "http://127.0.0.1:9"}, ["ConnectError"]),
    ],
)
def test_what_would_read_as_no_errors_is_told_before_the_migration(rig, settings, words):
    told = " | ".join(rig.open_probe(**settings).check())
    for word in words:
        assert word in told


def test_a_counter_that_comes_with_its_first_error_needs_a_persons_word(lazy):
    faults = lazy.open_probe().check()
    assert len(faults) == 1
    assert "absent: zero" in faults[0]
    assert lazy.open_probe(absent="zero").check() == ()
    lazy.hide(("green", "500"))
    assert lazy.open_probe().check() == ()


def test_other_words_for_absent_are_refused(rig):
    with pytest.raises(InvalidInputError, match="absent must be one of error, zero"):
        rig.open_probe(absent="ignore")


PLAN = """\
from: old
to: new
namespaces: [kube-system]
routes: [{name: r, router: haproxy, with: {socket: /nowhere, backend: x}}]
probes:
- name: users
  probe: prometheus
  with: {url: 'http://127.0.0.1:PORT', all: 'sum(hits{side="$side"})', bad: 'sum(METRIC{side="$side",code="500"})'}
objectives: [{name: o, probe: users, good: 99%}]
"""


@pytest.mark.lab
@pytest.mark.parametrize("metric", ["hits", "hitz"])
def test_a_migration_is_refused_with_the_reason_and_what_to_write(rig, tmp_path, metric):
    (tmp_path / "bluegreen.yaml").write_text(PLAN.replace("PORT", str(rig.port)).replace("METRIC", metric))
    command = [sys.executable, "-m", "bluegreen", "migrate", "--dry-run=client", "--kubeconfig", str(kubeconfig())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    told = " ".join((ended.stdout + ended.stderr).split())
    assert ended.returncode != 0, "the route is not there"
    named = "probe 'users': bad names no series of either side within the last hour" in told
    assert named is (metric == "hitz"), told
    assert ("there is no metric hitz); correct it, or write absent: zero" in told) is (metric == "hitz")


# ---- while it is judged ----


def test_growth_is_counted_once(rig):
    probe = rig.open_probe()
    assert isinstance(probe.sample(Side.GREEN), NoData)
    rig.count("green", good=7, bad=2)
    sample = probe.sample(Side.GREEN)
    assert (sample.good, sample.bad, sample.synthetic) == (7, 2, False)
    assert 'code=~"5.."' in sample.example
    assert isinstance(probe.sample(Side.GREEN), NoData)


def test_no_series_is_no_data_and_a_refused_query_is_broken(rig):
    nobody = rig.open_probe(green="nobody")
    assert "no series" in nobody.sample(Side.GREEN).reason
    assert isinstance(rig.open_probe(all="sum($side").sample(Side.GREEN), Broken)
    assert isinstance(rig.open_probe(all='hits{side="$side"}').sample(Side.GREEN), Broken)
    assert isinstance(rig.open_probe(bad='sum(hits{side="$side"}) / 0').sample(Side.GREEN), Broken)


def test_the_first_error_makes_its_series_and_is_counted(rig):
    rig.hide(("green", "500"))
    probe = rig.open_probe()
    probe.sample(Side.GREEN)
    rig.count("green", good=5, bad=0)
    assert probe.sample(Side.GREEN) == Counts(good=5, bad=0, synthetic=False)
    before = rig.bad["green"]
    rig.bad["green"] = before + 3
    rig.hide()
    assert probe.sample(Side.GREEN).bad == before + 3  # as a library that makes the series with these errors


def test_errors_whose_series_is_gone_are_no_silence(rig):
    probe = rig.open_probe(all='sum(hits{side="$side",code="200"})')
    probe.sample(Side.GREEN)
    rig.count("green", good=5, bad=1)
    assert probe.sample(Side.GREEN).bad == 1
    rig.hide(("green", "500"))
    rig.good["green"] += 5
    for _ in range(2):
        sample = probe.sample(Side.GREEN)
        assert isinstance(sample, Broken)
        assert "is gone" in sample.reason
    rig.hide()
    rig.count("green", good=5, bad=4)
    assert probe.sample(Side.GREEN).bad == 4


def test_a_restart_loses_one_interval_and_is_never_negative(rig):
    probe = rig.open_probe()
    rig.count("blue", good=9, bad=0)
    probe.sample(Side.BLUE)
    rig.good["blue"] = 0
    rig.count("blue", good=1, bad=0)
    assert "restarted" in probe.sample(Side.BLUE).reason
    rig.count("blue", good=2, bad=0)
    assert probe.sample(Side.BLUE) == Counts(good=2, bad=0, synthetic=False)


def test_a_query_may_end_with_a_comment(rig):
    probe = rig.open_probe(all='sum(hits{side="$side"}) # of every code')
    assert probe.check() == ()
    probe.sample(Side.GREEN)
    rig.count("green", good=3, bad=0)
    assert probe.sample(Side.GREEN).good == 3


def test_bad_is_never_more_than_all_however_the_scrapes_fall(rig):
    """Asked one after the other, the two queries saw different scrapes now and then."""
    probe = rig.open_probe()
    probe.sample(Side.GREEN)
    for turn in range(60):
        rig.bad["green"] += 1 + turn % 3
        assert not isinstance(probe.sample(Side.GREEN), Broken)


# ---- what a query names ----


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ('sum(hits{side="blue",code=~"5.."})', ('hits{side="blue",code=~"5.."}',)),
        ("sum by (a, b) (rate(up[5m] offset 5m)) / on(x) group_left(y) max(job:up:rate)", ("up", "job:up:rate")),
        ('{__name__=~"x.*"} or vector(0)', ('{__name__=~"x.*"}',)),
        ("1e5 + NaN + Inf + up # down", ("up",)),
        ('sum(increase(a{x="}"}[1h:5m] @ start())) without (job)', ('a{x="}"}',)),
        ("histogram_quantile(0.9, sum(rate(h_bucket[5m])) by (le)) > bool 3", ("h_bucket",)),
        ("a{x='#'} and ignoring (y) b unless `c` == d", ("a{x='#'}", "b", "d")),
        ("up + up", ("up",)),
        ("vector(0)", ()),
    ],
)
def test_selectors_of_a_query(query, named):
    assert selectors(query) == named


def test_labels_of_a_selector():
    assert labels_of('hits{a="x=1",b!~"y", c=~`z`}') == {"a", "b", "c"}
    assert labels_of("hits") == frozenset()
