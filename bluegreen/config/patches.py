"""The patches of `transform.patches`: JSON patches (RFC 6902) and merge patches (RFC 7386), each with a match.

What can be told from the file alone is told here, so that a bad patch is known before a cluster is asked. Nothing here
applies a patch, and no message quotes a value.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from bluegreen.config.fields import Listed, Name, Section, Text
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.pointers import identity_at, merge_paths, pointer_of, tokens
from bluegreen.model.selectors import parse_selector

_WITH_VALUE = ("add", "replace", "test")
_WITH_FROM = ("move", "copy")


def _pointer(text: str) -> str:
    tokens(text)
    return text


def _selector(text: str) -> str:
    try:
        parse_selector(text)
    except InvalidInputError as error:
        raise ValueError(f"is no label selector: {error.why}; write it as for kubectl get -l") from None
    return text


Pointer = Annotated[str, AfterValidator(_pointer)]
LabelSelector = Annotated[Text, AfterValidator(_selector)]


class PatchMatch(Section):
    """The objects a patch is for; every key that is written must fit. They are asked as green would have them."""

    api_version: Text | None = Field(default=None, description="apiVersion, such as `apps/v1`.")
    group: str | None = Field(default=None, description="API group in any version, such as `apps`; `''` for the core.")
    kind: Text | None = Field(default=None, description="Kind, such as `Deployment`.")
    name: Text | None = Field(default=None, description="Name; `*` and `?` stand for any characters.")
    namespace: Text | None = Field(default=None, description="Namespace on green; `*` and `?` as in `name`.")
    labels: LabelSelector | None = Field(
        default=None, description="Label selector as kubectl takes it, such as `app=web,tier!=test`."
    )


class PatchOperation(Section):
    """One operation of a JSON patch (RFC 6902)."""

    op: Literal["add", "remove", "replace", "move", "copy", "test"] = Field(
        description="`add`, `remove`, `replace`, `move`, `copy` or `test`."
    )
    path: Pointer = Field(description="JSON pointer, such as `/spec/replicas`; `~1` stands for a / in a key.")
    source: Pointer | None = Field(
        default=None, alias="from", description="JSON pointer that `move` and `copy` take from."
    )
    value: Any = Field(default=None, description="What `add`, `replace` and `test` write or expect.")

    @model_validator(mode="after")
    def _complete(self) -> "PatchOperation":
        if self.op in _WITH_VALUE and "value" not in self.model_fields_set:
            raise ValueError(f"{self.op} needs a `value`")
        if self.op in _WITH_FROM and self.source is None:
            raise ValueError(f"{self.op} needs a `from`")
        return self

    def touched(self) -> tuple[str, ...]:
        """Return the pointers that the operation changes."""
        match self.op:
            case "test":
                return ()
            case "move":
                return (self.path, self.source or "")
            case _:
                return (self.path,)


class Patch(Section):
    """A change to the objects that it matches; patches are applied last, in the order of the file."""

    name: Name = Field(description="Name of the patch, unique in the file; messages and the plan name it.")
    match: PatchMatch = Field(description="Which objects are patched; `{}` is every object.")
    operations: Annotated[tuple[PatchOperation, ...], Listed] | None = Field(
        default=None, alias="json", min_length=1, description="A JSON patch (RFC 6902); all of it happens, or an error."
    )
    merge: Mapping[str, Any] | None = Field(
        default=None, description="A merge patch (RFC 7386): maps are merged, lists replaced, `null` removes a key."
    )
    required: bool = Field(
        default=False, description="Whether it is an error, not only a warning, that no object matches."
    )

    @model_validator(mode="after")
    def _one_form(self) -> "Patch":
        if (self.operations is None) == (self.merge is None):
            raise ValueError("needs either `json` or `merge`, and not both")
        paths = [tokens(pointer) for op in self.operations or () for pointer in op.touched()]
        paths += [path for path, _ in merge_paths(self.merge or {})]
        held = next((path for path in paths if identity_at(path)), None)
        if held is not None:
            raise ValueError(
                f"changes {identity_at(held)} by writing {pointer_of(held) or 'the whole object'}; "
                "a patch may not change which object it is"
            )
        return self


def unique_names(patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    """Return the patches; raise ValueError where a name is taken twice."""
    names = [patch.name for patch in patches]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} is the name of two patches; names are unique")
    return patches
