"""Which rights an import lacks, all of them before its first write: half an import helps nobody.

It only asks; what the answer to a single write would be is still the server's to say.
"""

from collections.abc import Iterable

from bluegreen.assess.rights import Extras, ask, finding, needs, question
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.findings import Severity
from bluegreen.model.ports import ApiResource, Cluster, Raw

_OBJECTS_ONLY = Extras(configured=True, velero="")


def require_rights(green: Cluster, objects: Iterable[Raw], resources: Iterable[ApiResource]) -> None:
    """Make sure that objects may be read and written in their namespaces; whoever may do everything is asked once.

    Args:
        green: where they go.
        objects: transformed objects; those without a namespace are not looked at, for most are there already.
        resources: what green serves.

    Raises:
        InvalidInputError: every right that is missing, with how to ask for it again.
    """
    plurals = {(r.api_version, r.kind): r.plural for r in resources}
    inside = [obj for obj in objects if obj["metadata"].get("namespace")]
    wanted = (need for need in needs(inside, plurals, _OBJECTS_ONLY) if need.severity is Severity.BLOCKER)
    missing = ask(green, green, wanted, {})
    if missing:
        reasons = tuple(f"{one.subject}: {one.reason}" for one in map(finding, missing))
        hint = f"grant them; ask again by: {question(missing[0])}"
        raise InvalidInputError("import.rights", f"asking what we may do in {green.id.context}", reasons, hint)
