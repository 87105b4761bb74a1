"""How a run ended, in words that somebody woken at 3 a.m. can act on: what, why, and what to do next.

Every reader says the same, because it is said here. It must never promise more than the events show.
"""

from typing import assert_never

from bluegreen.model.durations import format_duration
from bluegreen.report.model import JudgementView, Outcome, RunView
from bluegreen.report.words import amount, share

_POLICIES = {
    "copy": (
        "The data of the claims was copied from blue to green once. Blue went on serving: "
        "what was written on blue after the copy is not on green."
    ),
    "": "No data policy was named: no claims were moved.",
}


def headline(view: RunView) -> str:
    """Return the outcome in one short sentence."""
    match view.outcome:
        case Outcome.RUNNING:
            return f"Running: {_serving(view)}"
        case Outcome.MIGRATED:
            return f"Migrated: {_serving(view) if view.final else 'green serves all users'}"
        case Outcome.REVERTED:
            return f"Reverted: {_serving(view)}"
        case Outcome.PAUSED:
            return f"Paused for a person: {_serving(view)}"
        case Outcome.INTERRUPTED:
            return f"Interrupted: {_serving(view)}"
        case Outcome.FAILED:
            return f"Failed: {_serving(view)}"
        case _ as never:
            assert_never(never)


def _serving(view: RunView) -> str:
    final = view.final
    if final is None:
        return "no traffic was moved"
    if final.green == 0:
        return "blue serves all users"
    return "green serves all users" if final.blue == 0 else f"blue serves {final.blue}%, green {final.green}% of users"


def why(view: RunView) -> str:
    """Return what made the run end as it did, in one or two sentences."""
    match view.outcome:
        case Outcome.MIGRATED:
            return _earned(view)
        case Outcome.REVERTED:
            return _reverted(view)
        case Outcome.RUNNING:
            running = [phase.name for phase in view.phases if phase.state == "running"]
            return f"In phase {', '.join(running)}." if running else ""
        case Outcome.PAUSED | Outcome.INTERRUPTED | Outcome.FAILED:
            return _stopped(view)
        case _ as never:
            assert_never(never)


def _earned(view: RunView) -> str:
    passed = ", ".join(f"{step.weight}%" for step in view.steps if step.passed)
    checks = f" {amount(len(view.checks), 'check')} found both sides equal." if view.checks and _all_equal(view) else ""
    if not passed:
        return f"Green took over.{checks}"
    return f"Green met {amount(len(view.objectives), 'objective')} at {passed}.{checks}"


def _all_equal(view: RunView) -> bool:
    return all(check.equal for check in view.checks)


def _reverted(view: RunView) -> str:
    revert = view.revert
    if revert is None:
        return view.stop.reason if view.stop else ""
    took = f" Blue served alone again {format_duration(revert.seconds)} later." if revert.seconds is not None else ""
    broken = revert.broken
    if broken is None:
        return f"{revert.reason}.{took}"
    return f"With green at {revert_weight(view)}%, {broke(broken)}.{took}"


def broke(one: JudgementView) -> str:
    """Return a broken objective with its numbers in one clause."""
    seen = f"only {share(one.value)} of requests were good" if one.value is not None else "no request was seen"
    return (
        f"{one.objective} broke: {seen} where {share(one.threshold)} is asked "
        f"({one.bad:,} bad of {amount(one.samples, 'sample')})"
    )


def revert_weight(view: RunView) -> int:
    """Return green's weight when the run turned back."""
    if view.revert is None:
        return 0
    before = [point.green for point in view.weights if point.at <= view.revert.at]
    return before[-1] if before else 0


def _stopped(view: RunView) -> str:
    if view.stop is None:
        failed = [phase.name for phase in view.phases if phase.state == "failed"]
        return f"Phase {', '.join(failed)} was not done." if failed else ""
    where = f" (phase {view.stop.phase})" if view.stop.phase else ""
    return f"{view.stop.reason}{where}"


def policy(view: RunView) -> str:
    """Return the data policy in plain words."""
    return _POLICIES.get(view.data_policy, f"Data policy: {view.data_policy}.")


def spans(sentence: str) -> tuple[tuple[str, bool], ...]:
    """Return the parts of a sentence, each with whether it is a command in back quotes."""
    parts = sentence.split("`")
    if len(parts) % 2 == 0:
        return ((sentence, False),)  # an odd number of quotes came from outside
    return tuple((part, index % 2 == 1) for index, part in enumerate(parts) if part)


def next_steps(view: RunView) -> tuple[str, ...]:
    """Return what to do now, each as one sentence, commands in back quotes."""
    told = (view.stop.next_step,) if view.stop and view.stop.next_step else ()
    match view.outcome:
        case Outcome.MIGRATED:
            return (*told, *_after_migrated(view))
        case Outcome.REVERTED:
            return (*told, *_after_reverted(view))
        case Outcome.PAUSED | Outcome.INTERRUPTED:
            return told or ("Run the same command again to go on, or `bluegreen revert` to give all traffic to blue.",)
        case Outcome.FAILED:
            return told or ("Mend the cause, then run the same command again.",)
        case Outcome.RUNNING:
            return ()
        case _ as never:
            assert_never(never)


def _after_migrated(view: RunView) -> tuple[str, ...]:
    lost = "; what users wrote on green since then is not on blue" if view.data_policy == "copy" else ""
    return (
        f"Blue was left as it was. To go back: `bluegreen revert`{lost}.",
        "Keep blue until you no longer want to go back; nothing removes it by itself.",
    )


def _after_reverted(view: RunView) -> tuple[str, ...]:
    broken = view.broken
    look = ""
    if broken is not None:
        look = f"Look at green ({view.green.context}) for why {broken.objective} broke"
        look += f": {broken.example}." if broken.example else "."
    return tuple(step for step in (look, "When green is mended, run the same command again.") if step)
