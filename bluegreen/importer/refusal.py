"""Says in one word why a server refused an object, so that a plan can group refusals. Pure.

The server's own text stays beside the word; this room adds nothing to it.
"""

import enum
import re

from bluegreen.model.errors import BluegreenError, ConflictError, TransientError


class Cause(enum.StrEnum):
    """Why an object was not taken."""

    CONFLICT = "conflict"
    WEBHOOK = "webhook"
    QUOTA = "quota"
    POD_SECURITY = "pod security"
    IMMUTABLE = "immutable field"
    MISSING_KIND = "missing kind"
    MISSING_NAMESPACE = "missing namespace"
    RIGHTS = "rights"
    DUPLICATE_KEYS = "duplicate keys"
    SCHEMA = "schema"
    UNANSWERED = "no answer"
    TRANSIENT = "transient"
    INVALID = "invalid"


_TEXTS: tuple[tuple[Cause, str], ...] = (
    (Cause.POD_SECURITY, r"violates PodSecurity"),
    (Cause.QUOTA, r"exceeded quota|failed quota|insufficient quota"),
    (Cause.WEBHOOK, r"admission webhook .* denied|failed calling webhook|ValidatingAdmissionPolicy"),
    (Cause.IMMUTABLE, r"is immutable|updates to statefulset spec|may not change once set|cannot change roleRef"),
    (Cause.MISSING_NAMESPACE, r'namespaces? "?[\w.-]+"? not found'),
    (Cause.MISSING_KIND, r"no matches for kind|could not find the requested resource|does not serve|unknown kind"),
    (Cause.DUPLICATE_KEYS, r"duplicate entries for key"),
    (Cause.SCHEMA, r"failed to create typed patch object|field not declared in schema|unknown field"),
    (Cause.RIGHTS, r"missing right: |forbidden: User|cannot \w+ resource|attempting to grant RBAC permissions"),
)


def cause_of(error: BluegreenError) -> Cause:
    """Return why a server refused, judged by the kind of error, then by its words."""
    if isinstance(error, TransientError):
        return Cause.TRANSIENT
    if isinstance(error, ConflictError):
        return Cause.CONFLICT
    if error.code == "import.unanswered":
        return Cause.UNANSWERED
    text = f"{error.why} {error.what}"
    for cause, pattern in _TEXTS:
        if re.search(pattern, text, re.IGNORECASE):
            return cause
    return Cause.INVALID
