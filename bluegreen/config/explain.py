"""The model's complaints in the words of the file's author.

pydantic knows what is wrong; this module says what to write. It must never quote a value, which could be a secret.
"""

from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bluegreen.config.problems import Path, Problem
from bluegreen.config.suggestions import did_you_mean, keys_at

_MUST_BE = {
    "string_type": 'must be text; quote it, such as "1.10"',
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "bool_type": "must be true or false; other words such as yes and on are plain text",
    "tuple_type": "must be a list, such as [a, b] or lines that start with -",
    "mapping_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping with these keys: {keys}",
    "model_attributes_type": "must be a mapping with these keys: {keys}",
    "too_short": "is empty; name at least one",
}
_HOW: dict[Path, str] = {
    ("from",): "write `from: CONTEXT` or give --from CONTEXT, the cluster that serves today",
    ("to",): "write `to: CONTEXT` or give --to CONTEXT, the cluster that shall serve",
    ("namespaces",): "write `namespaces: [NAME]` or give -n NAME",
    ("data", "policy"): "write `policy: copy` if what users write on blue after the copy may be lost to green",
    ("data", "mover"): "name the adapter that moves the claims, such as `mover: velero`",
}
_OWN_WORDS = frozenset({("routes",), ("probes",), ("objectives",)})


def model_problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return one problem for each complaint, but for those that a rule of checks.py tells better.

    Args:
        error: what pydantic says.
        model: the model that it says it about, which knows the keys.
    """
    details = error.errors(include_url=False, include_input=True)
    return [problem for detail in details if (problem := _problem(detail, model)) is not None]


def _problem(detail: ErrorDetails, model: type[BaseModel]) -> Problem | None:
    path: Path = tuple(detail["loc"])
    if path in _OWN_WORDS and (detail["type"] == "missing" or detail["input"] is None):
        return None
    if detail["type"] == "too_short" and detail["input"]:
        return None  # pydantic counts only the good items, and has told about the bad ones
    if detail["type"] == "extra_forbidden":
        known = keys_at(model, path[:-1])
        hint = did_you_mean(str(path[-1]), known) or f"; known are {', '.join(known)}"
        return Problem(path, f"unknown key{hint}", at_key=True)
    return Problem(path, _why(detail, path, model))


def _why(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> str:
    kind = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "missing":
        return f"is missing; {_HOW.get(path, 'it has no default')}"
    if detail["input"] is None:
        return f"is empty; {_HOW.get(path, 'write a value or remove the key')}"
    match kind:
        case "value_error":
            return str(context["error"])
        case "literal_error":
            return f"must be {context['expected'].replace(chr(39), '`')}"
        case _:
            return _type_words(kind, path, model) or detail["msg"].replace("Input should", "must")


def _type_words(kind: str, path: Path, model: type[BaseModel]) -> str:
    if kind == "model_type" and path[:1] == ("steps",):
        return "must be a whole number from 1 to 100, or a mapping such as {weight: 50, hold: 60s}"
    return _MUST_BE.get(kind, "").format(keys=", ".join(keys_at(model, path)))
