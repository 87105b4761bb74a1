"""Ask a cluster whether we have a right, before a step needs it."""

from bluegreen.kube.calls import Call
from bluegreen.kube.http import Transport

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


def may(transport: Transport, verb: str, group: str, plural: str, namespace: str) -> bool:
    """Return whether we have a right.

    Args:
        transport: cluster to ask.
        verb: Kubernetes verb.
        group: API group, empty for the core group.
        plural: resource, with its subresource after a slash where one is meant (pods/exec).
        namespace: namespace, empty for all of them.
    """
    resource, _, subresource = plural.partition("/")
    attributes = {"verb": verb, "group": group, "resource": resource, "subresource": subresource}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes | ({"namespace": namespace} if namespace else {})},
    }
    what = f"asking whether we may {verb} {plural}"
    # A review stores nothing, so asking twice is harmless.
    answer = transport.send(Call("POST", _PATH, what, "create", body=review))
    return bool((answer.get("status") or {}).get("allowed"))
