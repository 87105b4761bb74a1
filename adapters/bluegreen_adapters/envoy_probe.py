"""What real users met, per side, from Envoy's own counters of a cluster.

Envoy charges a cluster with what the user got at last: answers of the target, and its own 502, 503 and 504 when the
target refused, broke off before an answer, or took too long; a retry that ended well is counted apart. Bad is what
falls into the classes named in the settings (5xx), and answers that broke off in the middle: Envoy charges those as
the 200 that they began with, so they are found by the connections that the target closed on an unfinished answer, less
all that may have ended as 5xx or been tried again; a lower bound, over HTTP/1. A user who leaves before the answer
counts nowhere. All traffic of a cluster counts, also that of other routes.

Envoy's histograms hold ranges of time and lag behind the counters, so objectives with `below` need another probe.
It must never turn a restart or a reset of the counters into requests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen.model.samples import Sample
from bluegreen_adapters.envoy_admin import EnvoyAdmin, admin_of, open_admin
from bluegreen_adapters.envoy_router import clusters_of
from bluegreen_adapters.options import Options
from bluegreen_adapters.user_counters import Growth, Reading, UserCounters, bad_classes

PERMISSIONS = Permissions(
    ("Envoy's admin interface, which has no passwords: GET /stats and /config_dump (for the time of its start)",),
    {"admin": {"allow_paths": [{"prefix": "/stats"}, {"prefix": "/config_dump"}]}},
)
_CLASSES = ("2xx", "3xx", "4xx", "5xx", "unknown")
_CAUSES = {
    "upstream_cx_connect_fail": "failed connections",
    "upstream_rq_timeout": "timeouts",
    "upstream_cx_none_healthy": "without a healthy host",
    "upstream_rq_pending_overflow": "over the circuit breaker's limit",
}
_CUT = ("upstream_cx_protocol_error", "upstream_cx_destroy_remote_with_active_rq")
_ALWAYS_THERE = "membership_total"
_COUNTERS = (*(f"upstream_rq_{kind}" for kind in _CLASSES), *_CAUSES, *_CUT, "upstream_rq_retry", "upstream_rq_101")
_SILENT_AFTER = 20


@dataclass(slots=True)
class EnvoyProbe:
    """Counters of two clusters.

    Attributes:
        name: name of the probe.
        admin: Envoy's admin interface.
        clusters: name of the cluster of each side, as in its statistics.
        bad_classes: classes of answers that are bad, such as 5xx.
    """

    name: str
    admin: EnvoyAdmin
    clusters: Mapping[Side, str]
    bad_classes: tuple[str, ...]
    synthetic: bool = False
    users: bool = True
    gives_latency: bool = False
    _counters: UserCounters = field(default_factory=lambda: UserCounters("Envoy"))

    def sample(self, side: Side) -> Sample:
        """Return what users met on a side since the last call; the first call only sets the mark."""
        return self._counters.sample(side, self._read, self._met)

    def close(self) -> None:
        """Release the client."""
        self.admin.close()

    def _read(self, side: Side) -> Reading:
        """Return the counters now."""
        prefix = f"cluster.{self.clusters[side].replace(':', '_')}."
        configs = self.admin.ask("config_dump", mask="last_updated")["configs"]
        rows = self.admin.ask("stats", format="json", filter=_filter(prefix))["stats"]
        counters = {row["name"].removeprefix(prefix): int(row["value"]) for row in rows if "value" in row}
        if _ALWAYS_THERE not in counters:
            raise ValueError(f"no statistics of a cluster {self.clusters[side]!r}")
        if not any(counters.get(f"upstream_rq_{kind}") for kind in _CLASSES):
            _refuse_silence(counters.get("upstream_rq_total", 0))
        return Reading(configs[0]["last_updated"], {name: counters.get(name, 0) for name in _COUNTERS})

    def _met(self, grown: Mapping[str, int]) -> Growth:
        """Return what is good and bad in what has grown."""
        answers = grown["upstream_rq_101"] + sum(grown[f"upstream_rq_{kind}"] for kind in _CLASSES)
        cut = _cut_answers(grown)
        bad = cut + sum(grown[f"upstream_rq_{kind}"] for kind in self.bad_classes)
        return Growth(max(answers - bad, 0), bad, self._example(grown, cut))

    def _example(self, grown: Mapping[str, int], cut: int) -> str:
        """Return what was bad in words; causes are among the answers and say why Envoy gave them."""
        faults = {f"{kind} answers": grown[f"upstream_rq_{kind}"] for kind in self.bad_classes}
        causes = {word: grown[name] for name, word in _CAUSES.items()} if any(faults.values()) else {}
        faults["answers cut in the middle"] = cut
        return ", ".join(f"{count} {word}" for word, count in (faults | causes).items() if count)


def _filter(prefix: str) -> str:
    """Return the regular expression (RE2) of the counters that are read."""
    names = "|".join((*_COUNTERS, _ALWAYS_THERE, "upstream_rq_total"))
    return f"^{re.escape(prefix)}({names})$"


def _cut_answers(grown: Mapping[str, int]) -> int:
    """Return how many answers at least broke off in the middle."""
    closed = min(grown[name] for name in _CUT)
    return max(closed - grown["upstream_rq_5xx"] - grown["upstream_rq_retry"], 0)


def _refuse_silence(requests: int) -> None:
    """Refuse counters that stay at 0 while requests pass: they would look like a side without users."""
    if requests >= _SILENT_AFTER:
        raise ValueError(
            f"{requests} requests were sent to this side and no answer is counted: either the router filter has"
            " dynamic_stats: false, or every user left before an answer"
        )


def open_probe(name: str, options: Mapping[str, object]) -> EnvoyProbe:
    """Return a probe of Envoy's counters.

    Args:
        name: name of the probe.
        options: admin (http://127.0.0.1:9901; or the path of a UNIX socket), blue and green (names of the clusters;
            their alt_stat_name where they have one), timeout (2s), and bad (classes that count as bad: [5xx]).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe envoy", name, options)
    address, timeout = admin_of(given)
    clusters, bad = clusters_of(given), bad_classes(given, _CLASSES)
    given.finish()
    return EnvoyProbe(name, open_admin(address, timeout), clusters, bad)
