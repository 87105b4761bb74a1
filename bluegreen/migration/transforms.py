"""What is rewritten on the way, from bluegreen.yaml to the importer's terms, and to a saved plan and back.

A saved plan carries its transform, so that apply does what was planned whatever the file says by then.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bluegreen.importer.patches import Match, Patch
from bluegreen.importer.transform import TransformOptions

if TYPE_CHECKING:  # they need pydantic, which a command without a file does without
    from bluegreen.config import patches as given
    from bluegreen.config.transform import Transform

_FROM_FILE = ("storage_classes", "ingress_classes", "images", "labels", "annotations")
# Attribute to key of bluegreen.yaml and of a saved plan.
_MAPS = {
    "storage_classes": "storageClasses",
    "ingress_classes": "ingressClasses",
    "images": "images",
    "labels": "labels",
    "annotations": "annotations",
    "namespaces": "namespaces",
}


def transform_options(config: "Transform") -> TransformOptions:
    """Return what bluegreen.yaml says; namespaces are renamed by a flag only."""
    maps = {name: dict(getattr(config, name)) for name in _FROM_FILE}
    return TransformOptions(**maps, patches=tuple(_patch(patch) for patch in config.patches))


def _patch(patch: "given.Patch") -> Patch:
    fields = patch.match.model_dump(exclude_none=True)
    operations = tuple(op.model_dump(by_alias=True, exclude_unset=True) for op in patch.operations or ())
    merge = None if patch.merge is None else dict(patch.merge)
    return Patch(patch.name, Match(**fields), operations, merge, patch.required)


def describe(how: TransformOptions) -> dict[str, Any]:
    """Return a transform as JSON data, with the keys of bluegreen.yaml."""
    data: dict[str, Any] = {key: dict(getattr(how, name)) for name, key in _MAPS.items()}
    return {**data, "patches": [_described(patch) for patch in how.patches]}


def _described(patch: Patch) -> dict[str, Any]:
    match = patch.match
    pairs = {
        "apiVersion": match.api_version or None,
        "group": match.group,
        "kind": match.kind or None,
        "name": match.name or None,
        "namespace": match.namespace or None,
        "labels": match.labels or None,
    }
    return {
        "name": patch.name,
        "match": {key: value for key, value in pairs.items() if value is not None},
        **({"json": [dict(op) for op in patch.operations]} if patch.merge is None else {"merge": dict(patch.merge)}),
        "required": patch.required,
    }


def transform_of(data: Mapping[str, Any]) -> TransformOptions:
    """Return a transform from what `describe` made of it.

    Raises:
        ValueError: it is not what `describe` writes.
    """
    from bluegreen.config.transform import Transform  # noqa: PLC0415 - see above

    config = Transform.model_validate({"patches": data.get("patches") or []})
    maps = {name: dict(data.get(key) or {}) for name, key in _MAPS.items()}
    return TransformOptions(**maps, patches=tuple(_patch(patch) for patch in config.patches))
