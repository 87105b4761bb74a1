"""The assessment as a command that works alone: blue's objects from the exporter, judged by the assess room."""

from bluegreen.assess.assessment import Assessment, assess
from bluegreen.assess.checks import Subject
from bluegreen.assess.facts import read_facts
from bluegreen.assess.wider import widen
from bluegreen.migration.bundles import read_source
from bluegreen.migration.scope import Scope
from bluegreen.model.events import Emit
from bluegreen.model.ports import Cluster


def assess_scope(blue: Cluster, green: Cluster, scope: Scope, emit: Emit) -> Assessment:
    """Return what would stop or hurt a migration of a scope; only reads."""
    bundle = read_source(blue, scope, emit)
    subject = Subject(
        source_version=blue.id.version,
        objects=bundle.objects,
        target=read_facts(green),
        storage_classes=scope.transform.storage_classes,
        ingress_classes=scope.transform.ingress_classes,
    )
    return assess(widen(subject, blue, green))
