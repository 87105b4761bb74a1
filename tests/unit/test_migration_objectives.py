"""Every key of an objective reaches the gate."""

from bluegreen.config.loader import load
from bluegreen.migration.objectives import objectives_of
from bluegreen.slo.objectives import BurnRate, Objective

TEXT = """\
from: old
to: new
namespaces: [shop]
bake: 6h
routes: [{name: r, router: haproxy}]
probes: [{name: p, probe: http}]
objectives:
- {name: plain, probe: p, good: 99%}
- name: full
  probe: p
  good: 99.5%
  minSamples: 7
  below: 300ms
  alpha: 0.02
  compareWithBlue: true
  burst: 9s
  window: 30m
  burnRates: [{rate: 14.4, long: 1h, short: 4m}, {rate: 6, long: 6h}]
"""


def test_every_key_is_carried_over(tmp_path):
    (tmp_path / "bluegreen.yaml").write_text(TEXT)
    plain, full = objectives_of(load(None, {}, {}, tmp_path).config)
    assert plain == Objective("plain", "p", 0.99)
    assert full == Objective(
        name="full",
        probe="p",
        good=0.995,
        min_samples=7,
        below=0.3,
        alpha=0.02,
        compare_with_blue=True,
        burst=9.0,
        window=1800.0,
        burn_rates=(BurnRate(14.4, 3600.0, 240.0), BurnRate(6.0, 21600.0, 1800.0)),
    )
