"""The rules by which Velero turns restored pods into carriers: pods that hold the volumes and run nothing of the app.

Pure. The rules must leave no way for a container of the application to start on green: a pod that none of the pod
rules names stays gated, so it is never scheduled.
"""

import json
from collections.abc import Iterator
from typing import Any

from bluegreen_adapters.velero_names import CARRIER, CLAIM_UID, FILLED, MOVE, ROLE
from bluegreen_adapters.velero_survey import SourceClaim, SourcePod, Survey

GATE = "bluegreen.io/not-in-move"
WAITER = "restore-wait"
NOBODY = 65535
# Parts of a pod's security context that say who owns files; sysctls and the like stay behind.
_IDENTITY = ("runAsUser", "runAsGroup", "runAsNonRoot", "fsGroup", "fsGroupChangePolicy", "supplementalGroups")
_OURS = ("volumes", "containers", "initContainers")
_REPLACE = {"$patch": "replace"}


def rules(move: str, image: str, namespaces: tuple[str, ...], found: Survey) -> str:
    """Return Velero's resource modifiers for a move, as JSON (which is YAML).

    Args:
        move: id of the request.
        image: image of the carrier's only container.
        namespaces: all namespaces that are restored.
        found: pods to restore as carriers, and claims with their StorageClass on green.
    """
    # Velero applies the rules in order: gate every pod first, then open the gate of those that we know.
    written = [_gate_rule(move, list(namespaces))]
    for pod in found.pods:
        written.append(_carrier_rule(move, image, pod))
        written.extend(_waiter_rule(pod))
    written.extend(_claim_rule(move, claim) for claim in found.claims)
    return json.dumps({"version": "v1", "resourceModifierRules": written}, indent=1)


def _conditions(resource: str, namespaces: list[str], name: str = "") -> dict[str, Any]:
    conditions: dict[str, Any] = {"groupResource": resource, "namespaces": namespaces}
    return conditions | ({"resourceNameRegex": f"^{name.replace('.', '[.]')}$"} if name else {})


def _strategic(conditions: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    return {"conditions": conditions, "strategicPatches": [{"patchData": json.dumps(patch)}]}


def _metadata(move: str) -> dict[str, Any]:
    # Without its labels and owner no Service and no controller takes the pod.
    return {
        "labels": _REPLACE | {MOVE: move, ROLE: CARRIER},
        "annotations": _REPLACE,
        "ownerReferences": None,
    }


def _gate_rule(move: str, namespaces: list[str]) -> dict[str, Any]:
    dropped = ("serviceAccount", "priorityClassName", "priority", "preemptionPolicy", "runtimeClassName", "overhead")
    spec = dict.fromkeys((*dropped, "nodeName", "resourceClaims")) | {
        "serviceAccountName": "default",
        "schedulingGates": [{"name": GATE}],
    }
    return _strategic(_conditions("pods", namespaces), {"metadata": _metadata(move), "spec": spec})


def _carrier_rule(move: str, image: str, pod: SourcePod) -> dict[str, Any]:
    source = pod.raw["spec"]
    spec: dict[str, Any] = dict.fromkeys(key for key in source if key not in _OURS)
    spec |= {
        "schedulingGates": None,
        "serviceAccountName": "default",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": _REPLACE | _identity(source.get("securityContext") or {}),
        "containers": [_REPLACE, _carrier(image)],
        "volumes": [_REPLACE, *_volumes(pod)],
    }
    foreign = [{"$patch": "delete", "name": entry["name"]} for entry in source.get("initContainers") or []]
    if foreign:
        spec["initContainers"] = foreign
    return _strategic(_conditions("pods", [pod.namespace], pod.name), {"metadata": _metadata(move), "spec": spec})


def _carrier(image: str) -> dict[str, Any]:
    return {
        "name": CARRIER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "32Mi"},
        },
        "securityContext": {
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _volumes(pod: SourcePod) -> Iterator[dict[str, Any]]:
    for volume, claim in pod.volumes:
        yield {"name": volume, "persistentVolumeClaim": {"claimName": claim}}


def _identity(context: dict[str, Any]) -> dict[str, Any]:
    return {key: context[key] for key in _IDENTITY if key in context}


def _waiter_rule(pod: SourcePod) -> Iterator[dict[str, Any]]:
    """Let Velero's waiting container see into directories whose owner is known to the image only.

    It looks for a mark file inside the volume. When no user is set, Velero runs it as user 1000, and a data directory
    with mode 0700 (PostgreSQL) would be closed to it for ever.
    """
    spec = pod.raw["spec"]
    first = (spec["containers"][0].get("securityContext") or {}) if spec.get("containers") else {}
    contexts = (first, spec.get("securityContext") or {})
    if any("runAsUser" in context or context.get("runAsNonRoot") for context in contexts):
        return
    conditions = _conditions("pods", [pod.namespace], pod.name)
    conditions["matches"] = [{"path": "/spec/initContainers/0/name", "value": WAITER}]
    security = {
        "runAsUser": 0,
        "runAsGroup": 0,
        "runAsNonRoot": False,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"], "add": ["DAC_OVERRIDE"]},
    }
    yield _strategic(conditions, {"spec": {"initContainers": [{"name": WAITER, "securityContext": security}]}})


def _claim_rule(move: str, claim: SourceClaim) -> dict[str, Any]:
    patch = {
        # What an earlier move noted on the claim does not hold for the new one.
        "metadata": {"annotations": {MOVE: move, CLAIM_UID: None, FILLED: None}},
        "spec": {
            "storageClassName": claim.storage_class or None,
            "volumeName": None,
            "selector": None,
            "dataSource": None,
            "dataSourceRef": None,
        },
    }
    conditions = _conditions("persistentvolumeclaims", [claim.namespace], claim.name)
    return {"conditions": conditions, "mergePatches": [{"patchData": json.dumps(patch)}]}
