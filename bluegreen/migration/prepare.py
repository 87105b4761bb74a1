"""Everything that happens before a migration is begun: connect, check, look for an unfinished one, plan.

Only reading. What comes out is shown to a person, who then says yes or no.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bluegreen.config.loader import Loaded
from bluegreen.exporter.bundle import Bundle
from bluegreen.migration import objects
from bluegreen.migration.assessing import assess_migration
from bluegreen.migration.claims import claims_of, volume_request
from bluegreen.migration.connect import Parts, blind, connect
from bluegreen.migration.journal import utc_now
from bluegreen.migration.lock import MigrationLock
from bluegreen.migration.objectives import objectives_of
from bluegreen.migration.preflight import check
from bluegreen.migration.reasons import Reasons
from bluegreen.migration.stages import faults, steps_of
from bluegreen.migration.store import Store, stores
from bluegreen.migration.watched import unwatched
from bluegreen.model.errors import InvalidInputError, RefusedError, StalePlanError
from bluegreen.model.findings import Finding, Severity
from bluegreen.slo.objectives import unusable

DATA_POLICY_WORDS: Mapping[str, str] = {
    "copy": "blue keeps serving and writing while its volumes are copied once; "
    "what is written on blue after the copy is NOT carried over to green",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """A migration that could begin, or go on.

    Attributes:
        loaded: configuration with origins.
        root: directory of all migrations' state.
        parts: live clusters, routers, probes, mover.
        unfinished: store of a migration of the same clusters and namespaces that has not ended.
        bundle: blue's cleaned objects; None when an unfinished migration goes on.
        findings: what the assessment found.
    """

    loaded: Loaded
    root: Path
    parts: Parts
    unfinished: Store | None
    bundle: Bundle | None
    findings: tuple[Finding, ...]

    def describe(self) -> dict[str, Any]:
        """Return the plan's summary as data."""
        config, parts = self.loaded.config, self.parts
        request = volume_request(parts.blue, config, "plan")
        bundle = self.bundle or objects.read_blue(parts.blue, config)
        return {
            "from": {"context": config.from_context, "version": parts.blue.id.version, "uid": parts.blue.id.uid},
            "to": {"context": config.to_context, "version": parts.green.id.version, "uid": parts.green.id.uid},
            "namespaces": list(config.namespaces),
            "objects": objects.counts(bundle),
            "digest": bundle.digest,
            "claims": list(claims_of(parts.blue, config)),
            "data": self._data_words(),
            "volumes": list(parts.mover.describe(request)) if parts.mover and request.pods else [],
            "steps": [step.weight for step in config.steps],
            "hold": config.hold,
            "bake": config.bake,
            "routes": [f"{route.name} ({route.router})" for route in config.routes],
            "objectives": [f"{o.name}: at least {o.good:.2%} good by probe {o.probe}" for o in config.objectives],
            "findings": [
                {
                    "rule": f.rule,
                    "severity": str(f.severity),
                    "subject": f.subject,
                    "reason": f.reason,
                    "action": f.action,
                }
                for f in self.findings
                if f.severity is not Severity.INFO  # `bluegreen assess` and the report have those
            ],
        }

    def _data_words(self) -> str:
        """Return the data policy in plain words."""
        data = self.loaded.config.data
        return f"{data.policy}: {DATA_POLICY_WORDS[data.policy]}" if data else "no claims, nothing to copy"

    def changes(self, *, server: bool) -> list[dict[str, str]]:
        """Return what an import would do to each object.

        Args:
            server: let green's API server judge each object by a dry run.
        """
        bundle = self.bundle or objects.read_blue(self.parts.blue, self.loaded.config)
        return objects.changes(bundle, self.parts.blue, self.parts.green, self.loaded.config, server=server)


def prepare(loaded: Loaded, root: Path, *, exclusive: bool) -> Prepared:
    """Connect, check and plan.

    Args:
        loaded: the configuration.
        root: directory of all migrations' state.
        exclusive: keep other processes away from these two clusters until this one ends.

    Raises:
        InvalidInputError: every reason why it cannot begin.
        LockedError: another process works on these two clusters.
        StalePlanError: an unfinished migration was begun with another configuration.
    """
    reasons = Reasons()
    parts = connect(loaded.config, reasons)
    if exclusive:
        MigrationLock(root, (parts.blue.id.uid, parts.green.id.uid), utc_now()).hold()
    unfinished = find_unfinished(root, parts, loaded)
    if unfinished is not None:
        reasons.raise_if_any("going on with the migration")
        return Prepared(loaded, root, parts, unfinished, None, ())
    check(loaded.config, parts, reasons)
    reasons.found += unusable(objectives_of(loaded.config), parts.probes)
    reasons.found += blind(parts.probes)
    reasons.found += faults(steps_of(loaded.config), parts.routers)
    _blue_serves(parts, reasons)
    reasons.raise_if_any("preparing the migration")
    bundle = objects.read_blue(parts.blue, loaded.config)
    findings = assess_migration(bundle, parts.blue, parts.green, loaded.config)
    blockers = tuple(f"{f.subject}: {f.reason}; {f.action}" for f in findings if f.severity is Severity.BLOCKER)
    if blockers:
        raise InvalidInputError("assess.blocked", "assessing the migration", blockers)
    return Prepared(
        loaded, root, parts, None, bundle, (*unwatched(objectives_of(loaded.config), parts.probes), *findings)
    )


def _blue_serves(parts: Parts, reasons: Reasons) -> None:
    """Note routes that give green traffic before the migration has begun."""
    for router in parts.routers:
        weights = router.read()
        if weights.green:
            reasons.found.append(
                f"route {router.name} already sends {weights.green} % to green; "
                "send all of it back to blue first (bluegreen revert), or migrate the other way round"
            )


def find_unfinished(root: Path, parts: Parts, loaded: Loaded) -> Store | None:
    """Return the newest migration of the same clusters and namespaces, if it has not ended.

    Raises:
        StalePlanError: it was begun with another configuration.
    """
    for store in stores(root):
        try:
            manifest = store.manifest()
        except RefusedError:
            continue  # `bluegreen status` names it; it may be of quite other clusters
        same = (manifest.blue.uid, manifest.green.uid) == (parts.blue.id.uid, parts.green.id.uid)
        if not same or set(manifest.namespaces) != set(loaded.config.namespaces):
            continue
        if store.outcome():
            return None
        if manifest.config_digest != loaded.digest:
            raise StalePlanError(
                "run.config-changed",
                f"going on with migration {manifest.id}",
                "the configuration is not the one that it was begun with",
                "run it with the configuration of then, or go back with: bluegreen revert",
            )
        return store
    return None
