"""Turn what an API server (or the way to it) said into the model's errors.

A body is never passed on: only the message of a Kubernetes Status, cut, and for Secrets only where the message cannot
quote a value.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from bluegreen.kube.calls import APPLY_PATCH, Call
from bluegreen.model.errors import BluegreenError, ConflictError, NotFoundError, RefusedError, TransientError

# A typed field the server's schema does not know comes back as a 500, and would be retried in vain.
_SCHEMA_ERROR = "failed to create typed patch object"
# RBAC's own sentence names user, verb and resource only; an admission plug-in's may quote the object.
_RBAC_DENIAL = re.compile(r'^[\w.]+( ".*?")? is forbidden: User "')
_DENIED_VERB = re.compile(r"cannot (\w+) resource ")
_AUTHORIZER = re.compile(r'User "[^"]*" cannot|^forbidden|^Forbidden|^HTTP 403')
_ESCALATION = re.compile(r"attempting to grant RBAC permissions")
_MANAGER = re.compile(r'conflict with "([^"]+)"')
_QUIET_ABOUT_SECRETS = frozenset({404, 409, 410, 429})
_RETRY_LATER = frozenset({408, 429, 500, 502, 503, 504})


def status_of(body: bytes) -> dict[str, Any]:
    """Return the Kubernetes Status of an error answer, an empty dictionary when it is none."""
    try:
        status = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return status if isinstance(status, dict) and status.get("kind") == "Status" else {}


def error_of(call: Call, where: str, code: int, headers: Mapping[str, str], body: bytes) -> BluegreenError:
    """Return the error that an answer of 400 or more means.

    Args:
        call: what was asked.
        where: the cluster in words.
        code: HTTP status.
        headers: headers of the answer by lower-case name; retry-after is read.
        body: body of the answer; only a Status' message is used.
    """
    status = status_of(body)
    what, why = f"{call.what} in {where}", _reason(call, code, status)
    if code in _RETRY_LATER and _SCHEMA_ERROR not in str(status.get("message", "")):
        throttled = code == 429  # noqa: PLR2004 - HTTP's own number
        return TransientError(
            "kube.throttled" if throttled else "kube.server-error",
            what,
            why,
            "try again; if it stays, look at the API server's log",
            retry_after(headers),
        )
    return _refusal(call, code, what, why, status)


def _refusal(call: Call, code: int, what: str, why: str, status: dict[str, Any]) -> BluegreenError:
    match code:
        case 401:
            return RefusedError("kube.unauthorized", what, why, "log in again, or renew the kubeconfig's credentials")
        case 403:
            return RefusedError("kube.forbidden", what, why, _grant(call, str(status.get("message") or "")))
        case 404:
            return NotFoundError("kube.not-found", what, why)
        case 409 | 422 if code == 409 or _is_another_object(status):  # noqa: PLR2004 - HTTP's own number
            return _conflict(what, why, status)
        case 410:
            return RefusedError("kube.gone", what, why, "list again from the start")
        case _:
            return RefusedError("kube.invalid", what, why)


def _grant(call: Call, message: str) -> str:
    """Return what to do about a 403: grant exactly the verb that was denied, or look at the admission that refused."""
    if _ESCALATION.search(message):
        return "hold these permissions yourself, or be granted 'escalate' on the role or 'bind' on what it binds to"
    denied = _DENIED_VERB.search(message)
    if message and not denied and not _AUTHORIZER.search(message):
        return "admission refused it, no right is missing: look at the quota, webhook or policy that it names"
    verb = denied.group(1) if denied else call.verb
    pair = " (an apply needs 'patch', and 'create' where the object is not there)" if _is_apply(call) else ""
    return f"grant the verb {verb!r} on it{pair}, see: kubectl auth can-i --list"


def _is_apply(call: Call) -> bool:
    return call.content_type == APPLY_PATCH


def _conflict(what: str, why: str, status: dict[str, Any]) -> BluegreenError:
    if status.get("reason") == "AlreadyExists":
        return ConflictError("kube.exists", what, why)
    owners = _owned_fields(status)
    if owners:
        hint = "let that manager make the change, or take the fields over by force"
        return ConflictError("kube.field-conflict", what, "; ".join(owners), hint)
    return ConflictError("kube.conflict", what, why, "read the object again and retry")


def _is_another_object(status: dict[str, Any]) -> bool:
    """Return whether a patch named a UID, as its precondition, that is not the object's: then it is called invalid."""
    return any(cause.get("field") == "metadata.uid" for cause in _causes(status))


def _owned_fields(status: dict[str, Any]) -> list[str]:
    owners: dict[str, list[str]] = {}
    for cause in _causes(status):
        if cause.get("reason") != "FieldManagerConflict":
            continue
        named = _MANAGER.search(str(cause.get("message", "")))
        owners.setdefault(named.group(1) if named else "another manager", []).append(str(cause.get("field", "?")))
    return [f"{manager} owns {', '.join(fields)}" for manager, fields in owners.items()]


def _causes(status: dict[str, Any]) -> list[dict[str, Any]]:
    details = status.get("details") or {}
    return [cause for cause in details.get("causes") or [] if isinstance(cause, dict)]


def _reason(call: Call, code: int, status: dict[str, Any]) -> str:
    message = str(status.get("message") or "") or f"HTTP {code} without a Kubernetes status"
    if not call.secret or code in _QUIET_ABOUT_SECRETS or _RBAC_DENIAL.match(message):
        return message
    fields = ", ".join(str(cause.get("field", "?")) for cause in _causes(status))
    return (
        f"{status.get('reason') or f'HTTP {code}'} (the server's words are withheld: a Secret); fields: {fields or '-'}"
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that an answer asks to wait, None when it does not say."""
    value = headers.get("retry-after", "")
    return float(value) if value.isdigit() else None
