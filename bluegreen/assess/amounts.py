"""Kubernetes quantities as numbers, and how much the pods of a workload ask for. Pure."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bluegreen.assess.pods import pod_spec
from bluegreen.model.ports import Raw

_QUANTITY = re.compile(r"([+-]?[0-9.]+)(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E|[eE][+-]?[0-9]+)?\Z")
_SCALE = {unit: Decimal(1024) ** (at + 1) for at, unit in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))}
_SCALE |= {unit: Decimal(1000) ** (at + 1) for at, unit in enumerate(("k", "M", "G", "T", "P", "E"))}
_SCALE |= {"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")}
_GIB = 2**30


def amount(value: Any) -> Decimal:
    """Return a quantity as a number, 0 for what is none."""
    found = _QUANTITY.match(str(value if value is not None else ""))
    if not found:
        return Decimal(0)
    number, unit = found.groups()
    try:
        return Decimal(number + (unit if unit and unit[0] in "eE" and unit not in _SCALE else "")) * _SCALE.get(
            unit or "", Decimal(1)
        )
    except ArithmeticError:
        return Decimal(0)


def replicas(obj: Raw) -> int:
    """Return how many pods a workload wants at a time; 1 where its kind does not say."""
    wanted = (obj.get("spec") or {}).get("replicas")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) else 1


def requested(obj: Raw, resource: str) -> Decimal:
    """Return what all pods of a workload request of a resource; init containers count when they ask for more."""
    spec = pod_spec(obj)
    main = sum((_request(c, resource) for c in spec.get("containers") or ()), Decimal(0))
    first = max((_request(c, resource) for c in spec.get("initContainers") or ()), default=Decimal(0))
    return max(main, first) * replicas(obj)


def _request(container: Raw, resource: str) -> Decimal:
    resources = container.get("resources") or {}
    asked = (resources.get("requests") or {}).get(resource, (resources.get("limits") or {}).get(resource))
    return amount(asked)


def total(objects: Iterable[Raw], resource: str) -> Decimal:
    """Return what the pods of all workloads request; CronJobs and Jobs run now and then and do not count."""
    return sum((requested(o, resource) for o in objects if o["kind"] not in ("CronJob", "Job")), Decimal(0))


def bytes_words(value: Decimal) -> str:
    """Return bytes in GiB for people."""
    return f"{float(value) / _GIB:.2f} GiB"


def cores_words(value: Decimal) -> str:
    """Return cores for people."""
    return f"{float(value):.2f}"
