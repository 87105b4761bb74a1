"""Make container images from plain files and put them into both clusters, without a registry.

An image is a tar in the form a current `docker save` writes (OCI layout plus manifest.json), made reproducibly: the
same files give the same digest, so "is it there already?" is a comparison. It must never pull anything.
"""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scenarios.lab.console import LabError, run, say
from scenarios.lab.layout import CLUSTERS, Cluster, cache

PAUSE_IMAGE = "bluegreen-lab/pause:1"
BUSYBOX_IMAGE = "bluegreen-lab/busybox:1"
OCI = "application/vnd.oci.image"
EXECUTABLE = 0o755
PLAIN = 0o644
BLOCK = 1 << 20

# Both clusters come up at the same time and want the same images.
_MAKING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing in an image: a file of the disk, given bytes, a symbolic link or a directory."""

    source: Path | None = None
    data: bytes | None = None
    link: str = ""
    mode: int = EXECUTABLE

    def content_key(self) -> str:
        """Return the hash that decides whether an image has to be made again."""
        if self.source:
            with self.source.open("rb") as handle:
                inside = hashlib.file_digest(handle, "sha256").hexdigest()
        else:
            inside = hashlib.sha256(self.data or b"").hexdigest()
        return f"{inside} {self.link} {self.mode:o} {self.source is None and self.data is None}"


@dataclass(frozen=True, slots=True)
class Blob:
    """A finished piece of an image."""

    media_type: str
    digest: str
    size: int
    source: Path | bytes = field(repr=False)

    def descriptor(self) -> dict[str, Any]:
        """Return the OCI descriptor."""
        return {"mediaType": self.media_type, "digest": f"sha256:{self.digest}", "size": self.size}


def image_path(name: str, key: str) -> Path:
    """Return where the tar of an image is kept."""
    return cache() / "images" / f"{name.replace('/', '_').replace(':', '_')}-{key[:12]}.tar"


def build_image(
    name: str,
    files: Mapping[str, Entry] | None = None,
    config: Mapping[str, Any] | None = None,
    layers: Iterable[Path] = (),
) -> Path:
    """Make the image and return its tar; nothing is done when it was made from the same content before.

    Args:
        name: `repository:tag` without a registry, as pods will name it.
        files: path inside the image (no leading slash) to entry; they become the last layer.
        config: the OCI runtime config (`Entrypoint`, `Cmd`, `Env`, `User`, `WorkingDir`, ...).
        layers: ready layer tars, lowest first (a root file system of mmdebstrap, for example).
    """
    files, config, given = dict(files or {}), dict(config or {}), list(layers)
    content = {"name": name, "config": config, "layers": [Entry(source=path).content_key() for path in given]}
    content["files"] = {path: entry.content_key() for path, entry in sorted(files.items())}
    target = image_path(name, hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest())
    with _MAKING:
        if not target.exists():
            say("images", f"making {name}")
            _make(target, name, files, config, given)
    return target


def _make(target: Path, name: str, files: Mapping[str, Entry], config: Mapping[str, Any], layers: list[Path]) -> None:
    """Write the tar whole or not at all, and remove those of earlier content."""
    target.parent.mkdir(parents=True, exist_ok=True)
    top = target.with_suffix(".layer")
    if files:
        _write_layer(top, files)
        layers.append(top)
    fresh = target.with_suffix(".tmp")
    _write_image(fresh, name, [_layer_blob(path) for path in layers], config)
    top.unlink(missing_ok=True)
    fresh.replace(target)
    prefix = target.name[: -len("-0123456789ab.tar")]
    for stale in target.parent.glob(f"{prefix}-????????????.tar"):
        if stale != target:
            stale.unlink()


def _write_layer(target: Path, files: Mapping[str, Entry]) -> None:
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        parents = {str(parent) for path in files for parent in Path(path).parents if str(parent) != "."}
        for directory in sorted(parents - set(files)):
            tar.addfile(_info(directory, Entry()))
        for path, entry in sorted(files.items()):
            info = _info(path, entry)
            if entry.source:
                with entry.source.open("rb") as handle:
                    info.size = entry.source.stat().st_size
                    tar.addfile(info, handle)
            else:
                info.size = len(entry.data or b"")
                tar.addfile(info, io.BytesIO(entry.data or b""))


def _info(path: str, entry: Entry) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.mode = entry.mode
    if entry.link:
        info.type, info.linkname = tarfile.SYMTYPE, entry.link
    elif entry.source is None and entry.data is None:
        info.type = tarfile.DIRTYPE
    return info


def _layer_blob(path: Path) -> Blob:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return Blob(f"{OCI}.layer.v1.tar", digest, path.stat().st_size, path)


def _json_blob(media_type: str, document: Mapping[str, Any]) -> Blob:
    data = json.dumps(document, sort_keys=True).encode()
    return Blob(media_type, hashlib.sha256(data).hexdigest(), len(data), data)


def _write_image(target: Path, name: str, layers: list[Blob], config: Mapping[str, Any]) -> None:
    diff_ids = [f"sha256:{layer.digest}" for layer in layers]
    settings = _json_blob(
        f"{OCI}.config.v1+json",
        {"architecture": "amd64", "os": "linux", "config": config, "rootfs": {"type": "layers", "diff_ids": diff_ids}},
    )
    manifest = _json_blob(
        f"{OCI}.manifest.v1+json",
        {
            "schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": settings.descriptor(),
            "layers": [layer.descriptor() for layer in layers],
        },
    )  # fmt: skip
    # containerd stores the full name; kubelet expands a short one in the same way.
    labels = {
        "io.containerd.image.name": f"docker.io/{name}",
        "org.opencontainers.image.ref.name": name.rpartition(":")[2],
    }
    index = {"schemaVersion": 2, "manifests": [{**manifest.descriptor(), "annotations": labels}]}
    classic = [{"Config": _blob_path(settings), "RepoTags": [name], "Layers": [_blob_path(layer) for layer in layers]}]
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for blob in {blob.digest: blob for blob in (*layers, settings, manifest)}.values():
            _add_blob(tar, _blob_path(blob), blob.source)
        _add_blob(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        _add_blob(tar, "index.json", json.dumps(index).encode())
        _add_blob(tar, "manifest.json", json.dumps(classic).encode())


def _blob_path(blob: Blob) -> str:
    return f"blobs/sha256/{blob.digest}"


def _add_blob(tar: tarfile.TarFile, path: str, source: Path | bytes) -> None:
    info = tarfile.TarInfo(path)
    info.mode = PLAIN
    if isinstance(source, bytes):
        info.size = len(source)
        tar.addfile(info, io.BytesIO(source))
        return
    info.size = source.stat().st_size
    with source.open("rb") as handle:
        tar.addfile(info, handle)


def _names(tar_path: Path) -> dict[str, str]:
    """Return full image name to manifest digest; empty for a tar that only has the classic manifest."""
    try:
        with tarfile.open(tar_path) as tar:
            if "index.json" not in tar.getnames():
                return {}
            handle = tar.extractfile("index.json")
            manifests = json.load(handle)["manifests"] if handle else []
    except (OSError, tarfile.TarError) as error:
        raise LabError(
            f"{tar_path} is no image: {error}", hint="python -m scenarios.lab load TAR   with a tar of `docker save`"
        ) from error
    return {
        item["annotations"]["io.containerd.image.name"]: item["digest"] for item in manifests if item.get("annotations")
    }


def _ctr(cluster: Cluster, *words: str) -> list[str]:
    return ["ctr", "--address", str(cluster.containerd_socket), "--namespace", "k8s.io", *words]


def load(tars: Iterable[Path], clusters: Sequence[Cluster] = CLUSTERS) -> int:
    """Import the image tars into the clusters, skipping what is there by digest; return how many imports ran."""
    wanted = [(path, _names(path)) for path in tars]
    with ThreadPoolExecutor(max_workers=len(clusters), thread_name_prefix="load") as pool:
        return sum(pool.map(lambda cluster: _load(cluster, wanted), clusters))


def _load(cluster: Cluster, wanted: Iterable[tuple[Path, Mapping[str, str]]]) -> int:
    rows = run(
        _ctr(cluster, "images", "ls"), what=f"{cluster.name}: list images", log=cluster.log("containerd")
    ).splitlines()[1:]
    there = {row.split()[0]: row.split()[2] for row in rows}
    imports = 0
    for path, names in wanted:
        if names and all(there.get(name) == digest for name, digest in names.items()):
            continue
        say(cluster.name, f"importing {', '.join(names) or path.name}")
        run(
            _ctr(cluster, "images", "import", str(path)),
            what=f"{cluster.name}: import {path.name}",
            log=cluster.log("containerd"),
        )
        imports += 1
    return imports
