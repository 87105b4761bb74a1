"""Whether anything sees blue once its users are gone, asked before a migration begins.

Law 4 sends users back onto a blue that is known to be healthy only. Counters of users know nothing of a side that has
none, as blue is with green at 100 %: without a probe of another kind no way back is left but a person's own hand.
"""

from collections.abc import Iterable, Mapping

from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Probe
from bluegreen.slo.objectives import Objective

_REASON = (
    "only requests of users tell how blue is. With green at 100 % no request reaches blue, so nothing knows whether it "
    "is healthy: a green that fails is then held and a person called, instead of going back, and bluegreen revert is "
    "refused"
)
_ACTION = (
    "add a probe that asks both sides itself, such as {name: web, probe: http, with: {blue: http://…, green: http://…}}"
    ", or probe: kubernetes, and an objective of it; without one, bluegreen traffic set 0 is the way back"
)


def unwatched(objectives: Iterable[Objective], probes: Mapping[str, Probe]) -> tuple[Finding, ...]:
    """Return a warning where no objective can be judged on a blue that has no users; empty is good.

    Args:
        objectives: the objectives of the config; a probe without one is not judged.
        probes: the opened probes by name.
    """
    judged = {objective.probe: probes[objective.probe] for objective in objectives if objective.probe in probes}
    if any(not probe.users for probe in judged.values()):
        return ()
    return (Finding("blue-unwatched", Severity.WARNING, ", ".join(sorted(judged)), _REASON, _ACTION),)
