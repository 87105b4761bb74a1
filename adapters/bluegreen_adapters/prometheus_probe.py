"""What real users met, per side, from a Prometheus that watches both.

Two queries per side give counters that only grow: all requests and bad ones. A sample is what they have grown by since
the last call, so a window is never counted twice. No series of all requests is NoData; none of bad ones beside it is 0,
as before a first error. A counter that fell was restarted, and that interval is not counted. It must never take a dead
Prometheus or a refused query for a verdict on a side, nor follow proxies of the environment.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bluegreen.model.errors import clean_text
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData, Sample
from bluegreen_adapters.http_faults import forbidden
from bluegreen_adapters.options import Options

_DEFAULT_TIMEOUT = 2.0
_SIDE = "$side"


class _UnreadableError(Exception):
    """What Prometheus said cannot be used."""


@dataclass(slots=True)
class PrometheusProbe:
    """Growth of two counters per side.

    Attributes:
        name: name of the probe.
        client: HTTP client whose base is the Prometheus.
        queries: query of all and of bad requests, per side.
    """

    name: str
    client: httpx.Client
    queries: Mapping[Side, tuple[str, str]]
    synthetic: bool = False
    gives_latency: bool = False
    _last: dict[Side, tuple[float, float]] = field(default_factory=dict)

    def sample(self, side: Side) -> Sample:
        """Return what users met on a side since the last call; the first call only sets the mark."""
        all_query, bad_query = self.queries[side]
        try:
            bad, total = self._value(bad_query), self._value(all_query)  # a scrape between only adds good
        except _UnreadableError as error:
            return Broken(str(error))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Broken(f"Prometheus: {type(error).__name__}: {clean_text(str(error))}")
        if total is None:
            self._last.pop(side, None)
            return NoData(f"no series for: {all_query}")
        before, self._last[side] = self._last.get(side), (total, bad or 0.0)
        if before is None:
            return NoData("first look: users are counted from here on")
        return _since(before, (total, bad or 0.0), bad_query)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _value(self, query: str) -> float | None:
        """Return the one number of a query, None when there is no series."""
        response = self.client.get("api/v1/query", params={"query": query})
        try:
            answer: dict[str, Any] = response.json()
            if answer["status"] != "success":
                raise _UnreadableError(f"Prometheus refuses {query}: {clean_text(str(answer.get('error')))}")
            return _number(answer["data"], query)
        except (ValueError, KeyError, TypeError, IndexError):
            raise _UnreadableError(f"Prometheus: HTTP {response.status_code} with no result of a query") from None


def _number(data: Mapping[str, Any], query: str) -> float | None:
    rows = [data["result"]] if data["resultType"] == "scalar" else [row["value"] for row in data["result"]]
    if len(rows) > 1:
        raise _UnreadableError(f"{len(rows)} series instead of one; write sum(…) around: {query}")
    number = float(rows[0][1]) if rows else None
    if number is not None and not math.isfinite(number):
        raise _UnreadableError(f"the result is {number}, and no count: {query}")
    return number


def _since(before: tuple[float, float], now: tuple[float, float], bad_query: str) -> Sample:
    """Return the growth between two looks in whole requests."""
    total, bad = round(now[0] - before[0]), round(now[1] - before[1])
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
            blue or green), blue and green (what $side becomes instead), headers, timeout (2s).

    Raises:
        InvalidInputError: settings that cannot be used, all of them.
    """
    given = Options("probe prometheus", name, options)
    url, timeout = _url(given), given.seconds("timeout", _DEFAULT_TIMEOUT)
    names = {side: given.text(str(side), str(side)) for side in Side}
    wholes, faults = _query(given, "all"), _query(given, "bad")
    if any(mark in value for value in names.values() for mark in '"\\\n'):
        given.refuse("blue or green", "holds a quote, a backslash or a line break")
    headers = given.texts("headers")
    given.finish()
    queries = {side: (wholes.replace(_SIDE, word), faults.replace(_SIDE, word)) for side, word in names.items()}
    client = httpx.Client(base_url=url.rstrip("/") + "/", headers=headers, timeout=timeout, trust_env=False)
    return PrometheusProbe(name, client, queries)


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
