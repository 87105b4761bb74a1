"""Whose answers the name servers of a hosted zone give: asked directly, past every cache, to prove weights.

It can only tell sides apart whose records hold values; what an alias answers is known to AWS alone. It must never call
an answer that it does not know one of a side.
"""

from collections.abc import Mapping

from bluegreen.model.errors import RefusedError
from bluegreen.model.ports import Drawn
from bluegreen.model.refs import Side
from bluegreen_adapters.dns_answers import Authority
from bluegreen_adapters.dns_records import canonical
from bluegreen_adapters.route53_records import Found

Values = frozenset[str]


def draw(found: Found, authority: Authority, count: int) -> Drawn:
    """Ask a name server that many times and count whose the answers are; of several types the first one is asked.

    Raises:
        RefusedError: the records are aliases.
        TransientError: it does not answer.
    """
    kind = min(one["Type"] for one in found.sets)
    values = {side: _values(found, side, kind) for side in Side}
    if not all(values.values()):
        raise RefusedError(
            "route53.alias",
            f"drawing answers for {authority.name}",
            "its records are aliases: whose an answer is cannot be told from its addresses",
            "leave nameservers out of the route's settings",
        )
    sides = [_side(values, authority.ask(kind).addresses) for _ in range(count)]
    return Drawn(sides.count(Side.BLUE), sides.count(Side.GREEN), sides.count(None))


def _values(found: Found, side: Side, kind: str) -> Values:
    rows = next((one.get("ResourceRecords", ()) for one in found.of(side) if one["Type"] == kind), ())
    return frozenset(_plain(row["Value"]) for row in rows)


def _side(values: Mapping[Side, Values], answer: Values) -> Side | None:
    """Return whose an answer is; Route 53 answers with all values of one record set."""
    plain = frozenset(_plain(value) for value in answer)
    return next((side for side, own in values.items() if own == plain), None)


def _plain(value: str) -> str:
    try:
        return canonical(value)
    except ValueError:
        return value.removesuffix(".").lower()
