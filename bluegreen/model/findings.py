"""What an assessment found: severity, object, reason, what to do."""

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """BLOCKER stops a migration, WARNING needs a person's eye, INFO is worth knowing."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        rule: stable name, such as storage-class-missing.
        severity: how bad.
        subject: the object or cluster in words, such as 'PersistentVolumeClaim shop/data-postgres-0'.
        reason: why it is one.
        action: what to do.
    """

    rule: str
    severity: Severity
    subject: str
    reason: str
    action: str
