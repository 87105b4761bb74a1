"""How custom resources are kept from making pods while green is asleep: rules as data, and what a definition says.

The importer puts to sleep by them and the assessment tells of what cannot sleep, so that the two cannot differ. Pure.
"""

import enum
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.ports import Raw

Path = tuple[str, ...]
Scales = Mapping[tuple[str, str], Path]
"""Where the replicas of a kind stand, by (apiVersion, kind); only of kinds that may have none."""


class Wakes(enum.StrEnum):
    """When a thing wakes: with the workloads, with the schedules at the very end, or only when a person marked it."""

    START = "start"
    LAST = "last"
    ON_MARK = "on mark"


@dataclass(frozen=True, slots=True)
class Rule:
    """How the objects of some kinds sleep.

    Attributes:
        group: API group.
        kinds: kinds of it.
        asleep: fields and what they are while asleep; None takes a field out. Empty: they cannot sleep, or need not.
        wakes: when they get back what they had.
        starts: whether they make pods although nothing of them sleeps.
        why: the reason.
        source: where that is written.
    """

    group: str
    kinds: frozenset[str]
    asleep: tuple[tuple[Path, Any], ...]
    wakes: Wakes
    why: str
    source: str
    starts: bool = False


def _mark(name: str) -> Path:
    return ("metadata", "annotations", name)


_PAUSE_KEDA = ((_mark("autoscaling.keda.sh/paused"), "true"), (_mark("autoscaling.keda.sh/paused-replicas"), None))
RULES: tuple[Rule, ...] = (
    Rule(
        "keda.sh",
        frozenset({"ScaledObject"}),
        _PAUSE_KEDA,
        Wakes.START,
        "it would scale its sleeping target up; paused at a number of replicas, it would go there",
        "keda.sh/docs concepts/scaling-deployments, pause autoscaling",
    ),
    Rule(
        "keda.sh",
        frozenset({"ScaledJob"}),
        _PAUSE_KEDA[:1],
        Wakes.LAST,
        "it would start Jobs for events that blue works on",
        "keda.sh/docs concepts/scaling-jobs, pausing autoscaling",
    ),
    Rule(
        "kafka.strimzi.io",
        frozenset({"Kafka", "KafkaConnect", "KafkaMirrorMaker", "KafkaMirrorMaker2", "KafkaBridge"}),
        ((_mark("strimzi.io/pause-reconciliation"), "true"),),
        Wakes.START,
        "its operator would make pods; one that is created paused is ignored",
        "strimzi.io/docs deploying, pausing reconciliation of custom resources",
    ),
    Rule(
        "kafka.strimzi.io",
        frozenset({"KafkaNodePool"}),
        (),
        Wakes.START,
        "its pods are made for its Kafka, which is paused",
        "strimzi.io/docs deploying, node pools",
    ),
    Rule(
        "argoproj.io",
        frozenset({"CronWorkflow"}),
        ((("spec", "suspend"), True),),
        Wakes.LAST,
        "it would run on its schedule in both clusters",
        "argo-workflows.readthedocs.io cron-workflows, suspend",
    ),
    Rule(
        "argoproj.io",
        frozenset({"Workflow"}),
        ((("spec", "suspend"), True),),
        Wakes.ON_MARK,
        "it would run a second time, as a one-off Job would",
        "argo-workflows.readthedocs.io walk-through/suspending",
    ),
    Rule(
        "apps.kruise.io",
        frozenset({"AdvancedCronJob"}),
        ((("spec", "paused"), True),),
        Wakes.LAST,
        "it would run on its schedule in both clusters",
        "openkruise.io/docs user-manuals/advancedcronjob, paused",
    ),
    Rule(
        "apps.kruise.io",
        frozenset({"BroadcastJob"}),
        ((("spec", "paused"), True),),
        Wakes.ON_MARK,
        "it would run a second time, as a one-off Job would",
        "openkruise.io/docs user-manuals/broadcastjob, paused",
    ),
    Rule(
        "jobset.x-k8s.io",
        frozenset({"JobSet"}),
        ((("spec", "suspend"), True),),
        Wakes.ON_MARK,
        "it would run a second time, as a one-off Job would",
        "jobset.sigs.k8s.io/docs reference, suspend",
    ),
    Rule(
        "serving.knative.dev",
        frozenset({"Service", "Configuration", "Revision"}),
        (),
        Wakes.START,
        "a first pod is started to prove a revision, whatever its scale",
        "knative.dev/docs serving/autoscaling/scale-bounds, initial scale",
        starts=True,
    ),
    Rule(
        "apps.kruise.io",
        frozenset({"DaemonSet"}),
        (),
        Wakes.START,
        "it runs on every node and has no replicas",
        "openkruise.io/docs user-manuals/advanceddaemonset",
        starts=True,
    ),
)
"""What holds for kinds whatever their definition says; all others sleep by their scale subresource, if there is one."""


