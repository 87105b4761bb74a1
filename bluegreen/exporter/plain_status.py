"""Of which custom kinds the status is plain data: those whose definition has no status subresource.

There a person or a program writes the status with the rest of the object, and no controller of green would write it
again. It reads the definitions of blue and nothing else.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from bluegreen.exporter.built_in import is_built_in
from bluegreen.exporter.collect import get_or_none
from bluegreen.model.ports import ApiResource, Cluster
from bluegreen.model.refs import ObjectRef

DEFINITION = "apiextensions.k8s.io/v1"
WRITTEN_BY_CONTROLLERS = (
    # argo-workflows#11082, argo-cd#22967: how far blue's runs and syncs are; green's controllers would go on from there
    "*.argoproj.io",
)
"""Kinds (Kind.group, * is a wildcard) without the subresource whose status controllers write all the same."""


def definition_of(resource: ApiResource) -> ObjectRef:
    """Return the CustomResourceDefinition of a custom resource."""
    group = resource.api_version.rpartition("/")[0]
    return ObjectRef(DEFINITION, "CustomResourceDefinition", "", f"{resource.plural}.{group}")


def plain_status_kinds(cluster: Cluster, resources: Iterable[ApiResource], versions: frozenset[str]) -> frozenset[str]:
    """Return the kinds (Kind.group) whose status is data.

    Args:
        cluster: blue; only read.
        resources: what it serves.
        versions: API versions of the objects that were found: of others nothing needs to be known.
    """
    return frozenset(
        resource.group_kind
        for resource in resources
        # An aggregated API has no definition: what its server writes is not for us to say.
        if resource.api_version in versions
        and _may_be_plain(resource)
        and get_or_none(cluster, definition_of(resource)) is not None
    )


def _may_be_plain(resource: ApiResource) -> bool:
    if is_built_in(resource.api_version) or resource.subresources is None or "status" in resource.subresources:
        return False
    return not any(fnmatchcase(resource.group_kind, pattern) for pattern in WRITTEN_BY_CONTROLLERS)
