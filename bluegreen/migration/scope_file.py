"""Checks the keys of a bluegreen.yaml that the commands that work alone use; the others are not looked at."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bluegreen.config.explain import model_problems
from bluegreen.config.export import Export
from bluegreen.config.problems import dotted
from bluegreen.config.transform import Transform
from bluegreen.migration.choices import choices_of
from bluegreen.migration.transforms import transform_options


class _Part(BaseModel):
    """The keys, each with what it may hold."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True, hide_input_in_errors=True)

    from_context: str = Field(default="", alias="from")
    to_context: str = Field(default="", alias="to")
    kubeconfig: str | None = None
    from_kubeconfig: str | None = None
    to_kubeconfig: str | None = None
    namespaces: list[str] = []
    selector: str | None = None
    transform: Transform = Field(default_factory=Transform)
    export: Export = Field(default_factory=Export)


def checked(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return plain values by their keys, the other parts of a scope by name, and every reason against a value.

    Args:
        data: what file, environment and flags say together.
    """
    try:
        part = _Part.model_validate(data)
    except ValidationError as error:
        return {}, {}, [f"{dotted(p.path)}: {p.why}" for p in model_problems(error, _Part)]
    parts = {"transform": transform_options(part.transform), "choices": choices_of(part.export)}
    return part.model_dump(by_alias=True, exclude={"transform", "export"}), parts, []
