"""What is said where blue cannot be sent its users back: that it is sick, or that nothing is known of it.

The two want quite different things of a person, so no text may take one for the other. Words only; nothing is decided.
"""

from bluegreen.slo.health import BlueHealth, Health

_BY_HAND = "bluegreen traffic set 0"
_SEE_IT = "so that blue is seen without users, give it a probe of its own (probe: http) and an objective of it"


def words(blue: BlueHealth) -> str:
    """Return how blue is, with the reasons, in one clause."""
    how = "is unhealthy" if blue.health is Health.SICK else "may be well, but its health is not known"
    return f"blue {how}: {'; '.join(blue.reasons)}"


def next_step(blue: BlueHealth) -> str:
    """Return what to type where no process runs the migration."""
    if blue.health is Health.SICK:
        return f"mend blue, then: bluegreen revert; if you know better than the probes: {_BY_HAND}"
    return f"if you know that blue is well: {_BY_HAND}; {_SEE_IT}, then: bluegreen revert"


def next_step_beside(blue: BlueHealth) -> str:
    """Return what to type while the process of the run waits; it takes note of who serves by itself."""
    if blue.health is Health.SICK:
        return "mend blue, which is looked at all the time, or bluegreen promote to stay on green"
    forced = f"{_BY_HAND} --force unfinished --force locked"
    return f"if you know that blue is well: {forced}; to stay on green: bluegreen promote"
