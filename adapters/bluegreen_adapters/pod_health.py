"""What one pod says of itself, in the terms that `kubectl get pods` uses. Pure.

It must never decide how long something may last; that takes a memory, which the probe has.
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.errors import clean_text
from bluegreen.model.ports import Raw

_NOT_YET = frozenset({"PodInitializing", "ContainerCreating"})
_LONGEST_WORDS = 160


class Standing(enum.StrEnum):
    """How a pod stands."""

    READY = "ready"
    UNREADY = "unready"
    IN_TROUBLE = "in trouble"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PodLook:
    """A pod at one moment.

    Attributes:
        uid: its UID; a pod that is made anew under its name is another one.
        standing: how it stands; ENDED for such as end by design or are being deleted.
        words: what a person would want to know, empty for a ready pod.
        restarts: restarts of all its containers.
        last_end: how a container ended the last time, such as OOMKilled; empty if none did.
    """

    uid: str
    standing: Standing
    words: str
    restarts: int
    last_end: str


def look(pod: Raw) -> PodLook:
    """Return how a pod stands.

    Args:
        pod: raw Pod as the server lists it.
    """
    meta, status = pod["metadata"], pod.get("status") or {}
    standing, why = _standing(meta, status)
    return PodLook(
        uid=str(meta["uid"]),
        standing=standing,
        words=clean_text(f"{meta['namespace']}/{meta['name']}: {why}", _LONGEST_WORDS) if why else "",
        restarts=sum(int(container.get("restartCount", 0)) for container in _containers(status)),
        last_end=clean_text(_last_end(meta, status), _LONGEST_WORDS),
    )


def _standing(meta: Mapping[str, Any], status: Mapping[str, Any]) -> tuple[Standing, str]:
    phase = status.get("phase", "Pending")
    if meta.get("deletionTimestamp") or phase == "Succeeded":
        return Standing.ENDED, ""
    if phase == "Failed":
        return Standing.FAILED, f"failed, {status.get('reason') or _first_end(status) or 'no reason given'}"
    conditions = {row.get("type"): row for row in status.get("conditions") or ()}
    if (conditions.get("Ready") or {}).get("status") == "True":
        return Standing.READY, ""
    if trouble := _trouble(status):
        return Standing.IN_TROUBLE, trouble
    return Standing.UNREADY, _unready(phase, conditions)


def _trouble(status: Mapping[str, Any]) -> str:
    """Return why a container cannot run, in the kubelet's words: CrashLoopBackOff, ImagePullBackOff and their like."""
    for container in _containers(status):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") and waiting["reason"] not in _NOT_YET:
            return f"container {container.get('name')}: {waiting['reason']} {waiting.get('message', '')}".strip()
    return ""


def _unready(phase: str, conditions: Mapping[Any, Mapping[str, Any]]) -> str:
    scheduled, ready = conditions.get("PodScheduled") or {}, conditions.get("Ready") or {}
    if scheduled.get("status") == "False":
        return f"pending, {scheduled.get('reason', 'not scheduled')} {scheduled.get('message', '')}".strip()
    return f"{phase.lower()}, not ready {ready.get('message', '')}".strip()


def _containers(status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in ("initContainerStatuses", "containerStatuses"):
        yield from status.get(key) or ()


def _ends(status: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield how containers ended, the newest end of each only."""
    for container in _containers(status):
        states = (container.get(key) or {} for key in ("state", "lastState"))
        ended = next((state["terminated"] for state in states if state.get("terminated")), None)
        if ended:
            yield str(container.get("name")), ended


def _first_end(status: Mapping[str, Any]) -> str:
    return next((_end_words(name, ended) for name, ended in _ends(status) if ended.get("exitCode")), "")


def _last_end(meta: Mapping[str, Any], status: Mapping[str, Any]) -> str:
    newest = max(_ends(status), key=lambda end: str(end[1].get("finishedAt") or ""), default=None)
    return f"{meta['namespace']}/{meta['name']}: {_end_words(*newest)}" if newest else ""


def _end_words(name: str, ended: Mapping[str, Any]) -> str:
    return f"container {name} ended with {ended.get('exitCode')} {ended.get('reason', '')}".strip()
