"""What a person may choose about an export besides namespaces and selector."""

import msgspec


class Choices(msgspec.Struct, frozen=True):
    """The choices; kinds are written as Kind.group, the core group as Kind alone.

    Attributes:
        exclude: kinds that are not exported, not even where something needs them.
        node_ports: which node ports of Services stay: explicit (those that a person asked for), all or none.
        keep_status: kinds whose status is kept.
    """

    exclude: frozenset[str] = frozenset()
    node_ports: str = "explicit"
    keep_status: frozenset[str] = frozenset()