def group_of(api_version: str) -> str:
    """Return the group of an apiVersion, empty for the core."""
    return api_version.rpartition("/")[0]


def is_custom(api_version: str) -> bool:
    """Return whether an apiVersion is not one of Kubernetes' own."""
    group = group_of(api_version)
    return "." in group and not group.endswith(".k8s.io")


@functools.lru_cache
def rule_of(api_version: str, kind: str) -> Rule | None:
    """Return the rule of a kind, None without one."""
    group = group_of(api_version)
    return next((rule for rule in RULES if rule.group == group and kind in rule.kinds), None)


def sleep_of(obj: Raw, scales: Scales) -> tuple[tuple[Path, Any], ...]:
    """Return the fields of a custom resource and what they are while it sleeps, none where it cannot or need not.

    Args:
        obj: raw object.
        scales: where the replicas of kinds stand.
    """
    key = (str(obj.get("apiVersion") or ""), str(obj.get("kind") or ""))
    rule = rule_of(*key)
    if rule is not None:
        return rule.asleep
    path = scales.get(key) if is_custom(key[0]) else None
    return () if path is None else ((path, 0),)


def scales_of(definitions: Iterable[Raw]) -> dict[tuple[str, str], Path]:
    """Return where the replicas stand of each served kind that may have none.

    Args:
        definitions: CustomResourceDefinitions; other objects are passed over.
    """
    found: dict[tuple[str, str], Path] = {}
    for one in definitions:
        if one.get("kind") != "CustomResourceDefinition":
            continue
        spec = one.get("spec") or {}
        for version in spec.get("versions") or ():
            path = _replicas_path(version)
            if path and _may_be_none(version, path):
                found[f"{spec.get('group')}/{version.get('name')}", str((spec.get("names") or {}).get("kind"))] = path
    return found


def _replicas_path(version: Raw) -> Path:
    """Return the steps of spec.versions[].subresources.scale.specReplicasPath, a dotted path without arrays."""
    text = ((version.get("subresources") or {}).get("scale") or {}).get("specReplicasPath")
    return tuple(str(text).strip(".").split(".")) if text else ()


def _may_be_none(version: Raw, path: Path) -> bool:
    """Return whether the schema takes a 0 there."""
    node: Any = (version.get("schema") or {}).get("openAPIV3Schema") or {}
    for step in path:
        node = (node.get("properties") or {}).get(step) or {}
    least = node.get("minimum")
    exclusive = node.get("exclusiveMinimum") is True
    return not isinstance(least, int | float) or least < 0 or (least == 0 and not exclusive)


def makes_pods(obj: Raw) -> bool:
    """Return whether the specification of a custom resource holds containers, as those do that make pods themselves."""
    return _has_containers(obj.get("spec"))


def _has_containers(node: Any) -> bool:
    if isinstance(node, list):
        return any(map(_has_containers, node))
    if not isinstance(node, Mapping):
        return False
    given = node.get("containers")
    if isinstance(given, list) and any(isinstance(one, Mapping) and one.get("image") for one in given):
        return True
    return any(map(_has_containers, node.values()))
