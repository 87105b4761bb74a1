"""The few questions that are put to a Prometheus, and what its answers mean.

It must never turn an answer that cannot be read into a number, nor ask for samples of a range.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bluegreen.model.errors import clean_text

_MARK = "bluegreen_part"
_LOOKBACK = "1h"


class UnreadableError(Exception):
    """What Prometheus said cannot be used, or it said nothing."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """One server.

    Attributes:
        client: HTTP client whose base is the server.
    """

    client: httpx.Client

    def value(self, query: str) -> float | None:
        """Return the one number of a query, None when there is no series.

        Raises:
            UnreadableError: no answer, a refused query, more than one series, no finite number.
        """
        return _number(self._vector(query), query)

    def pair(self, first: str, second: str) -> tuple[float | None, float | None]:
        """Return the numbers of two queries, read at one time from one state of the database.

        Raises:
            UnreadableError: as for one.
        """
        # A query may end with a comment, hence the line breaks.
        marked = (f'label_replace(({q}\n), "{_MARK}", "{n}", "", "")' for n, q in enumerate((first, second)))
        rows = self._vector(" or ".join(marked))
        parts = [[row for row in rows if row["metric"].get(_MARK) == str(n)] for n in (0, 1)]
        return _number(parts[0], first), _number(parts[1], second)

    def has_series(self, selector: str) -> bool:
        """Return whether a selector named a series at some time within the last hour.

        Raises:
            UnreadableError: no answer, or the selector is refused.
        """
        return bool(self._vector(f"count(last_over_time({selector}[{_LOOKBACK}]))"))

    def labels(self, metric: str) -> frozenset[str]:
        """Return the label names that a metric's series have, empty when there is no such metric.

        Raises:
            UnreadableError: no answer.
        """
        names = self._ask("api/v1/labels", {"match[]": metric})
        return frozenset(str(name) for name in names) - {"__name__"}

    def _vector(self, query: str) -> list[dict[str, Any]]:
        data = self._ask("api/v1/query", {"query": query})
        if data["resultType"] != "vector":
            raise UnreadableError(f"the result is a {data['resultType']} and no counter: {query}")
        rows: list[dict[str, Any]] = data["result"]
        return rows

    def _ask(self, path: str, params: Mapping[str, str]) -> Any:
        """Return the data of an answer."""
        try:
            response = self.client.get(path, params=params)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreadableError(f"Prometheus: {type(error).__name__}: {clean_text(str(error))}") from None
        try:
            answer: dict[str, Any] = response.json()
            if answer["status"] != "success":
                raise UnreadableError(f"Prometheus refuses it: {clean_text(str(answer.get('error')))}")
            return answer["data"]
        except (ValueError, KeyError, TypeError):
            raise UnreadableError(f"Prometheus: HTTP {response.status_code} with no result of a query") from None


def _number(rows: list[dict[str, Any]], query: str) -> float | None:
    if len(rows) > 1:
        raise UnreadableError(f"{len(rows)} series instead of one; write sum(…) around: {query}")
    try:
        number = float(rows[0]["value"][1]) if rows else None
    except (ValueError, KeyError, TypeError, IndexError):
        raise UnreadableError(f"Prometheus: a result that cannot be read: {query}") from None
    if number is not None and not math.isfinite(number):
        raise UnreadableError(f"the result is {number}, and no count: {query}")
    return number
