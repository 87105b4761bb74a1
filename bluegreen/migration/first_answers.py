"""Wait until green answers from here before the first user is sent there.

A pod that is ready is not reachable yet: node ports, load balancers and names follow a second or two later, and users
pay for a weight that is written in between. It only waits: what green answers is judged by the gate, so one that stays
bad is not refused here, and a probe that sees nothing or is broken holds nothing up.
"""

from bluegreen.migration.context import Run
from bluegreen.model.ports import Probe
from bluegreen.model.refs import Side
from bluegreen.model.samples import Counts
from bluegreen.traffic.feed import sample_of

_IN_A_ROW = 5
_LONGEST_SECONDS = 10.0
_POLL_SECONDS = 0.1


def await_first_answers(run: Run) -> None:
    """Wait until each probe that makes requests of its own got some good answers of green in a row.

    Args:
        run: the migration; told a notice when green does not answer well within some seconds.
    """
    end = run.clock() + _LONGEST_SECONDS
    for name, probe in run.probes.items():
        if probe.synthetic and (said := _await(run, probe, end)):
            run.emit("notice", text=f"green is up, but probe {name} got no good answers of it yet: {said}")


def _await(run: Run, probe: Probe, end: float) -> str:
    """Return what was wrong at last, empty once nothing is."""
    good = 0
    while True:
        sample = sample_of(probe, Side.GREEN)
        if not isinstance(sample, Counts) or not sample.total:
            return ""
        good = 0 if sample.bad else good + 1
        if good == _IN_A_ROW:
            return ""
        if run.clock() >= end:
            return sample.example or "bad answers in between"
        run.sleep(_POLL_SECONDS)
