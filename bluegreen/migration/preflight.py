"""What must hold before anything is written: rights, routes, storage, data policy. All reasons at once.

The checks only read. They run before the prompt, so that a person is never asked to confirm what cannot work.
"""

from collections.abc import Iterator

from bluegreen.config.models import Migration
from bluegreen.migration.claims import claims_of, unmounted
from bluegreen.migration.connect import Parts
from bluegreen.migration.reasons import Reasons
from bluegreen.model.errors import NotFoundError
from bluegreen.model.ports import Cluster
from bluegreen.model.refs import ObjectRef

_READ_ON_BLUE = (("", "pods"), ("", "secrets"), ("", "configmaps"), ("", "services"), ("apps", "deployments"))
_WRITE_ON_GREEN = (*_READ_ON_BLUE, ("apps", "statefulsets"), ("batch", "cronjobs"))


def check(config: Migration, parts: Parts, reasons: Reasons) -> None:
    """Add every reason why this migration cannot start."""
    for find in (_unsupported, _namespaces, _rights, _data):
        reasons.found += reasons.attempt(lambda find=find: list(find(config, parts))) or []  # type: ignore[misc]


def _unsupported(config: Migration, _parts: Parts) -> Iterator[str]:
    """Yield what the configuration asks for and this version does not do; silence would be worse."""
    if config.notify:
        yield "notify is not supported yet; remove it"


def _namespaces(config: Migration, parts: Parts) -> Iterator[str]:
    """Yield the namespaces that blue does not have."""
    for namespace in config.namespaces:
        try:
            parts.blue.get(ObjectRef("v1", "Namespace", "", namespace))
        except NotFoundError:
            context = config.from_context
            yield f"namespace {namespace} is not on {context}; see: kubectl --context {context} get namespaces"


def _rights(config: Migration, parts: Parts) -> Iterator[str]:
    """Yield the rights that we miss."""
    for namespace in config.namespaces:
        for group, plural in _READ_ON_BLUE:
            yield from _missing(parts.blue, "list", group, plural, namespace)
        for group, plural in _WRITE_ON_GREEN:
            for verb in ("get", "list", "create", "patch"):
                yield from _missing(parts.green, verb, group, plural, namespace)


def _missing(cluster: Cluster, verb: str, group: str, plural: str, namespace: str) -> Iterator[str]:
    """Yield a sentence when we may not do that."""
    if not cluster.may(verb, group, plural, namespace):
        resource = f"{plural}.{group}" if group else plural
        context = cluster.id.context
        yield (
            f"missing right on {context}: {verb} {resource} in {namespace}; "
            f"see: kubectl --context {context} auth can-i {verb} {resource} -n {namespace}"
        )


def _data(config: Migration, parts: Parts) -> Iterator[str]:
    """Yield what stands in the way of the claims' data."""
    claims = claims_of(parts.blue, config)
    if not claims:
        return
    if config.data is None:
        yield (
            f"{len(claims)} PersistentVolumeClaim(s) hold data ({', '.join(claims[:5])}) and no data policy is named; "
            "write into bluegreen.yaml: data: {policy: copy, mover: velero} "
            "(copy: what is written on blue after the copy is not carried over)"
        )
        return
    for claim in unmounted(parts.blue, config):
        yield f"claim {claim} is mounted by no running pod on {config.from_context}; start one, or delete the claim"
    if parts.mover is not None:
        yield from parts.mover.check()
