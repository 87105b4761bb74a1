"""Reads the contexts that say all there is to say in plain values: address, certificates, token.

Most admin and service account kubeconfigs are such; for these the Kubernetes client need not be loaded, and a key that
stands in the file is never written to another. Whatever is not plainly so is left to the client, faults included: it
must refuse nothing and guess nothing.
"""

import base64
import binascii
import os.path
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bluegreen.kube.settings import Material, Settings

_CLUSTER = frozenset(
    {
        "server", "certificate-authority", "certificate-authority-data", "insecure-skip-tls-verify", "tls-server-name",
        "disable-compression", "extensions",
    }
)  # fmt: skip
_USER = frozenset(
    {"client-certificate", "client-certificate-data", "client-key", "client-key-data", "token", "extensions"}
)


class _NotPlainError(Exception):
    """The client must look at it."""


def plain_settings(cluster: object, user: object, env: Mapping[str, str]) -> Settings | None:
    """Return the settings that two entries say, None when the client must read them.

    Args:
        cluster: what the kubeconfig says of the cluster.
        user: what it says of the user, an empty mapping for nobody.
        env: environment variables, which may name a proxy.
    """
    if any(name.lower().endswith("_proxy") and value for name, value in env.items()):
        return None
    if not isinstance(cluster, dict) or not isinstance(user, dict) or not (cluster.keys() <= _CLUSTER):
        return None
    if not user.keys() <= _USER:
        return None
    try:
        return _settings(cluster, user)
    except _NotPlainError:
        return None


def _settings(cluster: dict[str, Any], user: dict[str, Any]) -> Settings:
    token, insecure = _text(user, "token"), cluster.get("insecure-skip-tls-verify", False)
    server = _text(cluster, "server")
    certificate, key = _material(user, "client-certificate"), _material(user, "client-key")
    usual = server.startswith(("https://", "http://"))
    if not usual or not isinstance(insecure, bool) or (certificate is None) != (key is None):
        raise _NotPlainError
    return Settings(
        server=server,
        authorization=lambda: f"Bearer {token}" if token else "",
        server_name=_text(cluster, "tls-server-name"),
        authorities=_material(cluster, "certificate-authority"),
        certificate=certificate,
        key=key,
        verify=not insecure,
    )


def _text(entry: Mapping[str, Any], key: str) -> str:
    """Return a text, empty where there is none; of one that is there and empty readers think differently."""
    value = entry.get(key, "")
    if not isinstance(value, str) or (key in entry and not value):
        raise _NotPlainError
    return value


def _material(entry: Mapping[str, Any], key: str) -> Material:
    """Return a certificate or key, from the file itself before another that it names, as kubectl does."""
    data, path = _text(entry, f"{key}-data"), _text(entry, key)
    if data:
        try:
            found = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            raise _NotPlainError from None
        if b"-----BEGIN " not in found:
            raise _NotPlainError
        return found
    # A relative one starts at the file that names it, which only the client keeps in mind.
    if path and not (Path(path).is_absolute() and os.path.isfile(path)):  # noqa: PTH113 - a Path may raise
        raise _NotPlainError
    return path or None
