"""Whether two queries can measure at all, asked before a migration begins.

A query that names nothing gives nothing, and nothing beside good requests reads as "no errors": a misspelled metric
would pass every green. So everything that the query of all requests names must exist on blue, which serves today, and
everything that the one of bad requests names on either side. A counter that appears only with its first error is
allowed by a person's word (absent: zero), and then at least its labels must be those that the metric has.
It must never let a query pass because an `or vector(0)` hides what it names.
"""

from collections.abc import Iterator, Mapping

from bluegreen.model.refs import Side
from bluegreen_adapters.prometheus_api import Prometheus, UnreadableError
from bluegreen_adapters.promql import labels_of, metric_of, selectors

Queries = tuple[str, str]
_ALLOW = "correct it, or write absent: zero if that counter appears only with its first error"


def query_faults(prometheus: Prometheus, queries: Mapping[Side, Queries], *, absent_is_zero: bool) -> tuple[str, ...]:
    """Return every reason why the queries cannot measure, each with what to write.

    Args:
        prometheus: the server.
        queries: query of all and of bad requests, per side.
        absent_is_zero: whether series of bad requests may be missing.
    """
    try:
        refused = tuple(_refused(prometheus, queries))
        return refused or (
            *_unnamed_all(prometheus, queries[Side.BLUE][0]),
            *_unnamed_bad(prometheus, [queries[side][1] for side in Side], absent_is_zero=absent_is_zero),
        )
    except UnreadableError as error:
        return (f"{error}; check url",)


def _refused(prometheus: Prometheus, queries: Mapping[Side, Queries]) -> Iterator[str]:
    """Yield queries that give no number, whether there are series or not."""
    for side, pair in queries.items():
        for key, query in zip(("all", "bad"), pair, strict=True):
            try:
                prometheus.value(query)
            except UnreadableError as error:
                yield f"{key} cannot be used for {side}: {error}; its query is: {query}"


def _unnamed_all(prometheus: Prometheus, query: str) -> Iterator[str]:
    """Yield what the query of all requests to blue names in vain."""
    for selector in selectors(query):
        if not prometheus.has_series(selector):
            why = _why(prometheus, selector)
            yield f"all names no series of blue within the last hour: {selector}{why}; correct it"
    if not selectors(query):
        yield f"all names no metric: {query}; write a counter such as sum(http_requests_total{{cluster='$side'}})"


def _unnamed_bad(prometheus: Prometheus, queries: list[str], *, absent_is_zero: bool) -> Iterator[str]:
    """Yield what the query of bad requests names in vain on both sides."""
    for of_sides in zip(*map(selectors, queries), strict=False):
        if any(prometheus.has_series(selector) for selector in of_sides):
            continue
        selector = of_sides[0]
        if not absent_is_zero:
            why = _why(prometheus, selector)
            yield f"bad names no series of either side within the last hour: {selector}{why}; {_ALLOW}"
        elif strange := _strange_labels(prometheus, selector):
            yield f"bad names no series, and absent: zero does not explain it: {selector}{strange}; correct it"
    if not selectors(queries[0]):
        yield f"bad names no metric: {queries[0]}; write a counter such as sum(http_errors_total{{cluster='$side'}})"


def _why(prometheus: Prometheus, selector: str) -> str:
    """Return in words which part of a selector is unknown, empty when it cannot be told."""
    metric = metric_of(selector)
    if metric and not prometheus.labels(metric):
        return f" (there is no metric {metric})"
    return _strange_labels(prometheus, selector)


def _strange_labels(prometheus: Prometheus, selector: str) -> str:
    """Return in words which labels a metric that exists does not have, empty when there are none."""
    metric = metric_of(selector)
    known = prometheus.labels(metric) if metric else frozenset()
    strange = sorted(labels_of(selector) - known) if known else []
    return f" (no label {', '.join(strange)}; {metric} has: {', '.join(sorted(known))})" if strange else ""
