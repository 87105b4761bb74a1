"""The checks, each a pure function from blue's objects and the target's facts to findings.

A check knows one thing that goes wrong in real migrations; the list CHECKS is all of them. What is compared with the
target is the object as it will be there; the finding names it as it is on blue.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bluegreen.assess.facts import TargetFacts
from bluegreen.assess.pods import pod_spec
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of


@dataclass(frozen=True, slots=True)
class Subject:
    """What is assessed.

    Attributes:
        source_version: gitVersion of blue.
        objects: blue's cleaned objects.
        target: facts of green.
        storage_classes: mapping of the config, blue's name to green's.
        ingress_classes: mapping of the config.
        moved: the same objects in the same order as green will have them; None when nothing is rewritten.
    """

    source_version: str
    objects: Sequence[Raw]
    target: TargetFacts
    storage_classes: Mapping[str, str]
    ingress_classes: Mapping[str, str]
    moved: Sequence[Raw] | None = None

    def on_green(self) -> Sequence[Raw]:
        """Return the objects as green will have them."""
        return self.objects if self.moved is None else self.moved

    def pairs(self) -> Iterator[tuple[Raw, Raw]]:
        """Yield each object as blue has it and as green will have it."""
        return zip(self.objects, self.on_green(), strict=True)


Check = Callable[[Subject], Iterator[Finding]]


def _minor(version: str) -> tuple[int, int]:
    """Return major and minor of a gitVersion, 0.0 when it has none."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def older_target(subject: Subject) -> Iterator[Finding]:
    """Find a target that is older than the source: nothing promises that objects can go back."""
    if _minor(subject.target.version) < _minor(subject.source_version):
        yield Finding(
            "target-older",
            Severity.BLOCKER,
            "target cluster",
            f"it runs {subject.target.version}, the source {subject.source_version}",
            "upgrade the target first; Kubernetes and Velero support moving forward only",
        )


def kinds_not_served(subject: Subject) -> Iterator[Finding]:
    """Find objects whose API the target does not serve, unless their definition moves too."""
    defined = {(f"{one.group}/{one.version}", one.kind) for one in definitions_served(subject.on_green())}
    for here, there in subject.pairs():
        key = (there["apiVersion"], there["kind"])
        if key not in subject.target.served and key not in defined:
            yield Finding(
                "api-not-served",
                Severity.BLOCKER,
                str(ref_of(here)),
                f"the target does not serve {key[0]} {key[1]}",
                "install its definition on the target, or leave the object out",
            )


class Served(NamedTuple):
    """A version of a custom resource that a definition serves."""

    group: str
    version: str
    kind: str
    plural: str


def definitions_served(objects: Iterable[Raw]) -> Iterator[Served]:
    """Yield what the definitions among some objects serve."""
    for crd in objects:
        if crd["kind"] == "CustomResourceDefinition":
            spec, names = crd["spec"], crd["spec"]["names"]
            for version in spec["versions"]:
                if version.get("served"):
                    yield Served(spec["group"], version["name"], names["kind"], names.get("plural", ""))


def _claims(obj: Raw) -> Iterator[tuple[str, str]]:
    """Yield (what to add to the object's name, StorageClass or empty) of a claim or of a StatefulSet's templates."""
    if obj["kind"] == "PersistentVolumeClaim":
        yield "", (obj.get("spec") or {}).get("storageClassName") or ""
    if obj["kind"] == "StatefulSet":
        for template in obj["spec"].get("volumeClaimTemplates") or []:
            yield f" template {template['metadata']['name']}", template["spec"].get("storageClassName") or ""


def storage_classes(subject: Subject) -> Iterator[Finding]:
    """Find claims whose StorageClass, after mapping, is missing on the target."""
    known = subject.target.names["StorageClass"]
    for here, there in subject.pairs():
        before = dict(_claims(here))
        for part, name in _claims(there):
            if name and name not in known:
                yield Finding(
                    "storage-class-missing",
                    Severity.BLOCKER,
                    f"{ref_of(here)}{part}",
                    f"StorageClass {name} is not on the target; it has {', '.join(sorted(known)) or 'none'}",
                    "map it in bluegreen.yaml: transform.storageClasses: "
                    f"{{{before.get(part) or name}: <name on the target>}}",
                )


