"""Settings of an adapter as the config gives them: read by kind, every fault told at once.

A setting that is not understood is refused, never ignored. Values are never repeated in a message, only keys and
kinds: a setting may hold a credential.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar, cast

from bluegreen.model.durations import parse_duration
from bluegreen.model.errors import InvalidInputError

T = TypeVar("T")


class Options:
    """Reads settings one by one and collects what is wrong with them.

    Args:
        adapter: such as router haproxy, for messages.
        name: name of the route or probe in the config.
        given: the settings.
    """

    def __init__(self, adapter: str, name: str, given: Mapping[str, object]) -> None:
        self._what = f"settings of {adapter} {name!r}"
        self._given = given
        self._asked: list[str] = []
        self.faults: list[str] = []

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; required without a default."""
        value = self._take(key, default)
        if isinstance(value, str) and (value or default == ""):
            return value
        return self._fault(key, "must be a text that is not empty", "", value)

    def seconds(self, key: str, default: float) -> float:
        """Return a duration such as 2s or 500ms, or a number of seconds, above 0."""
        value = self._take(key, default)
        try:
            seconds = parse_duration(value) if isinstance(value, str) else float(cast("float", value))
        except (TypeError, ValueError):
            seconds = 0.0
        if isinstance(value, bool) or seconds <= 0:
            return self._fault(key, "must be a duration above 0, such as 2s or 500ms", default, value)
        return seconds

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        return value if isinstance(value, bool) else self._fault(key, "must be true or false", default, value)

    def texts(self, key: str) -> dict[str, str]:
        """Return a mapping of texts, empty by default."""
        value = self._take(key, {})
        if isinstance(value, Mapping) and all(isinstance(part, str) for pair in value.items() for part in pair):
            return dict(value)
        return self._fault(key, "must be a mapping of texts to texts", {}, value)

    def items(self, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """Return a list of texts."""
        value = self._take(key, default)
        if isinstance(value, (list, tuple)) and value and all(isinstance(item, str) for item in value):
            return tuple(value)
        return self._fault(key, "must be a list of texts that is not empty", default, value)

    def raw(self, key: str, default: object) -> object:
        """Return a setting as it is given."""
        return self._take(key, default)

    def refuse(self, key: str, why: str) -> None:
        """Note that a setting cannot be used."""
        self.faults.append(f"{key} {why}")

    def finish(self) -> None:
        """Refuse if anything was wrong, unknown settings included.

        Raises:
            InvalidInputError: with every reason.
        """
        self.faults += [self._unknown(key) for key in self._given if key not in self._asked]
        if self.faults:
            known = ", ".join(self._asked)
            raise InvalidInputError("adapter.settings", self._what, tuple(self.faults), f"known settings: {known}")

    def _take(self, key: str, default: object) -> object:
        self._asked.append(key)
        return self._given.get(key, default)

    def _fault(self, key: str, why: str, instead: T, value: object) -> T:
        missing = value is None and key not in self._given
        self.faults.append(f"{key} is missing" if missing else f"{key} {why}")
        return instead

    def _unknown(self, key: str) -> str:
        close = get_close_matches(key, self._asked, n=1)
        return f"{key} is not known" + (f"; did you mean {close[0]}?" if close else "")
