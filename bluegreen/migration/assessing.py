"""The assessment of a scope or of a migration: blue's objects from the exporter, judged by the assess room.

It only reads. `bluegreen assess` and the run share it: what a migration is refused for is what the assessment says.
"""

from collections.abc import Iterable, Iterator

from bluegreen.assess.assessment import Assessment, assess
from bluegreen.assess.checks import Subject
from bluegreen.assess.facts import read_facts
from bluegreen.assess.rights import Extras
from bluegreen.assess.wider import widen
from bluegreen.config.models import Migration
from bluegreen.exporter.bundle import Bundle
from bluegreen.importer.ready import why_not_ready
from bluegreen.importer.rewrite import Rewritten, rewrite, try_rewrite
from bluegreen.importer.transform import TransformOptions
from bluegreen.migration import objects
from bluegreen.migration.bundles import read_source
from bluegreen.migration.scope import Scope
from bluegreen.migration.transforms import transform_options
from bluegreen.model.events import Emit
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ref_of


def assess_scope(blue: Cluster, green: Cluster, scope: Scope, emit: Emit) -> Assessment:
    """Return what would stop or hurt a migration of a scope."""
    bundle = read_source(blue, scope, emit)
    wanted = try_rewrite(bundle.objects, scope.transform)
    return _assessed(blue, green, bundle, wanted=wanted, how=scope.transform, extras=Extras())


def assess_migration(bundle: Bundle, blue: Cluster, green: Cluster, config: Migration) -> tuple[Finding, ...]:
    """Return what would stop or hurt a migration, the worst first."""
    how = transform_options(config.transform)
    extras = Extras(
        configured=True,
        velero=_velero(config),
        commands=tuple(sorted({check.exec.namespace for check in config.verify})),
    )
    return _assessed(blue, green, bundle, wanted=rewrite(bundle.objects, how), how=how, extras=extras).findings


def _velero(config: Migration) -> str:
    """Return Velero's namespace, empty when another mover or none is named."""
    data = config.data
    return str(data.settings.get("namespace", "velero")) if data and data.mover == "velero" else ""


def _assessed(
    blue: Cluster,
    green: Cluster,
    bundle: Bundle,
    *,
    wanted: Rewritten,
    how: TransformOptions,
    extras: Extras,
) -> Assessment:
    subject = Subject(
        source_version=blue.id.version,
        objects=bundle.objects,
        target=read_facts(green),
        storage_classes=how.storage_classes,
        ingress_classes=how.ingress_classes,
        moved=wanted.objects,
    )
    wider = widen(subject, blue, green, extras=extras)
    return assess(wider, [*objects.cautions(wanted), *unready(wider.raw)])


def unready(live: Iterable[Raw]) -> Iterator[Finding]:
    """Find objects that are not ready on blue: a migration waits for each of them on green, in vain.

    Args:
        live: the objects as blue serves them.
    """
    for obj in live:
        if why := why_not_ready(obj):
            yield Finding(
                "not-ready-on-blue",
                Severity.WARNING,
                str(ref_of(obj)),
                f"it is not ready on blue ({why}), and a migration waits until it is on green",
                "repair it, scale it to 0, or leave it out (selector, or export.exclude)",
            )