def named_classes(subject: Subject) -> Iterator[Finding]:
    """Find references to classes that are neither on the target nor moved along."""
    moved = {(obj["kind"], obj["metadata"]["name"]) for obj in subject.on_green()}
    for here, there in subject.pairs():
        for kind, name in _class_references(there):
            if name not in subject.target.names[kind] and (kind, name) not in moved:
                yield Finding(
                    f"{kind.removesuffix('Class').lower()}-class-missing",
                    Severity.WARNING if kind == "IngressClass" else Severity.BLOCKER,
                    str(ref_of(here)),
                    f"{kind} {name} is not on the target",
                    f"create the {kind} on the target or map it",
                )


def _class_references(obj: Raw) -> Iterator[tuple[str, str]]:
    """Yield the classes that an object names, as (kind, name)."""
    spec = pod_spec(obj)
    for kind, key in (("PriorityClass", "priorityClassName"), ("RuntimeClass", "runtimeClassName")):
        if spec.get(key) and not str(spec[key]).startswith("system-"):
            yield kind, str(spec[key])
    if obj["kind"] == "Ingress" and obj["spec"].get("ingressClassName"):
        yield "IngressClass", str(obj["spec"]["ingressClassName"])


def node_bound_volumes(subject: Subject) -> Iterator[Finding]:
    """Find pods that read the node's own disk: their data does not move."""
    for obj in subject.objects:
        for volume in pod_spec(obj).get("volumes") or []:
            if "hostPath" in volume:
                yield Finding(
                    "host-path",
                    Severity.WARNING,
                    str(ref_of(obj)),
                    f"volume {volume['name']} is the node's own {volume['hostPath'].get('path')}; it is not moved",
                    "put the data into a PersistentVolumeClaim, or make sure that the target's nodes have it",
                )


def node_selectors(subject: Subject) -> Iterator[Finding]:
    """Find pods that ask for labels which no node of the target has."""
    for here, there in subject.pairs():
        wanted = pod_spec(there).get("nodeSelector") or {}
        if wanted and not any(wanted.items() <= labels.items() for labels in subject.target.node_labels):
            yield Finding(
                "node-selector-unmatched",
                Severity.WARNING,
                str(ref_of(here)),
                "no node of the target has the labels " + ", ".join(f"{k}={v}" for k, v in sorted(wanted.items())),
                "label a node of the target, or change the selector",
            )


def node_ports(subject: Subject) -> Iterator[Finding]:
    """Find node ports that another Service of the target has."""
    for here, there in subject.pairs():
        if there["kind"] != "Service":
            continue
        before, own = _qualified(here), _qualified(there)
        renamed = f", and this will be {own} there" if own != before else ""
        for port in there["spec"].get("ports") or []:
            holder = subject.target.node_ports.get(port.get("nodePort") or 0)
            if holder and holder != own:
                yield Finding(
                    "node-port-taken",
                    Severity.BLOCKER,
                    str(ref_of(here)),
                    f"nodePort {port['nodePort']} belongs to Service {holder} on the target{renamed}",
                    "free the port on the target, or let the API server choose one",
                )


def _qualified(obj: Raw) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def both_sides_run(subject: Subject) -> Iterator[Finding]:
    """Find schedules that will run in both clusters once green is finished and blue is kept."""
    for here, there in subject.pairs():
        if here["kind"] == "CronJob" and not any(one["spec"].get("suspend") for one in (here, there)):
            yield Finding(
                "cronjob-on-both",
                Severity.WARNING,
                str(ref_of(here)),
                "blue is kept for a rollback, so this schedule runs on both sides after the migration",
                "suspend it on blue when green is trusted, if its work must happen once",
            )


def unreadable(subject: Subject) -> Iterator[Finding]:
    """Find kinds of the target that we may not list, so checks about them say nothing."""
    for kind, reason in subject.target.unreadable.items():
        yield Finding(
            "target-unreadable", Severity.WARNING, kind, f"not checked: {reason}", f"allow list on {kind} in the target"
        )


CHECKS: tuple[Check, ...] = (
    older_target,
    kinds_not_served,
    storage_classes,
    named_classes,
    node_bound_volumes,
    node_selectors,
    node_ports,
    both_sides_run,
    unreadable,
)

_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}


def find(subject: Subject) -> tuple[Finding, ...]:
    """Return the findings of every check, the worst first."""
    found = [finding for check in CHECKS for finding in check(subject)]
    return tuple(sorted(found, key=lambda f: (_RANK[f.severity], f.rule, f.subject)))
