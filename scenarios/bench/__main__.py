"""Command line of the bench: `python -m scenarios.bench`; one line of JSON, 0 when every promise is kept.

Peers are measured in the same run, by turns with the product. It must never print a figure that it did not measure.
"""

import json
import signal
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from scenarios import stage
from scenarios.bench import bundles, field, figures, objects, runs, velero, wire
from scenarios.bench.field import LARGE, MIXED, SIZES, TINY
from scenarios.cluster import NEW, OLD
from scenarios.lab.console import LabError, say
from scenarios.lab.layout import cluster, lab

FAILED, INTERRUPTED = 1, 130
ROUNDS = 3
SMALL_ROUNDS = 5
"""For what is promised of many short runs, whose minutes differ most."""
_CONTROLLERS_MAKE = ("replicasets", "endpointslices")
"""Kinds that bluegreen lists as well, to leave them out: kubectl gets them too."""


class Bench:
    """One run: where its files are, and what was measured so far."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.peak_mib = 0.0
        self.counts: dict[str, int] = {"export": sum(SIZES.values()), "import": field.TINY_SIZE}
        self.key = place / "age.key"
        self.recipient = bundles.new_key(self.key)

    def keep(self, name: str, seconds: float) -> None:
        """Remember one run."""
        self.seconds[name].append(seconds)
        say("bench", f"{name}: {seconds:.2f} s")

    def bluegreen(self, name: str, *words: str) -> runs.Run:
        """Run and time the product."""
        run = runs.bluegreen(*words, place=self.place)
        self.keep(name, run.seconds)
        return run

    def exports(self) -> None:
        """Export all objects, by turns with kubectl get."""
        kinds = [path.rpartition("/")[2] for path in objects.PLURALS.values()] + list(_CONTROLLERS_MAKE)
        scope = ("--from", OLD, "-n", MIXED, "-n", LARGE)
        for number in range(ROUNDS):
            runs.wait_for_quiet()
            get = " && ".join(
                f"kubectl --context {OLD} -n {namespace} get {','.join(kinds)} -o yaml" for namespace in SIZES
            )
            self.keep("kubectl_get", runs.run(["sh", "-c", get], self.place).seconds)
            self.bluegreen("export", "export", *scope, "--dry-run")
            bundle = str(self.place / f"all-{number}")
            run = self.bluegreen("export_written", "export", *scope, "-o", bundle, "--age-recipient", self.recipient)
            self.peak_mib = max(self.peak_mib, run.peak_mib)

    def imports(self, source: str, prefix: str) -> None:
        """Import a namespace into empty ones and again, by turns with plain HTTPS and kubectl; then by Velero.

        Args:
            source: namespace on blue.
            prefix: begins the names of what is measured.
        """
        bundle = self.place / source
        words = ("-n", source, "-o", str(bundle), "--age-recipient", self.recipient)
        runs.bluegreen("export", "--from", OLD, *words, place=self.place)
        one = _Import(self, source, prefix, bundle)
        # There and back: what comes second meets controllers that still work on what came first.
        turns = (one.plain_https, "plain"), (one.bluegreen, "import"), (one.kubectl_apply, "kubectl")
        for number in range(ROUNDS if prefix else SMALL_ROUNDS):
            for act, name in reversed(turns) if number % 2 else turns:
                act(f"{name}-{number}")
        one.velero("velero_restore_tuned")
        if not prefix:
            with velero.as_installed():
                one.velero("velero_restore")

    def plans(self) -> None:
        """Plan all objects against a green that has them, by turns with plain lists; then dry runs against none."""
        bundle = str(self.place / f"all-{ROUNDS - 1}")
        runs.bluegreen("import", bundle, "--to", NEW, "--age-identity", str(self.key), place=self.place)
        both = ("--from", OLD, "--to", NEW)
        for _ in range(ROUNDS):
            runs.wait_for_quiet()
            lists = [wire.list_all(cluster(name), field.collections(SIZES)) for name in (OLD, NEW)]
            self.counts["plan"] = min(count for count, _ in lists)
            self.keep("plain_lists", sum(seconds for _, seconds in lists))
            self.bluegreen("plan", "plan", *both, "-n", MIXED, "-n", LARGE, "--dry-run", "client")
        target = field.PREFIX + "judged"
        field.make_namespaces(NEW, target)
        for _ in range(ROUNDS):  # it writes nothing, so each meets the same
            runs.wait_for_quiet()
            self.bluegreen("plan_dry_run", "plan", *both, "-n", MIXED, "--map-namespace", f"{MIXED}:{target}")


@dataclass(frozen=True, slots=True)
class _Import:
    """One namespace's objects on the way to green, by everybody.

    Attributes:
        bench: keeps what is measured.
        source: namespace on blue.
        prefix: begins the names of what is measured.
        bundle: what `bluegreen export` wrote of it.
    """

    bench: Bench
    source: str
    prefix: str
    bundle: Path

    def target(self, name: str) -> str:
        """Make an empty namespace on green for one of them, and return its name."""
        target = f"{self.source}-{name}"
        field.make_namespaces(NEW, target)
        return target

    def words(self, target: str) -> list[str]:
        """Return the words of an import into a namespace of that name."""
        where = ["--to", NEW, "--map-namespace", f"{self.source}:{target}"]
        return ["import", str(self.bundle), *where, "--age-identity", str(self.bench.key)]

    def bluegreen(self, name: str) -> None:
        """Import by the product, and once more what is there then."""
        target = self.target(name)
        for again in ("", "_again"):
            runs.wait_for_quiet()
            self.bench.bluegreen(f"{self.prefix}import{again}", *self.words(target))

    def plain_https(self, name: str) -> None:
        """Send the same applies by the plainest client."""
        target = self.target(name)
        requests = bundles.requests_of(self.files(target), target)
        self.bench.counts[f"{self.prefix}plain_https"] = len(requests)
        runs.wait_for_quiet()
        self.bench.keep(f"{self.prefix}plain_https", wire.send_all(cluster(NEW), requests))

    def files(self, target: str) -> Path:
        """Return the bundle's files for a namespace of that name."""
        return bundles.files_for(self.bundle, self.bench.key, self.source, target, self.bench.place / target)

    def kubectl_apply(self, name: str) -> None:
        """Apply the same files by kubectl."""
        files = self.files(self.target(name))
        runs.wait_for_quiet()
        argv = ["kubectl", "--context", NEW, "apply", "--server-side", "--field-manager=bench", "-f", str(files)]
        self.bench.keep(f"{self.prefix}kubectl_apply", runs.run(argv, self.bench.place).seconds)

    def velero(self, name: str) -> None:
        """Restore the same objects by Velero."""
        key, target = f"{self.prefix}{name}", f"{self.source}-{name.replace('_', '-')}"
        velero.back_up(self.source)
        runs.wait_for_quiet()
        seconds, self.bench.counts[key] = velero.restore(self.source, target)
        self.bench.keep(key, seconds)
        velero.remove(self.source)


def measure() -> dict[str, object]:
    """Measure everything on a lab that is left as it was found."""
    for namespace in (TINY, MIXED):
        velero.remove(namespace)
    field.prepare()
    with tempfile.TemporaryDirectory(prefix="bench-", dir=lab()) as place:
        bench = Bench(Path(place))
        try:
            bench.exports()
            bench.imports(TINY, "")
            bench.imports(MIXED, "mixed_")
            bench.plans()
        finally:
            for namespace in (TINY, MIXED):
                velero.remove(namespace)
            field.remove()
        return figures.line(bench.seconds, bench.peak_mib, bench.counts)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the bench: 0 every promise kept, 1 one missed or something failed, 130 interrupted."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with stage.taken():
            stage.lab_command("up")
            found = measure()
    except LabError as error:
        print("\n".join(error.lines()), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nstopped; the next run removes what is left", file=sys.stderr)
        return INTERRUPTED
    sys.stderr.flush()
    print(json.dumps(found), flush=True)
    return 0 if found["ok"] else FAILED


if __name__ == "__main__":
    sys.exit(main())
