"""What was probably meant by a word that nobody knows.

It only ever suggests words that exist, and stays silent when nothing is near.
"""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import BaseModel

from bluegreen.config.problems import Path

_NEAR = 0.6


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `; did you mean …?`, or nothing."""
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower().replace("_", ""), by_lower, n=1, cutoff=_NEAR)
    return f"; did you mean `{by_lower[near[0]]}`?" if near else ""


def keys_at(model: type[BaseModel], path: Path) -> tuple[str, ...]:
    """Return the keys that a model knows at a path, empty where anything goes."""
    here: type[BaseModel] | None = model
    for part in path:
        if isinstance(part, int):
            continue
        field = next((f for name, f in here.model_fields.items() if (f.alias or name) == part), None) if here else None
        here = _model_in(field.annotation) if field else None
    return tuple(f.alias or name for name, f in here.model_fields.items()) if here else ()


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the one model that an annotation such as tuple[Route, ...] or Data | None speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if getattr(annotation, "__origin__", None) is Mapping:
        return None
    return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
