"""Settings of the Gateway API router: where the HTTPRoute is, and what each side's backendRef refers to."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bluegreen.model.refs import ObjectRef, Side
from bluegreen_adapters.gateway_place import Place
from bluegreen_adapters.gateway_route import API_VERSION, KIND, Backend
from bluegreen_adapters.options import Options

SETTLE = 1.0
TIMEOUT = 5.0
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_OWNER = re.compile(r"[A-Za-z0-9._:@/-]{1,63}")
_BACKEND_KEYS = ("name", "namespace", "kind", "group", "port")
_LAST_PORT = 65535


def place(given: Options) -> Place:
    """Read the cluster and the name of the HTTPRoute."""
    context, kubeconfig = given.text("context"), given.text("kubeconfig", "")
    namespace, name = _named(given, "namespace"), _named(given, "httproute")
    return Place(context, kubeconfig, ObjectRef(API_VERSION, KIND, namespace, name))


def backends(given: Options) -> dict[Side, Backend]:
    """Read what each side's backendRef refers to; the two must differ."""
    found = {side: _backend(given, side) for side in Side}
    if found[Side.BLUE] == found[Side.GREEN] and found[Side.BLUE].name:
        given.refuse("green", "is the same backend as blue")
    return found


def rules(given: Options) -> tuple[int | str, ...]:
    """Read the rules that are moved: an index or a name, one or a list."""
    value = given.raw("rules", ())
    parts = value if isinstance(value, (list, tuple)) else (value,)
    if not all(_is_rule(part) for part in parts):
        given.refuse("rules", "must be the index (from 0) or name of a rule, or a list of them")
        return ()
    return tuple(parts)


def parents(given: Options) -> tuple[str, ...]:
    """Read the parents whose controllers are asked; empty for all."""
    value = given.raw("parents", ())
    if not isinstance(value, (list, tuple)) or not all(isinstance(part, str) and part for part in value):
        given.refuse("parents", "must be a list of names")
        return ()
    return tuple(value)


def owner(given: Options) -> str:
    """Read whose mark is set on the route."""
    text = given.text("owner", "bluegreen")
    if text and not _OWNER.fullmatch(text):
        given.refuse("owner", "may hold letters, digits and ._:@/- only, up to 63")
    return text


def _named(given: Options, key: str) -> str:
    text = given.text(key)
    if text and not _NAME.fullmatch(text):
        given.refuse(key, "is no name that a Kubernetes object can have")
    return text


def _backend(given: Options, side: Side) -> Backend:
    parts = _parts(given.raw(str(side), None))
    if faults := tuple(_faults(parts)):
        for fault in faults:
            given.refuse(str(side), fault)
        return Backend("")
    return Backend(**parts)


def _parts(value: object) -> Mapping[str, Any]:
    """Return a backend's settings; a text is the name of a Service."""
    if isinstance(value, str):
        return {"name": value}
    return {str(key): part for key, part in value.items()} if isinstance(value, Mapping) else {}


def _faults(parts: Mapping[str, Any]) -> Iterator[str]:
    if not parts.get("name"):
        yield "must be the name of a Service, or a mapping with name"
    for key, part in parts.items():
        if key not in _BACKEND_KEYS:
            yield f"has no setting {key}; known: {', '.join(_BACKEND_KEYS)}"
        elif key == "port" and not (type(part) is int and 0 < part <= _LAST_PORT):
            yield f"must have a port from 1 to {_LAST_PORT}"
        elif key != "port" and not isinstance(part, str):
            yield f"must have a text as {key}"


def _is_rule(value: object) -> bool:
    return (type(value) is int and value >= 0) or (isinstance(value, str) and bool(value))
