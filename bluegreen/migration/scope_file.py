"""Checks the keys of a bluegreen.yaml that the commands that work alone use; the others are not looked at."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from bluegreen.config.explain import model_problems
from bluegreen.config.problems import dotted
from bluegreen.config.transform import Transform
from bluegreen.importer.transform import TransformOptions
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


def checked(data: Mapping[str, Any]) -> tuple[dict[str, Any], TransformOptions, list[str]]:
    """Return the values by their keys, what is rewritten on the way, and every reason why one cannot be used.

    Args:
        data: what file, environment and flags say together.
    """
    try:
        part = _Part.model_validate(data)
    except ValidationError as error:
        return {}, TransformOptions(), [f"{dotted(p.path)}: {p.why}" for p in model_problems(error, _Part)]
    return part.model_dump(by_alias=True, exclude={"transform"}), transform_options(part.transform), []
