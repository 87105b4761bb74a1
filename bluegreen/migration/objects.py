"""Blue's objects on their way to green: read and cleaned by the exporter, rewritten and applied by the importer.

The two rooms do not know each other; here one hands to the other. Objects live in memory only, Secrets with them.
"""

import os
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from bluegreen.config.models import Migration
from bluegreen.exporter.bundle import Bundle, digest_of
from bluegreen.exporter.export import ExportOptions, export
from bluegreen.exporter.rules import Action
from bluegreen.importer.idle import idler
from bluegreen.importer.plan import PlanEntry, PlanOptions, plan_import
from bluegreen.importer.rewrite import Rewritten, rewrite
from bluegreen.importer.scales import read_scales
from bluegreen.importer.start import is_schedule
from bluegreen.migration.choices import choices_of
from bluegreen.migration.transforms import transform_options
from bluegreen.model.events import Emit, silent
from bluegreen.model.findings import Finding, Severity
from bluegreen.model.marks import RUN_AGAIN, annotation, owner_mark
from bluegreen.model.ports import Cluster, Raw
from bluegreen.model.refs import ObjectRef

_LOOK = "look at transform.patches in bluegreen.yaml"


def read_blue(blue: Cluster, config: Migration, emit: Emit = silent) -> Bundle:
    """Return blue's cleaned objects."""
    options = ExportOptions(os.urandom(32), choices_of(config.export))
    return export(blue, tuple(config.namespaces), config.selector or "", options, emit)


def for_green(bundle: Bundle, config: Migration) -> tuple[Raw, ...]:
    """Return the objects as green shall have them."""
    return _rewritten(bundle, config).objects


def _rewritten(bundle: Bundle, config: Migration) -> Rewritten:
    return rewrite(bundle.objects, transform_options(config.transform))


def cautions(wanted: Rewritten) -> tuple[Finding, ...]:
    """Return what the transform leaves to a person: patches that match nothing, and those that cannot be applied."""
    left = (Finding("transform", Severity.WARNING, r.subject, r.text, _LOOK) for r in wanted.remarks)
    faults = (fault.partition(": ") for fault in wanted.faults)
    return (*(Finding("transform-patch", Severity.BLOCKER, name, why, _LOOK) for name, _, why in faults), *left)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a migration set out to move, as recorded when it exported: names and digests, no content.

    Attributes:
        digests: digest of each object; empty for Secrets, whose digest is not kept.
        again: Jobs that a person marked to run once more.
    """

    digests: dict[ObjectRef, str]
    again: frozenset[ObjectRef]

    def record(self) -> dict[str, Any]:
        """Return the JSON form."""
        rows = [[r.api_version, r.kind, r.namespace, r.name, digest] for r, digest in self.digests.items()]
        return {"objects": rows, "again": [[r.api_version, r.kind, r.namespace, r.name] for r in sorted(self.again)]}

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> "Moved":
        """Return it from its JSON form."""
        digests = {ObjectRef(*row[:4]): row[4] for row in record["objects"]}
        return cls(digests, frozenset(ObjectRef(*row) for row in record["again"]))

    def schedules(self) -> tuple[Raw, ...]:
        """Return what wakes last, such as CronJobs, and the Jobs that run again, by name only."""
        names = [ref for ref in self.digests if is_schedule(ref) or ref in self.again]
        return tuple(_by_name(ref, RUN_AGAIN) for ref in sorted(names))


def _by_name(ref: ObjectRef, mark: str) -> Raw:
    """Return an object that has a name and a mark, and nothing else."""
    meta = {"name": ref.name, "namespace": ref.namespace, "annotations": {mark: "true"}}
    return {"apiVersion": ref.api_version, "kind": ref.kind, "metadata": meta}


def moved(bundle: Bundle) -> Moved:
    """Return what a bundle moves."""
    return Moved(
        {item.ref: "" if item.ref.kind == "Secret" else digest_of(item.obj, bundle.key) for item in bundle.items},
        frozenset(item.ref for item in bundle.items if annotation(item.obj, RUN_AGAIN) == "true"),
    )


def as_moved(bundle: Bundle, was: Moved, emit: Emit) -> Bundle:
    """Return a bundle that was read again, limited to what the migration set out to move; drift is told.

    Args:
        bundle: blue as it is now.
        was: what was exported when the migration began.
        emit: told of objects that were changed, added or deleted on blue since.
    """
    now = {item.ref: item for item in bundle.items}
    changed = [
        ref
        for ref, digest in was.digests.items()
        if ref in now and digest and digest_of(now[ref].obj, bundle.key) != digest
    ]
    for word, refs in (
        ("changed on blue since the export", changed),
        ("deleted on blue since the export", [ref for ref in was.digests if ref not in now]),
        ("added on blue since the export, not moved", [ref for ref in now if ref not in was.digests]),
    ):
        if refs:
            emit("notice", text=f"{len(refs)} objects {word}: {', '.join(str(ref) for ref in refs[:5])}")
    return replace(bundle, items=tuple(item for item in bundle.items if item.ref in was.digests))


def counts(bundle: Bundle) -> dict[str, int]:
    """Return the number of objects by kind."""
    return dict(sorted(Counter(item.ref.kind for item in bundle.items).items()))


def left_out(bundle: Bundle) -> dict[str, int]:
    """Return the number of objects that stay on blue, by kind."""
    gone = {report.ref for report in bundle.reports_of(Action.LEAVE_OUT)}
    return dict(sorted(Counter(ref.kind for ref in gone).items()))


def notes(bundle: Bundle) -> list[str]:
    """Return what a person should know about single objects."""
    return [f"{report.ref}: {report.removal.why}" for report in bundle.reports_of(Action.REPORT)]


def changes(bundle: Bundle, blue: Cluster, green: Cluster, config: Migration, *, server: bool) -> list[dict[str, str]]:
    """Return what an import would do to each object.

    Args:
        bundle: blue's objects.
        blue: where they come from.
        green: where they go.
        config: the migration.
        server: let green's API server judge each object by a dry run.
    """
    wanted = _rewritten(bundle, config)
    prepare = idler(read_scales(green, wanted.objects, silent))
    plan = plan_import(wanted.objects, green, PlanOptions(owner_mark(blue.id), dry_run=server, prepare=prepare))
    entries = plan.with_effects(wanted.effects).entries
    return [{"action": str(e.verdict), "object": str(e.ref), "reason": _reason(e)} for e in entries]


def _reason(entry: PlanEntry) -> str:
    patches = ", ".join(effect.patch for effect in entry.effects)
    return f"{entry.reason}; patched by {patches}" if patches else entry.reason
