"""What the run waits for now and how long that may take, as far as the events tell.

An estimate is only given where there is a rate; otherwise it says what is waited for and since when.
"""

from bluegreen.model.durations import format_duration
from bluegreen.report.model import Outcome, PhaseState, RunView, StepView, VolumeView
from bluegreen.report.words import amount

_ENOUGH_SECONDS = 2.0


def eta(view: RunView, now: float) -> str:
    """Return one clause about the current wait, empty when there is none.

    Args:
        view: the run.
        now: seconds since 1970.
    """
    if view.outcome is not Outcome.RUNNING:
        return ""
    if view.revert is not None and view.revert.seconds is None:
        return f"going back to blue for {format_duration(max(0.0, now - view.revert.at))}"
    step = next((one for one in view.steps if not one.passed), None)
    if step is not None:
        return _step(view, step, now)
    if view.volumes and any(phase.name == "volumes" and phase.state is PhaseState.RUNNING for phase in view.phases):
        return _volume(view.volumes[-1])
    return ""


def _step(view: RunView, step: StepView, now: float) -> str:
    held = max(0.0, now - step.started)
    bits = [f"{step.weight}% held for {format_duration(held)}"]
    if step.hold is not None and held < step.hold:
        bits.append(f"at least {format_duration(step.hold - held)} more")
    needed = max((one.needed or 0 for one in step.judgements), default=0)
    rate = _rate(view, step)
    if needed:
        about = f", about {format_duration(needed / rate)}" if rate else ""
        bits.append(f"{amount(needed, 'more sample')} to decide{about}")
    if step.budget is not None and step.verdict != "PASS":
        bits.append(f"pauses in {format_duration(max(0.0, step.budget - held))} if undecided")
    return ", ".join(bits)


def _rate(view: RunView, step: StepView) -> float:
    """Return samples per second of the slowest objective in this step, 0 when unknown."""
    rates = []
    for objective in view.objectives:
        seen = [sight for sight in objective.series[-600:] if sight.weight == step.weight]
        if len(seen) > 1 and seen[-1].at - seen[0].at >= _ENOUGH_SECONDS:
            gained = seen[-1].judgement.samples - seen[0].judgement.samples
            rates.append(gained / (seen[-1].at - seen[0].at))
    return max(0.0, min(rates, default=0.0))


def _volume(volume: VolumeView) -> str:
    passed = volume.at - volume.started
    if not volume.bytes_total or volume.bytes_done <= 0 or passed < _ENOUGH_SECONDS:
        return ""
    rest = (volume.bytes_total - volume.bytes_done) * passed / volume.bytes_done
    return f"{volume.stage} done in about {format_duration(max(0.0, rest))}"
