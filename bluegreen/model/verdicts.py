"""The four verdicts of a gate, each with the numbers that explain it.

A judgement is complete: whoever prints it needs no other source.
"""

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """FAIL reverts; INCONCLUSIVE holds, then pauses; PROBE_ERROR never reverts alone and never passes."""

    PASS = "PASS"  # noqa: S105 - a verdict, no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    PROBE_ERROR = "PROBE_ERROR"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one objective for one side.

    Attributes:
        objective: name of the objective.
        verdict: the verdict.
        value: observed share of good requests, None without samples.
        threshold: share of good requests that the objective asks for.
        samples: requests that were counted.
        bad: those of them that were bad.
        evidence: e-value against the objective (1/alpha and more means broken), None where not computed.
        needed: further samples that a decision needs if what was seen goes on, None when decided or unknown.
        reason: one sentence.
        example: one bad answer in words.
        p99: seconds within which 99 of 100 were answered, as information; None where the probe gives no times.
    """

    objective: str
    verdict: Verdict
    value: float | None
    threshold: float
    samples: int
    bad: int
    evidence: float | None
    needed: int | None
    reason: str
    example: str = ""
    p99: float | None = None

    def line(self) -> str:
        """Return the judgement in one line for people."""
        value = "no data" if self.value is None else f"{self.value:.2%} good"
        bits = [
            f"{self.objective} {self.verdict}",
            f"{value} (objective {self.threshold:.2%})",
            f"{self.samples} samples",
        ]
        if self.evidence is not None:
            bits.append(f"evidence {self.evidence:.3g}")
        if self.p99 is not None:
            bits.append(f"p99 {self.p99:.3g} s")
        if self.needed is not None:
            bits.append(f"about {self.needed} more samples to decide")
        return ", ".join(bits) + f": {self.reason}"
