"""Finds names of hosts in renamed namespaces inside free text, where nothing is ever rewritten. Pure.

A program may build such a name from parts or compare it with another, so only a person can change it. Of a Secret it
says which key, and not what stands there.
"""

import base64
import binascii
import functools
import re
from collections.abc import Iterator, Mapping

import msgspec

from bluegreen.importer import shape
from bluegreen.model.marks import PREFIX
from bluegreen.model.ports import Raw

_DO = "it is not rewritten, change it on blue or by a patch"
_SECRET = "holds the name of a host in a renamed namespace; it is not rewritten, change it by hand"  # noqa: S105 - words


def mentions(obj: Raw, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (field, what about it) of texts that name a host in a renamed namespace.

    Args:
        obj: object as green would have it.
        names: name on blue to name on green.
    """
    if not names:
        return
    hosts, needles = _sought(tuple(names))
    whole = msgspec.json.encode(obj)
    # Most objects name none of them anywhere, which one look at all of their text finds out.
    for path, text in _texts(obj) if any(map(whole.__contains__, needles)) else ():
        found = hosts.search(text)
        if found:
            name = found.group("namespace")
            yield path, f"names a host in {name}, which is {names[name]} on green; {_DO}"
    if shape.is_kind(obj, "Secret"):
        yield from ((path, _SECRET) for path, text in _secret_texts(obj) if hosts.search(text))


@functools.cache
def _sought(names: tuple[str, ...]) -> tuple[re.Pattern[str], tuple[bytes, ...]]:
    """Return what finds web.shop, web.shop.svc and web.shop.svc.cluster.local, but not web.shop.example.

    And what stands in the text of every object that it would find something in.
    """
    listed = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    hosts = re.compile(rf"(?<=[a-z0-9])\.(?P<namespace>{listed})(?:\.svc(?![a-z0-9-])|(?![a-z0-9.-]))")
    return hosts, tuple(f".{name}".encode() for name in names)


def _texts(obj: Raw) -> Iterator[tuple[str, str]]:
    for key, text in (obj["metadata"].get("annotations") or {}).items():
        if not key.startswith(PREFIX):
            yield f"metadata.annotations[{key}]", str(text)
    pods = shape.pod_spec(obj)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for container in pods.get(key) or ():
            yield from _of_container(container, f"{key}[{container.get('name')}]")
    if shape.is_kind(obj, "ConfigMap"):
        yield from ((f"data[{key}]", str(text)) for key, text in (obj.get("data") or {}).items())
    if shape.is_kind(obj, "Service"):
        yield "spec.externalName", str(shape.get(obj, "spec", "externalName") or "")
    if str(obj.get("apiVersion")).startswith("keda.sh/"):
        for at, trigger in enumerate(shape.get(obj, "spec", "triggers") or ()):
            for key, text in (trigger.get("metadata") or {}).items():
                yield f"spec.triggers[{at}].metadata.{key}", str(text)


def _of_container(container: Raw, where: str) -> Iterator[tuple[str, str]]:
    for variable in container.get("env") or ():
        yield f"{where}.env[{variable.get('name')}]", str(variable.get("value") or "")
    for key in ("command", "args"):
        for at, text in enumerate(container.get(key) or ()):
            yield f"{where}.{key}[{at}]", str(text)


def _secret_texts(obj: Raw) -> Iterator[tuple[str, str]]:
    for key, text in (obj.get("stringData") or {}).items():
        yield f"stringData[{key}]", str(text)
    for key, encoded in (obj.get("data") or {}).items():
        try:
            yield f"data[{key}]", base64.b64decode(str(encoded)).decode(errors="replace")
        except binascii.Error:
            continue
