"""Find a context in the user's kubeconfig files and make the client's configuration from it.

It reads files only; it never writes a refreshed token back and never takes another context than the one named.
"""

import binascii
import contextlib
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from bluegreen.model.errors import RefusedError

_DEFAULT = "~/.kube/config"
_MISSING_FILE = re.compile(r"File does not exist: (.*)")


def kubeconfig_paths(kubeconfig: str | None) -> str:
    """Return the path list to read: the argument, else KUBECONFIG, else ~/.kube/config."""
    return kubeconfig or os.environ.get("KUBECONFIG") or _DEFAULT


def list_contexts(kubeconfig: str | None = None) -> tuple[str, ...]:
    """Return the names of all contexts, in file order.

    Args:
        kubeconfig: path or path list; None for KUBECONFIG or the default file.

    Raises:
        RefusedError: a file cannot be read or is no kubeconfig, or there is none.
    """
    return tuple(_named(_documents(kubeconfig_paths(kubeconfig)), "contexts"))


def load_configuration(context: str, kubeconfig: str | None) -> Any:
    """Return a new client configuration for that context, with fresh credentials.

    Args:
        context: name of the context.
        kubeconfig: path or path list; None for KUBECONFIG or the default file.

    Raises:
        RefusedError: unknown context, unusable file, or a credential command that gave nothing.
    """
    paths = kubeconfig_paths(kubeconfig)
    documents = _documents(paths)
    known = _named(documents, "contexts")
    if context not in known:
        raise RefusedError(
            "kube.context",
            f"looking for the context {context!r} in {paths}",
            f"known contexts: {', '.join(known) or 'none'}",
            "name one of them, or another file with --kubeconfig",
        )
    _require_parts(known[context], documents, paths)
    configuration = _load(context, paths)
    _require_credentials(configuration, known[context], documents, paths)
    return configuration


def _load(context: str, paths: str) -> Any:
    from kubernetes import client, config  # noqa: PLC0415 - half a second that only commands with a cluster pay

    configuration = client.Configuration()
    try:
        with _quiet_client():
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=paths, context=context, client_configuration=configuration, persist_config=False
            )
    except binascii.Error:
        raise _unusable(paths, f"a value that ends with -data, of context {context!r}, is no base64") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise _unusable(paths, f"the entry of context {context!r} is not usable: {where}{error.strerror}") from None
    except (config.ConfigException, ValueError, KeyError, TypeError, AttributeError) as error:
        # The client quotes the entry that it cannot use, and that entry may hold a token. A file is no secret.
        file = _MISSING_FILE.fullmatch(str(error))
        why = f": there is no file {file[1]}" if file else f" ({type(error).__name__})"
        raise _unusable(paths, f"the entry of context {context!r} is not usable{why}") from None
    return configuration


@contextlib.contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep what the client logs off the terminal: it quotes what a credential command printed."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _require_parts(entry: dict[str, Any], documents: list[dict[str, Any]], paths: str) -> None:
    """Refuse a context whose cluster or user is in none of the files."""
    context = entry.get("context") or {}
    for part in ("cluster", "user"):
        name, known = context.get(part), _named(documents, f"{part}s")
        if name is not None and name not in known:
            words = f"known {part}s: {', '.join(known) or 'none'}"
            raise _unusable(paths, f"context {entry['name']!r} names the {part} {name!r}, which is not there; {words}")


def _require_credentials(
    configuration: Any, entry: dict[str, Any], documents: list[dict[str, Any]], paths: str
) -> None:
    """Refuse what the client only logs: a credential command that failed leaves an anonymous session."""
    user_name = (entry.get("context") or {}).get("user", "")
    user = (_named(documents, "users").get(user_name) or {}).get("user") or {}
    if "exec" in user and not configuration.api_key and not configuration.cert_file:
        command = str((user["exec"] or {}).get("command", "?"))
        raise RefusedError(
            "kube.credentials",
            f"getting credentials for the context {entry['name']!r}",
            f"the command {command!r} gave none",
            f"run it by hand to see why; it stands under users/{user_name} in {paths}",
        )


def _named(documents: list[dict[str, Any]], section: str) -> dict[str, dict[str, Any]]:
    """Return the entries of a section over all files by their names; of doubles the first is the one that counts."""
    found: dict[str, dict[str, Any]] = {}
    for document in documents:
        for entry in document.get(section) or []:
            if isinstance(entry, dict) and "name" in entry:
                found.setdefault(str(entry["name"]), entry)
    return found


def _documents(paths: str) -> list[dict[str, Any]]:
    files = [Path(part).expanduser() for part in paths.split(os.pathsep) if part]
    present = [file for file in files if file.exists()]
    if not present:
        raise _unusable(paths, "no such file")
    return [_document(file) for file in present]


def _document(file: Path) -> dict[str, Any]:
    try:
        # Some hold hundreds of clusters, for which the loader that is not in C takes many seconds.
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(str(file), str(error)) from error
    except yaml.YAMLError as error:
        # The parser's own text quotes the file, and the file holds keys.
        raise _unusable(str(file), "it is no YAML") from error
    if not isinstance(document, dict):
        raise _unusable(str(file), "it is no kubeconfig")
    return document


def _unusable(paths: str, why: str) -> RefusedError:
    return RefusedError("kube.kubeconfig", f"reading the kubeconfig {paths}", why, "check --kubeconfig and KUBECONFIG")
