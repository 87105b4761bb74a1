"""The promises as data, and what a run measured beside them. Pure; it must never round a miss into a success."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class Side(enum.StrEnum):
    """Whether a figure must reach its target or stay below it."""

    AT_LEAST = ">="
    AT_MOST = "<="


@dataclass(frozen=True, slots=True)
class Promise:
    """One figure that is promised.

    Attributes:
        name: key in the line that is printed.
        side: which side of the target is good.
        target: the figure.
        of: what is divided by what, in words.
    """

    name: str
    side: Side
    target: float
    of: str

    def holds(self, value: float) -> bool:
        """Return whether a measured figure keeps the promise."""
        return value >= self.target if self.side is Side.AT_LEAST else value <= self.target


PROMISES = (
    Promise("export_vs_kubectl", Side.AT_LEAST, 3.0, "kubectl get -o yaml / export, listed, cleaned, followed"),
    Promise("export_written_vs_kubectl", Side.AT_LEAST, 1.0, "kubectl get -o yaml / export, written"),
    Promise("export_peak_mib", Side.AT_MOST, 256.0, "peak resident memory of the written export"),
    Promise("import_vs_kubectl", Side.AT_LEAST, 3.0, "kubectl apply --server-side / import"),
    Promise("import_vs_velero", Side.AT_LEAST, 15.0, "Velero restore, as velero install sets it up / import"),
    Promise("import_vs_plain_https", Side.AT_LEAST, 0.8, "plain HTTPS threads / import"),
    Promise("import_again_vs_first", Side.AT_MOST, 0.1, "second import / first"),
    Promise("plan_vs_lists", Side.AT_MOST, 2.0, "plan without dry-run / plain lists of both clusters"),
    Promise("plan_dry_run_vs_import", Side.AT_LEAST, 1.0, "import / plan with server dry-run"),
)


_ALSO = {
    "import_vs_tuned_velero": ("velero_restore_tuned", "import"),
    "mixed_import_vs_kubectl": ("mixed_kubectl_apply", "mixed_import"),
    "mixed_import_vs_tuned_velero": ("mixed_velero_restore_tuned", "mixed_import"),
    "mixed_import_vs_plain_https": ("mixed_plain_https", "mixed_import"),
    "mixed_import_again_vs_first": ("mixed_import_again", "mixed_import"),
}
"""Promised by nobody, and good to know: 3,000 objects of all kinds, and a Velero that may ask 300 times a second."""


def median(values: Sequence[float]) -> float:
    """Return the middle value, of an even number the mean of the middle two."""
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def ratios(seconds: Mapping[str, Sequence[float]], peak_mib: float) -> dict[str, float]:
    """Return each promised figure from the seconds of all runs.

    Args:
        seconds: every run's time, by what ran.
        peak_mib: the largest peak of the written exports.
    """
    took = {name: median(values) for name, values in seconds.items() if values}
    pairs = {
        "export_vs_kubectl": ("kubectl_get", "export"),
        "export_written_vs_kubectl": ("kubectl_get", "export_written"),
        "import_vs_kubectl": ("kubectl_apply", "import"),
        "import_vs_velero": ("velero_restore", "import"),
        "import_vs_plain_https": ("plain_https", "import"),
        "import_again_vs_first": ("import_again", "import"),
        "plan_vs_lists": ("plan", "plain_lists"),
        "plan_dry_run_vs_import": ("mixed_import", "plan_dry_run"),
        **_ALSO,
    }
    found = {name: took[over] / took[under] for name, (over, under) in pairs.items() if {over, under} <= took.keys()}
    return {**found, "export_peak_mib": peak_mib}


def line(seconds: Mapping[str, Sequence[float]], peak_mib: float, objects: Mapping[str, int]) -> dict[str, Any]:
    """Return what is printed; `ok` only when every promise was measured and kept."""
    measured = ratios(seconds, peak_mib)
    judged = {
        promise.name: {
            "value": round(measured[promise.name], 3),
            "target": f"{promise.side} {promise.target:g}",
            "ok": promise.holds(measured[promise.name]),
        }
        for promise in PROMISES
        if promise.name in measured
    }
    whole = len(judged) == len(PROMISES) and all(entry["ok"] for entry in judged.values())
    times = {name: [round(value, 2) for value in values] for name, values in seconds.items()}
    also = {name: round(measured[name], 3) for name in _ALSO if name in measured}
    return {"ok": whole, "figures": judged, "also": also, "seconds": times, "objects": dict(objects)}
