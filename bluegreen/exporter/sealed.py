"""Secrets of a bundle in one file that only the holders of an age identity can read.

The plain text never touches a disk and stands in no error. Inside is a List that `age -d … | kubectl apply -f -` takes.
Age draws a new key each time, so the file's bytes differ from run to run, unlike all others of a bundle.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bluegreen.exporter.json_text import json_text, read_json_text
from bluegreen.exporter.layout import SEALED
from bluegreen.exporter.yaml_in import MAX_NODES, YamlRefusedError
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.ports import Raw
from bluegreen.model.refs import ref_of

_PLAIN_BYTES = 512 * 1024 * 1024


def seal(secrets: Iterable[Raw], recipients: Sequence[str]) -> bytes:
    """Return Secrets encrypted to recipients, as age's armoured text.

    Args:
        secrets: raw objects.
        recipients: age1… or ssh-ed25519/ssh-rsa public keys.

    Raises:
        InvalidInputError: recipients that are none, all of them.
    """
    import pyrage  # noqa: PLC0415 - only encrypted bundles need it

    keys, bad = _parsed(recipients, pyrage.x25519.Recipient.from_str, pyrage.ssh.Recipient.from_str)
    if bad or not keys:
        reasons = tuple(f"recipient {number} is no age or ssh public key" for number in bad)
        hint = "make one with: age-keygen -o key.txt (its public key begins with age1)"
        raise InvalidInputError("bundle.recipient", "encrypting the Secrets", reasons or ("none was given",), hint)
    plain = json_text({"apiVersion": "v1", "kind": "List", "items": list(secrets)})
    return bytes(pyrage.encrypt(plain, keys, armored=True))


def _parsed(texts: Iterable[str], *readers: Any) -> tuple[list[Any], list[int]]:
    """Return what a reader makes of each text, and the numbers (from 1) of those that none reads."""
    found: list[Any] = []
    bad: list[int] = []
    for number, text in enumerate(texts, 1):
        key = next((key for reader in readers if (key := _attempt(reader, text)) is not None), None)
        found += [] if key is None else [key]
        bad += [number] if key is None else []
    return found, bad


def _attempt(reader: Any, text: str) -> Any:
    try:
        return reader(text)
    except Exception:  # noqa: BLE001 - pyrage's errors differ per key type, and may quote the key
        return None


def read_identities(path: Path) -> tuple[str, ...]:
    """Return the identities of a file as age-keygen writes it; a private ssh key is one as a whole.

    Raises:
        InvalidInputError: the file cannot be read or holds none.
    """
    what = f"reading the age identity {path}"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or "" if isinstance(error, OSError) else "it is no text"
        raise InvalidInputError("bundle.identity", what, (reason,), "name a file of age-keygen") from None
    if "PRIVATE KEY-----" in text:
        return (text,)
    lines = (line.strip() for line in text.splitlines())
    found = tuple(line for line in lines if line and not line.startswith("#"))
    if not found:
        raise InvalidInputError("bundle.identity", what, ("it holds no identity",), "name a file of age-keygen")
    return found


def unseal(data: bytes, identities: Sequence[str]) -> list[Raw]:
    """Return the Secrets of an encrypted file.

    Raises:
        InvalidInputError: no identity opens it, or it holds something else.
    """
    import pyrage  # noqa: PLC0415 - only encrypted bundles need it

    keys, bad = _parsed(
        identities, pyrage.x25519.Identity.from_str, lambda text: pyrage.ssh.Identity.from_buffer(text.encode())
    )
    if bad:
        raise _closed(*(f"identity {number} of the file is no age or ssh private key" for number in bad))
    try:
        plain = pyrage.decrypt(data, keys)
    except pyrage.DecryptError:
        raise _closed(f"{SEALED} opens with none of the identities, or it is damaged") from None
    return _secrets(plain)


def _secrets(plain: bytes) -> list[Raw]:
    try:
        document = read_json_text(plain, _PLAIN_BYTES, MAX_NODES)
    except YamlRefusedError:
        raise _closed(f"{SEALED} holds no list of Secrets") from None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(_is_secret(item) for item in items):
        raise _closed(f"{SEALED} holds something else than Secrets")
    return items


def _is_secret(obj: Any) -> bool:
    try:
        return ref_of(obj).kind == "Secret" and obj["apiVersion"] == "v1"
    except (KeyError, TypeError):
        return False


def _closed(*reasons: str) -> InvalidInputError:
    return InvalidInputError("bundle.sealed", "opening the bundle's Secrets", reasons, "name the right --age-identity")
