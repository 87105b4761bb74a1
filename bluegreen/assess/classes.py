"""Which StorageClass or IngressClass is taken where none is named. Pure."""

from bluegreen.model.ports import Raw

_MARKS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",  # the admission plug-in still reads it
    "ingressclass.kubernetes.io/is-default-class",
)


def is_default(given: Raw) -> bool:
    """Return whether a class is a default one."""
    annotations = given["metadata"].get("annotations") or {}
    return any(annotations.get(mark) == "true" for mark in _MARKS)
