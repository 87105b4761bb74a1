"""The user's own comparison: one command in a pod of each side, whose answers must be equal.

Answers are shown in the report, so a check must not print secrets; long ones are shown by digest.
"""

import hashlib
from dataclasses import dataclass

from bluegreen.config.models import Check, Exec
from bluegreen.model.errors import RefusedError, clean_text
from bluegreen.model.ports import Cluster, Raw

_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Answers:
    """What both sides answered, in a form that can be shown."""

    equal: bool
    blue: str
    green: str


def compare_answers(blue: Cluster, green: Cluster, check: Check) -> Answers:
    """Run the command on both sides and compare what it prints.

    Raises:
        RefusedError: no ready pod, or the command failed.
        TransientError: a cluster cannot be reached.
    """
    left, right = _answer(blue, check), _answer(green, check)
    return Answers(left == right, _shown(left), _shown(right))


def _answer(cluster: Cluster, check: Check) -> str:
    """Return what the command prints on one side."""
    how = check.exec
    pod = _ready_pod(cluster, how, check.name)
    container = how.container or pod["spec"]["containers"][0]["name"]
    name = pod["metadata"]["name"]
    result = cluster.exec(how.namespace, name, container, how.command, how.timeout)
    if result.exit_code:
        raise RefusedError(
            "verify.command-failed",
            f"check {check.name} in pod {how.namespace}/{name} on {cluster.id.context}",
            f"exit code {result.exit_code}; what it printed is not shown, it could hold a secret",
            "run the command by hand with kubectl exec",
        )
    return result.stdout


def _ready_pod(cluster: Cluster, how: Exec, check: str) -> Raw:
    """Return the first ready pod of the selector."""
    pods = next(r for r in cluster.resources() if r.kind == "Pod" and r.api_version == "v1")
    for pod in cluster.list(pods, how.namespace, how.selector):
        conditions = pod.get("status", {}).get("conditions") or []
        if any(c["type"] == "Ready" and c["status"] == "True" for c in conditions):
            return pod
    raise RefusedError(
        "verify.no-pod",
        f"check {check} on {cluster.id.context}",
        f"no ready pod in {how.namespace} has {how.selector}",
        f"kubectl --context {cluster.id.context} -n {how.namespace} get pods -l {how.selector}",
    )


def _shown(answer: str) -> str:
    """Return an answer as it is shown: short ones as they are."""
    text = clean_text(answer, 10_000)
    return text if len(text) <= _SHOWN else f"sha256:{hashlib.sha256(answer.encode()).hexdigest()}"
