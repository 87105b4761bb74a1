"""What hurts when the same objects live in two clusters, or in another cloud account. Pure.

Each check knows one thing; none is a blocker, for each can be meant so.
"""

from collections.abc import Iterator

from bluegreen.assess.amounts import bytes_words, cores_words
from bluegreen.assess.pod_resources import total
from bluegreen.assess.pods import pod_spec
from bluegreen.assess.wider import Wider
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_IDENTITIES = {
    "eks.amazonaws.com/role-arn": "AWS role",
    "iam.gke.io/gcp-service-account": "Google service account",
    "azure.workload.identity/client-id": "Azure identity",
}
_GITOPS = {
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "argocd.argoproj.io/instance": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
    "meta.helm.sh/release-name": "Helm",
}
_TWICE = {
    "external-dns.alpha.kubernetes.io/hostname": "external-dns of both clusters would write the same name",
    "cert-manager.io/cluster-issuer": "cert-manager of both clusters would ask for the same certificate",
    "cert-manager.io/issuer": "cert-manager of both clusters would ask for the same certificate",
}
_WARN_PERCENT = 80


def _marks(obj: Raw) -> dict[str, str]:
    meta = obj["metadata"]
    return {**(meta.get("labels") or {}), **(meta.get("annotations") or {})}


def load_balancers(wider: Wider) -> Iterator[Finding]:
    """Find Services that get an address from a cloud: another one on the target."""
    for obj in wider.subject.objects:
        if obj["kind"] == "Service" and (obj.get("spec") or {}).get("type") == "LoadBalancer":
            yield Finding(
                "load-balancer",
                Severity.WARNING,
                str(ref_of(obj)),
                "the target's load balancer has another address; without a controller it stays pending",
                "point the routes of bluegreen.yaml at the new address, and lower the TTL of its names before",
            )


def cloud_identities(wider: Wider) -> Iterator[Finding]:
    """Find accounts that are bound to an identity of a cloud, which trusts blue's issuer only."""
    for obj in wider.subject.objects:
        for key in (_IDENTITIES.keys() & _marks(obj).keys()) if obj["kind"] == "ServiceAccount" else ():
            yield Finding(
                "cloud-identity",
                Severity.WARNING,
                str(ref_of(obj)),
                f"it acts as an {_IDENTITIES[key]}, which trusts blue's token issuer only",
                "add the target's issuer to the identity's trust before the migration",
            )


def owned_by_gitops(wider: Wider) -> Iterator[Finding]:
    """Find objects that a delivery tool owns: on the target it does not know them, or prunes them."""
    owned: dict[str, list[str]] = {}
    for obj in wider.raw:
        for tool in sorted({_GITOPS[key] for key in _GITOPS.keys() & _marks(obj).keys()}):
            owned.setdefault(tool, []).append(str(ref_of(obj)))
    for tool, names in owned.items():
        yield Finding(
            "gitops-owned",
            Severity.WARNING,
            names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more",
            f"{tool} owns it on blue; on the target nobody would update it, or {tool} there would undo the import",
            f"let {tool} deliver it to the target, or leave it out of the migration",
        )


def done_twice(wider: Wider) -> Iterator[Finding]:
    """Find marks by which controllers of both clusters would do the same thing outside."""
    for obj in wider.subject.objects:
        for key in sorted(_TWICE.keys() & _marks(obj).keys()):
            yield Finding(
                "done-twice",
                Severity.WARNING,
                str(ref_of(obj)),
                _TWICE[key],
                "let the traffic routes of bluegreen.yaml decide, and take the annotation off on the target",
            )


def autoscalers(wider: Wider) -> Iterator[Finding]:
    """Find autoscalers that would see no metrics."""
    if wider.metrics is not False:
        return
    for obj in wider.subject.objects:
        if obj["kind"] == "HorizontalPodAutoscaler":
            yield Finding(
                "autoscaler-without-metrics",
                Severity.WARNING,
                str(ref_of(obj)),
                "the target serves no pod metrics (metrics.k8s.io), so it would never scale",
                "install metrics-server on the target",
            )


def floating_images(wider: Wider) -> Iterator[Finding]:
    """Find images without a fixed version: green may run another one than blue."""
    for obj in wider.subject.objects:
        spec = pod_spec(obj)
        images = {str(c.get("image")) for key in ("initContainers", "containers") for c in spec.get(key) or ()}
        floating = sorted(image for image in images if _floats(image))
        if floating:
            yield Finding(
                "image-floating",
                Severity.INFO,
                str(ref_of(obj)),
                f"{', '.join(floating)} names no version, so green may run another one than blue",
                "name a tag or a digest",
            )


def _floats(image: str) -> bool:
    last = image.rpartition("/")[2]
    return "@" not in image and (":" not in last or last.endswith(":latest"))


def capacity(wider: Wider) -> Iterator[Finding]:
    """Find requests that the target's nodes have no room for, even empty."""
    for key, words in (("cpu", cores_words), ("memory", bytes_words)):
        wanted, there = total(wider.subject.objects, key), (wider.allocatable or {}).get(key)
        if there is not None and wanted * 100 > there * _WARN_PERCENT:
            severity = Severity.WARNING if wanted > there else Severity.INFO
            yield Finding(
                "capacity",
                severity,
                f"{key} of the target",
                f"the pods request {words(wanted)}, its nodes have {words(there)} in all",
                "add nodes, or make sure that its autoscaler may",
            )


def gaps(wider: Wider) -> Iterator[Finding]:
    """Say what could not be read, so that nothing was found there is not taken for all is well."""
    for what, why in wider.gaps.items():
        yield Finding(
            "not-read", Severity.WARNING, what, f"not checked: {why}", "allow get and list on it, or look at it by hand"
        )
