"""Renames namespaces in an object and in everything that refers to one.

It changes the object that it is given: the caller owns it. Which fields refer to a namespace is data (references.py);
names inside free text are never touched.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, assert_never

from bluegreen.importer import shape
from bluegreen.importer.references import (
    NAME_LABELS,
    POD_REFERENCES,
    QUALIFIED_ANNOTATIONS,
    REFERENCES,
    Form,
    Reference,
)
from bluegreen.model.ports import Raw

_GROUP = "system:serviceaccounts:"
_USER = "system:serviceaccount:"


def map_namespaces(obj: Raw, names: Mapping[str, str]) -> None:
    """Rename namespaces in an object's metadata, subjects, references, selectors and role rules.

    Args:
        obj: object to change.
        names: name on blue to name on green.
    """
    meta = obj["metadata"]
    _replace(meta, "namespace", lambda name: names.get(name, name))
    if shape.is_data(obj):
        return
    if shape.is_kind(obj, "Namespace"):
        meta["name"] = names.get(meta["name"], meta["name"])
    for subject in obj.get("subjects") or ():
        _map_subject(subject, names)
    for reference in _references_of(str(obj["apiVersion"]), str(obj["kind"])):
        _map_at(obj, reference.path, functools.partial(_mapped, form=reference.form, names=names))
    pods = shape.pod_spec(obj)
    for path in POD_REFERENCES if pods else ():
        _map_at(pods, path, lambda name: names.get(name, name))
    _map_selectors(_selecting(obj), names)
    _map_annotations(obj, names)
    _map_role_rules(obj, names)


@functools.cache
def _references_of(api_version: str, kind: str) -> tuple[Reference, ...]:
    group = api_version.rpartition("/")[0]
    kind = f"{kind}.{group}" if group else kind
    return tuple(reference for reference in REFERENCES if fnmatchcase(kind, reference.kind))


def _mapped(text: str, form: Form, names: Mapping[str, str]) -> str:
    """Return a value with the namespace in it renamed."""
    match form:
        case Form.NAME:
            return names.get(text, text)
        case Form.QUALIFIED:
            namespace, slash, name = text.partition("/")
            return names.get(namespace, namespace) + slash + name if slash else text
        case Form.ACCOUNT:
            return _account(text, names)
        case Form.PRINCIPAL:
            domain, ns, rest = text.partition("/ns/")
            namespace, slash, account = rest.partition("/")
            return domain + ns + names.get(namespace, namespace) + slash + account
        case _:
            assert_never(form)


def _account(name: str, names: Mapping[str, str]) -> str:
    """Return the user or group of service accounts with its namespace renamed."""
    if name.startswith(_GROUP):
        namespace = name.removeprefix(_GROUP)
        return _GROUP + names.get(namespace, namespace)
    if name.startswith(_USER):
        namespace, colon, account = name.removeprefix(_USER).partition(":")
        return _USER + names.get(namespace, namespace) + colon + account
    return name


def _map_subject(subject: Raw, names: Mapping[str, str]) -> None:
    match subject.get("kind"):
        case "ServiceAccount":
            _replace(subject, "namespace", lambda name: names.get(name, name))
        case "Group" | "User":
            _replace(subject, "name", lambda name: _account(name, names))
        case _:
            return


def _map_at(node: Any, path: str, change: Callable[[str], str]) -> None:
    """Change the text, or each text of the list, at every place that a path leads to."""
    step, _, rest = path.partition(".")
    key = step.removesuffix("[]")
    if not isinstance(node, dict):
        return
    if not rest:
        _replace(node, key, change)
        return
    below = node.get(key)
    for child in (below or ()) if step.endswith("[]") and isinstance(below, list | None) else (below,):
        _map_at(child, rest, change)


def _replace(holder: Raw, key: str, change: Callable[[str], str]) -> None:
    value = holder.get(key)
    if isinstance(value, str):
        holder[key] = change(value)
    elif isinstance(value, list):
        holder[key] = [change(item) if isinstance(item, str) else item for item in value]


def _selecting(obj: Raw) -> Iterator[Any]:
    """Yield the parts that may hold selectors of namespaces; a workload's own selector selects its pods only."""
    spec = obj.get("spec")
    if isinstance(spec, dict) and shape.has_pods(obj):
        spec = {key: value for key, value in spec.items() if key != "selector"}
    yield from (spec, obj.get("specs"), obj.get("webhooks"))


def _map_selectors(nodes: Any, names: Mapping[str, str]) -> None:
    """Rename in every selector that asks for the label that carries a namespace's own name."""
    for node in nodes:
        if isinstance(node, list):
            _map_selectors(node, names)
        elif isinstance(node, dict):
            _map_selector(node, names)
            _map_selectors(node.values(), names)


def _map_selector(selector: Raw, names: Mapping[str, str]) -> None:
    labels = selector.get("matchLabels")
    labels = labels if isinstance(labels, dict) else {}
    for key in NAME_LABELS & labels.keys():
        _replace(labels, key, lambda name: names.get(name, name))
    expressions = selector.get("matchExpressions")
    for expression in expressions if isinstance(expressions, list) else ():
        if isinstance(expression, dict) and expression.get("key") in NAME_LABELS:
            _replace(expression, "values", lambda name: names.get(name, name))


def _map_annotations(obj: Raw, names: Mapping[str, str]) -> None:
    """Rename in the annotations by which an Ingress names Secrets of other namespaces."""
    annotations = obj["metadata"].get("annotations")
    if obj.get("kind") == "Ingress" and isinstance(annotations, dict):
        for key in annotations:
            if any(fnmatchcase(key, pattern) for pattern in QUALIFIED_ANNOTATIONS):
                _replace(annotations, key, lambda text: _mapped(text, Form.QUALIFIED, names))


def _map_role_rules(obj: Raw, names: Mapping[str, str]) -> None:
    """Rename in the rules of a role that is about namespaces by name."""
    if obj.get("kind") in ("Role", "ClusterRole"):
        for rule in obj.get("rules") or ():
            if any(str(resource).partition("/")[0] == "namespaces" for resource in rule.get("resources") or ()):
                _replace(rule, "resourceNames", lambda name: names.get(name, name))
