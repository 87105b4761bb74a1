"""The mark beside a name in Route 53: whose the weights are for now, and what to put back at the end. Pure.

It is a TXT record at `_bluegreen.` before the name. Each write replaces it by another text, in the same batch as the
weights; so of two writers that have seen the same mark the second is refused, even if their weights are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

MARK_TTL = 60
_HERITAGE = "heritage=bluegreen"


@dataclass(frozen=True, slots=True)
class Mark:
    """Whose the record is for now, and what to put back.

    Attributes:
        owner: who writes it.
        count: how many writes there were; makes each text another one.
        green: share that was written last.
        live: seconds for which, after the last write, resolvers may hold what was before.
        at: when that was, seconds since the epoch.
        ttls: TTL in seconds of each type before the first write.
    """

    owner: str
    count: int
    green: int
    live: int
    at: int
    ttls: Mapping[str, int]

    def after(self, green: int, live: int, at: float) -> Self:
        """Return the mark of the next write."""
        return replace(self, count=self.count + 1, green=green, live=live, at=int(at))

    def left(self, now: float) -> float:
        """Return for how many seconds an answer from before the last write may still be held.

        A clock that was set back makes the wait no longer than the TTL.
        """
        return min(max(self.at + self.live - now, 0.0), float(self.live))

    def text(self) -> str:
        """Return the mark as it stands in the zone."""
        ttls = "+".join(f"{kind}:{ttl}" for kind, ttl in sorted(self.ttls.items()))
        numbers = f"count={self.count},green={self.green},live={self.live},at={self.at}"
        return f"{_HERITAGE},owner={self.owner},{numbers},ttl={ttls}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the mark of a text.

        Raises:
            ValueError: it is not one of ours.
        """
        parts = dict(part.partition("=")[::2] for part in text.split(","))
        try:
            if not text.startswith(f"{_HERITAGE},"):
                raise KeyError(text)  # noqa: TRY301 - told below with the others
            numbers = {key: int(parts[key]) for key in ("count", "green", "live", "at")}
            pairs = [pair.split(":") for pair in parts["ttl"].split("+") if pair]
            return cls(owner=parts["owner"], ttls={kind: int(ttl) for kind, ttl in pairs}, **numbers)
        except (KeyError, ValueError):
            raise ValueError(f"the TXT record is no mark of ours: {text}") from None
