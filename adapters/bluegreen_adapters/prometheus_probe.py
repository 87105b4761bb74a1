"""What real users met, per side, from a Prometheus that watches both.

Two queries per side give counters that only grow: all requests and bad ones. A sample is what they have grown by since
the last call, so a window is never counted twice. Both are asked in one query, so they are read at one time from one
state of the database: asked one after the other, a scrape between them could show more bad requests than requests.

No series of all requests is NoData. None of bad ones beside it is 0, as on a green before its first error: `check`
has shown at plan time that the query names something (prometheus_checks.py). One that was there and is gone is Broken.
A counter that fell was restarted, and that interval is not counted. It must never take a dead Prometheus or a refused
query for a verdict on a side, nor follow proxies of the environment.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData, Sample
from bluegreen_adapters.http_faults import forbidden
from bluegreen_adapters.options import Options
from bluegreen_adapters.prometheus_api import Prometheus, UnreadableError
from bluegreen_adapters.prometheus_checks import Queries, query_faults

PERMISSIONS = Permissions(
    (
        "an HTTP connection from here to Prometheus, for: GET api/v1/query and api/v1/labels",
        "only if it asks for one: a credential that may query those series, no more",
    )
)
_DEFAULT_TIMEOUT = 2.0
_SIDE = "$side"
_ABSENT = ("error", "zero")


Reading = tuple[float, float | None]


@dataclass(slots=True)
class PrometheusProbe:
    """Growth of two counters per side.

    Attributes:
        name: name of the probe.
        servers: the server as each side asks it, for both are asked at once: httpx mixes up connections of threads.
        queries: query of all and of bad requests, per side.
        absent_is_zero: whether a person says that the counter of bad requests appears with the first of them only.
    """

    name: str
    servers: Mapping[Side, Prometheus]
    queries: Mapping[Side, Queries]
    absent_is_zero: bool = False
    synthetic: bool = False
    users: bool = True
    gives_latency: bool = False
    _last: dict[Side, Reading] = field(default_factory=dict)

    def check(self) -> tuple[str, ...]:
        """Return every reason why the queries cannot measure: refused ones, and such that name no series."""
        return query_faults(self.servers[Side.BLUE], self.queries, absent_is_zero=self.absent_is_zero)

    def sample(self, side: Side) -> Sample:
        """Return what users met on a side since the last call; the first call only sets the mark."""
        queries = self.queries[side]
        try:
            total, bad = self.servers[side].pair(*queries)
        except UnreadableError as error:
            return Broken(str(error))
        if total is None:
            self._last.pop(side, None)
            return NoData(f"no series for: {queries[0]}")
        before, now = self._last.get(side), (total, bad)
        if before is not None and _vanished(before, now):
            return Broken(f"the series of bad requests is gone, those of all are not: {queries[1]}")
        self._last[side] = now
        if before is None:
            return NoData("first look: users are counted from here on")
        return _since(before, now, queries[1])

    def close(self) -> None:
        """Close the connections of both sides."""
        for server in self.servers.values():
            server.client.close()


def _vanished(before: Reading, now: Reading) -> bool:
    """Return whether bad requests are no longer counted by something that has not been restarted."""
    return before[1] is not None and now[1] is None and now[0] >= before[0]


def _since(before: Reading, now: Reading, bad_query: str) -> Sample:
    """Return the growth between two looks in whole requests."""
    total, bad = round(now[0] - before[0]), round((now[1] or 0.0) - (before[1] or 0.0))
    if total < 0 or bad < 0:
        return NoData("a counter fell: it was restarted, and this interval is not counted")
    if bad > total:
        return Broken(f"more bad requests than requests: {bad} of {total}; the queries do not fit together")
    if not total:
        return NoData("no user's request reached this side, or it was not scraped since")
    example = f"{bad} of {total} by {bad_query}" if bad else ""
    return Counts(good=total - bad, bad=bad, synthetic=False, example=example)


def open_probe(name: str, options: Mapping[str, object]) -> PrometheusProbe:
    """Return a probe of counters in Prometheus.

    Args:
        name: name of the probe.
        options: url (such as http://127.0.0.1:9090), all and bad (PromQL of growing counters, in which $side becomes
            blue or green), blue and green (what $side becomes instead), absent (error; or zero: the counter of bad
            requests appears with the first of them, so that none there is no mistake), headers, timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe prometheus", name, options)
    url, timeout = _url(given), given.seconds("timeout", _DEFAULT_TIMEOUT)
    names = {side: given.text(str(side), str(side)) for side in Side}
    wholes, faults = _query(given, "all"), _query(given, "bad")
    if any(mark in value for value in names.values() for mark in '"\\\n'):
        given.refuse("blue or green", "holds a quote, a backslash or a line break")
    headers, absent = given.texts("headers"), given.text("absent", "error")
    if absent not in _ABSENT:
        given.refuse("absent", f"must be one of {', '.join(_ABSENT)}")
    given.finish()
    queries = {side: (wholes.replace(_SIDE, word), faults.replace(_SIDE, word)) for side, word in names.items()}
    settings: dict[str, Any] = {"base_url": url.rstrip("/") + "/", "headers": headers, "timeout": timeout}
    servers = {side: Prometheus(httpx.Client(**settings, trust_env=False)) for side in Side}
    return PrometheusProbe(name, servers, queries, absent_is_zero=absent == "zero")


def _query(given: Options, key: str) -> str:
    text = given.text(key)
    if text and _SIDE not in text:
        given.refuse(key, f"must hold {_SIDE}, or both sides would be the same numbers")
    return text


def _url(given: Options) -> str:
    text = given.text("url")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        url = httpx.URL()
    if text and (url.scheme not in {"http", "https"} or not url.host or url.userinfo):
        given.refuse("url", "must be a URL such as http://127.0.0.1:9090, without user or password")
    elif text and forbidden(url.host):
        given.refuse("url", "is a link-local or metadata address of the machine")
    return text
