"""Which ServiceAccounts a subject of a role binding stands for: it can be said in three ways."""

from typing import Any

_ACCOUNTS = "system:serviceaccounts:"


def account_of(subject: dict[str, Any]) -> tuple[str, str] | None:
    """Return namespace and name of the ServiceAccount that a subject stands for, in any of the three ways to say it.

    The name is empty for the group of all accounts of a namespace; None is any other user or group.
    """
    name = str(subject.get("name", ""))
    match subject.get("kind"):
        case "ServiceAccount":
            return str(subject.get("namespace") or ""), name
        case "Group" if name.startswith(_ACCOUNTS):
            return name.removeprefix(_ACCOUNTS), ""
        case "User":
            parts = name.split(":")
            named = parts[:2] == ["system", "serviceaccount"] and len(parts) == 4  # noqa: PLR2004
            return (parts[2], parts[3]) if named else None
        case _:
            return None
