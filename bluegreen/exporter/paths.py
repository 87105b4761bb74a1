"""Field paths of rules: a small language that knows maps, lists and glob patterns, and needs no escaping.

Keys are compared as they are, so an annotation key with a slash or a dot is one key. (JSON pointers put together by
hand address another field there: reference/export-import.md, b5 defect 2.)

    spec.ports[].nodePort                              each item of a list
    metadata.annotations["deployment.kubernetes.io/*"] a key, * and ? are wildcards
    metadata.finalizers[="external-attacher/*"]        the items of a list that match
"""

import enum
import functools
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

_TOKEN = re.compile(r'\.?([A-Za-z_$][\w$-]*)|\["((?:[^"\\]|\\.)*)"\]|\[="((?:[^"\\]|\\.)*)"\]|(\[\])')
_PLAIN = re.compile(r"[A-Za-z_$][\w$-]*\Z")


class StepKind(enum.Enum):
    """KEY one key, GLOB every key that matches, EACH every item, ITEM the items that match."""

    KEY = "key"
    GLOB = "glob"
    EACH = "each"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Step:
    """One step down."""

    kind: StepKind
    key: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """A place that a path leads to.

    Attributes:
        holder: the map or list that holds the value.
        key: key or index in it.
        path: the place in words, such as spec.ports[0].nodePort.
    """

    holder: Any
    key: Any
    path: str

    @property
    def value(self) -> Any:
        """Return the value found there."""
        return self.holder[self.key]


@functools.cache
def parse_path(text: str) -> tuple[Step, ...]:
    """Return the steps of a path.

    Raises:
        ValueError: not a path of this language.
    """
    steps: list[Step] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"{text!r} is no path: cannot read {text[at:]!r}")
        steps.append(_step(*token.groups()))
        at = token.end()
    return tuple(steps)


def _step(name: str | None, quoted: str | None, item: str | None, each: str | None) -> Step:
    if each:
        return Step(StepKind.EACH)
    if item is not None:
        return Step(StepKind.ITEM, item)
    if quoted is not None:
        return Step(StepKind.GLOB if "*" in quoted or "?" in quoted else StepKind.KEY, quoted)
    return Step(StepKind.KEY, name or "")


def join(path: str, key: str | int) -> str:
    """Return the text of a path one step further down."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if _PLAIN.match(key):
        return f"{path}.{key}" if path else key
    return f'{path}["{key}"]'


def find(node: Any, steps: tuple[Step, ...], path: str = "") -> Iterator[Match]:
    """Yield every place that the steps lead to; nothing when a step does not fit what is there.

    Args:
        node: where to begin.
        steps: as returned by parse_path.
        path: text of the place where node stands.
    """
    keys = _keys(node, steps[0]) if steps else ()
    for key in keys:
        here = join(path, key)
        if len(steps) == 1:
            yield Match(node, key, here)
        else:
            yield from find(node[key], steps[1:], here)


def plain_start(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return the keys that a path begins with before it first meets a list or a pattern."""
    return tuple(step.key for step in itertools.takewhile(lambda step: step.kind is StepKind.KEY, steps))


def may_lead(steps: tuple[Step, ...]) -> Callable[[Any], bool]:
    """Return a quick look that says no only where the steps lead nowhere, which is so of most rules and objects."""
    lead = plain_start(steps)
    after = steps[len(lead) : len(lead) + 1]
    matches = _matcher(after[0].key) if after and after[0].kind is StepKind.GLOB else None

    def look(node: Any) -> bool:
        for key in lead:
            if type(node) is not dict or key not in node:
                return False
            node = node[key]
        return matches is None or (type(node) is dict and any(map(matches, node)))

    return look


@functools.cache
def _matcher(pattern: str) -> Callable[[str], Any]:
    """Return what finds out whether a text matches a glob pattern as a whole, with case."""
    return re.compile(translate(pattern)).match


def _keys(node: Any, step: Step) -> tuple[Any, ...]:
    if isinstance(node, dict):
        if step.kind is StepKind.KEY:
            return (step.key,) if step.key in node else ()
        if step.kind is StepKind.GLOB:
            return tuple(filter(_matcher(step.key), node))
        return ()
    if isinstance(node, list):
        if step.kind is StepKind.EACH:
            return tuple(range(len(node)))
        if step.kind is StepKind.ITEM:
            matches = _matcher(step.key)
            return tuple(i for i, item in enumerate(node) if isinstance(item, str) and matches(item))
    return ()


def get(node: Any, *keys: str) -> Any:
    """Return the value below those keys of nested maps, None where a step is missing."""
    for key in keys:
        if not isinstance(node, dict):
            return None
        node = node.get(key)
    return node


def strip(node: Any, steps: tuple[Step, ...]) -> list[str]:
    """Remove every place that the steps lead to; return the places.

    A map or list of metadata that becomes empty by it goes as well; other empty values mean something (emptyDir: {}).
    """
    matches = list(find(node, steps))
    for match in reversed(matches):
        del match.holder[match.key]
    if matches:
        _drop_emptied(node, steps[:-1])
    return [match.path for match in matches]


def strip_one(node: Any, keys: tuple[str, ...]) -> bool:
    """Remove the value below those keys of nested maps as `strip` does; return whether it was there."""
    holders = [node]
    for key in keys[:-1]:
        node = node.get(key)
        if type(node) is not dict:
            return False
        holders.append(node)
    if keys[-1] not in node:
        return False
    del node[keys[-1]]
    if not node and keys[-3:-2] == ("metadata",):
        del holders[-2][keys[-2]]
    return True


def _drop_emptied(node: Any, steps: tuple[Step, ...]) -> None:
    if len(steps) < 2 or steps[-2].key != "metadata":  # noqa: PLR2004 - metadata and the container in it
        return
    for match in list(find(node, steps)):
        if match.value in ({}, []):
            del match.holder[match.key]
