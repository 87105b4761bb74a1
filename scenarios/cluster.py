"""Ask and tell a lab cluster through kubectl, as a person at the terminal would.

It exists so that stories and cluster tests share no code with what they test. It must never talk to a cluster that is
not in the lab's own kubeconfig.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scenarios.lab.console import LabError
from scenarios.lab.layout import kubeconfig, lab

OLD, NEW = "old", "new"
CONTEXTS = (OLD, NEW)
TIMEOUT_SECONDS = 300


def environment() -> dict[str, str]:
    """Return this process's environment with the lab's kubeconfig in it."""
    directories = f"{lab() / 'bin'}:{os.environ.get('PATH', '/usr/bin:/bin')}"
    cache = str(lab() / "kubectl-cache")
    return {**os.environ, "KUBECONFIG": str(kubeconfig()), "KUBECACHEDIR": cache, "PATH": directories}


def wait_established(context: str, definition: str) -> None:
    """Wait until a CustomResourceDefinition is established.

    Not by condition, which makes kubectl give up on a definition that has no conditions yet.
    """
    path = "{.status.conditions[?(@.type=='Established')].status}"
    kubectl(context, "wait", f"--for=jsonpath={path}=True", f"crd/{definition}", "--timeout=60s")


def kubectl(context: str, *words: str, stdin: str | None = None, seconds: float = TIMEOUT_SECONDS) -> str:
    """Run kubectl against one cluster and return its standard output.

    Raises:
        LabError: it failed or took too long; holds what it said.
    """
    argv = ["kubectl", "--context", context, *words]
    shown = f"kubectl --context {context} {' '.join(words)[:200]}"
    try:
        done = subprocess.run(
            argv, input=stdin, capture_output=True, encoding="utf-8", check=False, env=environment(), timeout=seconds
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"`{shown}` took more than {seconds:.0f} s") from error
    except FileNotFoundError as error:
        raise LabError("there is no kubectl in the lab", hint="python -m scenarios.lab up") from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise LabError(f"`{shown}` ended with {done.returncode}: {said}", hint="python -m scenarios.lab status")
    return done.stdout


def get(context: str, *words: str) -> Any:
    """Return the JSON of `kubectl get`."""
    return json.loads(kubectl(context, "get", *words, "-o", "json"))


def apply(context: str, path: Path) -> None:
    """Apply a file or all files of a directory, server-side."""
    kubectl(context, "apply", "--server-side", "--field-manager=shop-team", "-f", str(path))


def everywhere(contexts: Sequence[str], work: Any) -> None:
    """Call work(context) for each cluster at the same time; the first error is raised."""
    with ThreadPoolExecutor(len(contexts)) as pool:
        list(pool.map(work, contexts))
