"""Find a context in the user's kubeconfig files and say how its cluster is reached.

It reads files only; it never writes a refreshed token back and never takes another context than the one named.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from bluegreen.kube.by_client import settings_by_client, unusable
from bluegreen.kube.plain import plain_settings
from bluegreen.kube.settings import Settings
from bluegreen.model.errors import RefusedError

_DEFAULT = "~/.kube/config"


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


def load_settings(context: str, kubeconfig: str | None) -> Settings:
    """Return how the cluster of that context is reached, with fresh credentials.

    Args:
        context: name of the context.
        kubeconfig: path or path list; None for KUBECONFIG or the default file.

    Raises:
        RefusedError: unknown context, unusable file, or a credential command that gave nothing.
    """
    paths = kubeconfig_paths(kubeconfig)
    cluster, user = _entries(context, paths)
    entry = cluster.get("cluster")
    plain = plain_settings(entry, user.get("user", {}), os.environ)
    found = plain or settings_by_client(context, user, paths)
    # The client does not know this key, as kubectl does.
    unpacked = isinstance(entry, dict) and entry.get("disable-compression") is True
    return replace(found, compressed=False) if unpacked else found


def is_plain(context: str, kubeconfig: str | None) -> bool:
    """Return whether a context says everything in plain values: opening it runs no program and writes no file.

    Args:
        context: name of the context; one that is not there is not plain.
        kubeconfig: path or path list; None for KUBECONFIG or the default file.
    """
    try:
        cluster, user = _entries(context, kubeconfig_paths(kubeconfig))
    except RefusedError:
        return False
    found = plain_settings(cluster.get("cluster"), user.get("user", {}), os.environ)
    return found is not None and found.authorities is not None


def _entries(context: str, paths: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the entries of a context's cluster and user, with their names.

    Raises:
        RefusedError: unknown context, or a file that cannot be used.
    """
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
    return _part(known[context], "cluster", documents), _part(known[context], "user", documents)


def _require_parts(entry: dict[str, Any], documents: list[dict[str, Any]], paths: str) -> None:
    """Refuse a context whose cluster or user is in none of the files."""
    context = entry.get("context") or {}
    for part in ("cluster", "user"):
        name, known = context.get(part), _named(documents, f"{part}s")
        if name is not None and name not in known:
            words = f"known {part}s: {', '.join(known) or 'none'}"
            raise unusable(paths, f"context {entry['name']!r} names the {part} {name!r}, which is not there; {words}")


def _part(entry: dict[str, Any], part: str, documents: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the entry of a context's cluster or user, empty where it names none."""
    return _named(documents, f"{part}s").get((entry.get("context") or {}).get(part, ""), {})


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
        raise unusable(paths, "no such file")
    return [_document(file) for file in present]


def _document(file: Path) -> dict[str, Any]:
    try:
        # Some hold hundreds of clusters, for which the loader that is not in C takes many seconds.
        document = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(str(file), str(error)) from error
    except yaml.YAMLError as error:
        # The parser's own text quotes the file, and the file holds keys.
        raise unusable(str(file), "it is no YAML") from error
    if not isinstance(document, dict):
        raise unusable(str(file), "it is no kubeconfig")
    return document
