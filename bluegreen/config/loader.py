"""From flags, environment and file to one frozen, checked configuration, or to all reasons why there is none.

It reads one file and nothing else. A value that somebody gave is never dropped silently.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from bluegreen.config import checks
from bluegreen.config.explain import model_problems
from bluegreen.config.export import Export
from bluegreen.config.layers import Layered, lay, settle_paths
from bluegreen.config.models import Migration
from bluegreen.config.origins import Origin, OriginKind, origin_of
from bluegreen.config.problems import Path, Place, Problem, dotted
from bluegreen.config.reader import FILE_NAME, Document, read_file
from bluegreen.model.errors import InvalidInputError, clean_text

_REASON_LIMIT = 600


@dataclass(frozen=True, slots=True)
class Row:
    """One line of `bluegreen config view`."""

    key: str
    value: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration and where it came from.

    Attributes:
        config: the checked values.
        origins: origin of every value that was given, by path.
        path: the file, None without one.
        digest: sha256 of the effective values.
    """

    config: Migration
    origins: Mapping[Path, Origin]
    path: FilePath | None
    digest: str

    def rows(self) -> tuple[Row, ...]:
        """Return every effective value with its origin, in the order of the reference."""
        data = self.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        return tuple(Row(dotted(path), _shown(value), origin_of(path, self.origins)) for path, value in _flat(data, ()))


def load(path: FilePath | None, flags: Mapping[str, object], env: Mapping[str, str], cwd: FilePath) -> Loaded:
    """Return the effective configuration.

    Args:
        path: the file of --config; None looks for BLUEGREEN_CONFIG, then for bluegreen.yaml in cwd.
        flags: values by dotted key, such as {"from": "old", "steps": "10,50,100"}; None means not given.
        env: environment variables.
        cwd: working directory.

    Raises:
        InvalidInputError: config.invalid, with every reason and its place.
    """
    file = _find(path, env, cwd)
    document = read_file(file) if file else Document()
    if any(problem.path == () for problem in document.problems):
        raise _invalid(file, document, Layered({}), document.problems)
    layered = lay(document, file.name if file else "", flags, env)
    settle_paths(layered, file, cwd, env.get("HOME", ""))
    config, problems = _validate(layered.data)
    problems = [*document.problems, *problems, *checks.all_problems(layered.data)]
    if config is None or problems:
        raise _invalid(file, document, layered, problems)
    return Loaded(config, layered.origins, file, digest(config))


def digest(config: Migration) -> str:
    """Return the sha256 of effective values; the same values give the same digest whatever they came from.

    A part that came into the format later counts only where it says something: a run that an older version began goes
    on with the same file.
    """
    data = config.model_dump(mode="json", by_alias=True)
    if config.export == Export():
        del data["export"]
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _find(path: FilePath | None, env: Mapping[str, str], cwd: FilePath) -> FilePath | None:
    if path is None and env.get("BLUEGREEN_CONFIG"):
        path = FilePath(env["BLUEGREEN_CONFIG"])
    if path is not None:
        return cwd / path
    found = cwd / FILE_NAME
    return found if found.exists() else None


def _validate(data: dict[str, Any]) -> tuple[Migration | None, list[Problem]]:
    try:
        return Migration.model_validate(data), []
    except ValidationError as error:
        return None, model_problems(error, Migration)


def _invalid(file: FilePath | None, document: Document, layered: Layered, problems: list[Problem]) -> InvalidInputError:
    located = [(_locate(problem, document, layered), problem) for problem in problems]
    located.sort(key=lambda pair: (pair[0][0] != "file", pair[0][1]))
    reasons = [_reason(file, document, layered, problem) for _, problem in located]
    unique = tuple(dict.fromkeys(reasons))
    if file is None:
        what = f"read the configuration: there is no {FILE_NAME} here, and flags and environment are not enough"
        hint = f"bluegreen init --from OLD --to NEW writes a starter {FILE_NAME}; every key: docs/reference/config.md"
    else:
        what, hint = f"read the configuration {file}", "every key is explained in docs/reference/config.md"
    return InvalidInputError("config.invalid", what, unique, hint)


def _locate(problem: Problem, document: Document, layered: Layered) -> tuple[str, Place]:
    """Return the flag or variable that is to blame (empty for the file), and the place in the file."""
    nowhere = Place(1, 1)
    if problem.place is not None:
        return "file", problem.place
    for end in range(len(problem.path), 0, -1):
        path = problem.path[:end]
        given = [origin for leaf, origin in layered.origins.items() if leaf[:end] == path]
        if given and all(origin.kind in (OriginKind.FLAG, OriginKind.ENV) for origin in given):
            return given[0].name, nowhere
        where = document.keys if problem.at_key else document.values
        if path in where:
            return "file", where[path]
    return ("file" if document.data else ""), nowhere


def _reason(file: FilePath | None, document: Document, layered: Layered, problem: Problem) -> str:
    culprit, place = _locate(problem, document, layered)
    key = dotted(problem.path)
    if culprit == "file":
        culprit = f"{file.name}:{place.line}:{place.column}" if file else ""
    return clean_text(": ".join(bit for bit in (culprit, key, problem.why) if bit), _REASON_LIMIT)


def _flat(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from _flat(child, (*path, key))
    elif isinstance(value, list) and value:
        for index, child in enumerate(value):
            yield from _flat(child, (*path, index))
    else:
        yield path, value


def _shown(value: Any) -> str:
    return clean_text(value if isinstance(value, str) else json.dumps(value), _REASON_LIMIT)
