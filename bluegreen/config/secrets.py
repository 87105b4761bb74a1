"""Secrets stand in the configuration as references, and are looked up where they are used, as late as possible.

A value that was looked up must never be stored, logged or put into an error; the reference may.
"""

from collections.abc import Mapping
from pathlib import Path

from bluegreen.model.errors import InvalidInputError

_MAX_BYTES = 1 << 16


def is_reference(value: str) -> bool:
    """Return whether a value is a reference, env:NAME or file:PATH."""
    return value.startswith(("env:", "file:"))


def resolve_secret(reference: str, env: Mapping[str, str], base: Path) -> str:
    """Return what a reference stands for, or the value itself when it is none.

    Args:
        reference: env:NAME or file:PATH; the last line break of a file is dropped.
        env: environment variables.
        base: directory at which a relative path starts.

    Raises:
        InvalidInputError: the variable is not set or the file cannot be read.
    """
    if reference.startswith("env:"):
        name = reference.removeprefix("env:")
        if not env.get(name):
            raise _unresolved(reference, f"the variable {name} is not set or empty", f"export {name}=…")
        return env[name]
    if reference.startswith("file:"):
        return _from_file(reference, base / reference.removeprefix("file:"))
    return reference


def _from_file(reference: str, path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        if len(raw) > _MAX_BYTES:
            raise _unresolved(reference, f"{path} is larger than {_MAX_BYTES >> 10} KiB")
        text = raw.decode()
    except OSError as error:
        raise _unresolved(reference, f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise _unresolved(reference, f"{path} is not UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")


def _unresolved(reference: str, why: str, next_step: str = "") -> InvalidInputError:
    return InvalidInputError("config.secret", f"look up the secret {reference}", (why,), next_step)
