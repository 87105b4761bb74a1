"""The two servers of a backend as HAProxy has them now, and the shares that their weights come to.

Pure: answers in, values out. A weight that a person has taken out of service (MAINT, DRAIN) counts nothing; one that a
health check has taken out counts, because it comes back by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side

_ALL = 100
_FORCED_MAINTENANCE, _DRAINED = 0x01 | 0x02 | 0x04 | 0x20 | 0x40, 0x08 | 0x10
_STOPPED = "0"


@dataclass(frozen=True, slots=True)
class Server:
    """One server of the backend as HAProxy has it now.

    Attributes:
        name: name in the config.
        weight: absolute weight, 0 to 256.
        configured: weight of the config file.
        admin: MAINT, DRAIN, or empty.
        down: whether health checks have taken it out.
    """

    name: str
    weight: int
    configured: int
    admin: str
    down: bool

    @property
    def serving(self) -> int:
        """Return the weight that counts: none while a person has taken the server out."""
        return 0 if self.admin else self.weight


def servers(answer: str) -> dict[str, Server]:
    """Return the servers of `show servers state`: a version, a line of column names, a line per server."""
    _, header, *lines = answer.splitlines()
    names = header.removeprefix("# ").split()
    rows = [dict(zip(names, line.split(), strict=False)) for line in lines]
    return {row["srv_name"]: _server(row) for row in rows}


def _server(row: Mapping[str, str]) -> Server:
    bits = int(row["srv_admin_state"])
    admin = "MAINT" if bits & _FORCED_MAINTENANCE else "DRAIN" if bits & _DRAINED else ""
    return Server(
        name=row["srv_name"],
        weight=int(row["srv_uweight"]),
        configured=int(row["srv_iweight"]),
        admin=admin,
        down=row["srv_op_state"] == _STOPPED and not admin,
    )


def served(pair: Mapping[Side, Server]) -> Weights | None:
    """Return the shares that count now, None when nobody is served."""
    blue, green = pair[Side.BLUE].serving, pair[Side.GREEN].serving
    return Weights.for_green(_percent(green, blue + green)) if blue + green else None


def _percent(part: int, whole: int) -> int:
    """Return a share in per cent; what is served at all is never shown as 0, nor as 100 with something beside it."""
    if part in {0, whole}:
        return _ALL * part // whole
    return min(max(round(_ALL * part / whole), 1), _ALL - 1)


def holds(pair: Mapping[Side, Server], weights: Weights) -> bool:
    """Return whether the raw weights are exactly those shares (1/1 is 50/50), whatever their scale."""
    blue, green = pair[Side.BLUE].weight, pair[Side.GREEN].weight
    return blue + green > 0 and green * _ALL == weights.green * (blue + green)


def is_half_written(pair: Mapping[Side, Server], to: Weights, expect: Weights) -> bool:
    """Return whether a write of ours was cut between receiver and sender: the higher weight of each is there."""
    return all(pair[side].weight == max(to.of(side), expect.of(side)) for side in Side)


def told(pair: Mapping[Side, Server]) -> str:
    """Return what is served in words, as HAProxy has it."""
    return ", ".join(
        f"{server.name} has weight {server.weight}{f' in {server.admin}' if server.admin else ''}"
        f"{' and is DOWN' if server.down else ''}"
        for server in pair.values()
    )
