"""Phrases that say when a rule holds, so that a rule's condition can be read in the docs and be run by the code.

Phrases are joined by " and ", each may begin with "not ". Conditions look at the object as blue has it, before any
rule changed it; they never change anything.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from bluegreen.exporter import paths
from bluegreen.exporter.built_in import is_built_in, is_made_for
from bluegreen.model.ports import Raw

_HOLD_STATE = frozenset({"PersistentVolumeClaim", "Secret"})
_TOKEN_NAME = re.compile(r"-(?:token|dockercfg)-[bcdfghjklmnpqrstvwxz2456789]{5}\Z")


@dataclass(frozen=True, slots=True)
class CleanContext:
    """What cleaning must know beside the object.

    Attributes:
        namespaces: namespaces that are exported.
        exists: UIDs of the objects seen on blue, to tell living owners from absent ones.
        selecting_services: (namespace, name) of Services that have a selector.
        node_ports: explicit keeps ports that a person asked for, all keeps all, none drops all.
        families: IP families that green serves (IPv4, IPv6), None when not known.
        keep_status: kinds (Kind.group) whose status is kept.
    """

    namespaces: frozenset[str] = frozenset()
    exists: frozenset[str] = frozenset()
    selecting_services: frozenset[tuple[str, str]] = frozenset()
    node_ports: str = "explicit"
    families: frozenset[str] | None = None
    keep_status: frozenset[str] = field(default_factory=frozenset)


Test = Callable[[Raw, CleanContext], bool]


def group_kind(obj: Raw) -> str:
    """Return Kind.group as kubectl writes it, Kind alone for the core group."""
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    kind = str(obj.get("kind", ""))
    return f"{kind}.{group}" if group else kind


def is_live(obj: Raw, _context: CleanContext) -> bool:
    """The object was read from a cluster: it has a UID. In a manifest every value was written by a person."""
    return bool(paths.get(obj, "metadata", "uid"))


def controller_of(obj: Raw) -> Raw | None:
    """Return the owner reference that is marked as controller."""
    owners = paths.get(obj, "metadata", "ownerReferences") or ()
    return next((owner for owner in owners if isinstance(owner, dict) and owner.get("controller")), None)


def is_remade(obj: Raw, owner: Raw) -> bool:
    """Return whether an owner's controller makes the object again as it is.

    A built-in controller makes what its table says and nothing else. A custom one is taken to make all that it owns,
    but for what holds state: a claim has data, and a Secret of an operator
    often has a generated password that the moved data depends on.
    """
    if is_built_in(str(owner.get("apiVersion", ""))):
        return is_made_for(owner, obj)
    return obj.get("kind") not in _HOLD_STATE


def _owned(obj: Raw, context: CleanContext) -> bool:
    owner = controller_of(obj)
    if owner is None or owner.get("uid") not in context.exists:
        return False
    return is_remade(obj, owner)


def _finished_pod(obj: Raw, _context: CleanContext) -> bool:
    return paths.get(obj, "status", "phase") in ("Succeeded", "Failed")


def _finished_job(obj: Raw, _context: CleanContext) -> bool:
    conditions = paths.get(obj, "status", "conditions") or ()
    ended = any(c.get("type") in ("Complete", "Completed", "Failed") and c.get("status") == "True" for c in conditions)
    return ended or bool(paths.get(obj, "status", "completionTime"))


def _selected_endpoints(obj: Raw, context: CleanContext) -> bool:
    meta = obj.get("metadata", {})
    return (meta.get("namespace", ""), meta.get("name", "")) in context.selecting_services


def _plain_account(obj: Raw, _context: CleanContext) -> bool:
    meta = obj.get("metadata", {})
    pull = [s for s in obj.get("imagePullSecrets") or () if not _TOKEN_NAME.search(s.get("name", ""))]
    own = [k for k in meta.get("annotations") or () if k != LAST_APPLIED and not k.startswith("openshift.io/")]
    return not (pull or own or meta.get("labels") or obj.get("automountServiceAccountToken") is not None)


def _generated_token(obj: Raw, _context: CleanContext) -> bool:
    return bool(_TOKEN_NAME.search(str(paths.get(obj, "metadata", "name") or "")))


def is_generated_token_name(name: str) -> bool:
    """Return whether a controller made a Secret of that name for a ServiceAccount (<sa>-token-x7k2p, -dockercfg-)."""
    return bool(_TOKEN_NAME.search(name))


LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

PREDICATES: dict[str, Test] = {
    "live": is_live,
    "being deleted": lambda obj, _: bool(paths.get(obj, "metadata", "deletionTimestamp")),
    "owned by a living controller that remakes it": _owned,
    "finished pod": _finished_pod,
    "finished job": _finished_job,
    "its Service has a selector": _selected_endpoints,
    "only generated fields": _plain_account,
    "generated name": _generated_token,
    "headless": lambda obj, _: "None" in (paths.get(obj, "spec", "clusterIP"), *_cluster_ips(obj)),
    "manual selector": lambda obj, _: paths.get(obj, "spec", "manualSelector") is True,
    "load balancer": lambda obj, _: paths.get(obj, "spec", "type") == "LoadBalancer",
    "aggregated": lambda obj, _: bool(obj.get("aggregationRule")),
    # A claim that waits may name the volume that a person wants for it; a Lost one keeps the name of the volume that
    # is gone, so that green does not give it an empty one.
    "bound": lambda obj, _: paths.get(obj, "status", "phase") == "Bound",
    "a runtime class is set": lambda obj, _: bool(paths.get(obj, "spec", "runtimeClassName")),
    "a priority class is set": lambda obj, _: bool(paths.get(obj, "spec", "priorityClassName")),
    "status is kept": lambda obj, context: group_kind(obj) in context.keep_status,
    "immutable": lambda obj, _: obj.get("immutable") is True,
}


def _cluster_ips(obj: Raw) -> tuple[Any, ...]:
    return tuple(paths.get(obj, "spec", "clusterIPs") or ())


@functools.cache
def compile_condition(text: str) -> Test:
    """Return the test that a condition stands for.

    Args:
        text: phrases joined by " and ": a key of PREDICATES, `name in A B`, `type in A B`, `label K in A B`,
            `has label K`, `has annotation K`; names and keys may hold wildcards.

    Raises:
        ValueError: an unknown phrase.
    """
    tests = [_phrase(part.strip()) for part in text.split(" and ")] if text else []
    if not tests:
        return lambda _obj, _context: True
    if len(tests) == 1:
        return tests[0]
    return lambda obj, context: all(test(obj, context) for test in tests)


def _phrase(text: str) -> Test:
    if text.startswith("not "):
        inner = _phrase(text.removeprefix("not "))
        return lambda obj, context: not inner(obj, context)
    if text in PREDICATES:
        return PREDICATES[text]
    match text.split():
        case ["name", "in", *names]:
            return _value_in(names, "metadata", "name")
        case ["type", "in", *names]:
            return _value_in(names, "type")
        case ["label", key, "in", *names]:
            return _value_in(names, "metadata", "labels", key)
        case ["has", ("label" | "annotation") as where, pattern]:
            return _has_key(pattern, where + "s")
        case _:
            raise ValueError(f"{text!r} is no condition")


def _value_in(patterns: list[str], *keys: str) -> Test:
    def test(obj: Raw, _context: CleanContext) -> bool:
        value = paths.get(obj, *keys)
        return isinstance(value, str) and any(fnmatchcase(value, pattern) for pattern in patterns)

    return test


def _has_key(pattern: str, where: str) -> Test:
    def test(obj: Raw, _context: CleanContext) -> bool:
        return any(fnmatchcase(key, pattern) for key in paths.get(obj, "metadata", where) or ())

    return test
