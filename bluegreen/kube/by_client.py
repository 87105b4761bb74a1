"""Has the Kubernetes client read a context: what it knows of credential plugins, proxies and token files is not ours.

Loading it takes a fifth of a second. It must not print what a credential command said, nor quote a kubeconfig.
"""

import binascii
import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bluegreen.kube.settings import Settings
from bluegreen.kube.unnamed import path_of
from bluegreen.model.errors import RefusedError

_MISSING_FILE = re.compile(r"File does not exist: (.*)")


def settings_by_client(context: str, user: Mapping[str, Any], paths: str) -> Settings:
    """Return the settings of a context, with fresh credentials.

    Args:
        context: name of the context; it, its cluster and its user are in the files.
        user: the user's entry, with its name.
        paths: path list of the kubeconfig.

    Raises:
        RefusedError: the entry cannot be used, or a credential command gave nothing.
    """
    configuration = _configuration(context, paths)
    _require_credentials(configuration, context, user, paths)
    return Settings(
        server=str(configuration.host),
        authorization=lambda: _authorization(configuration),
        server_name=configuration.tls_server_name or "",
        authorities=configuration.ssl_ca_cert or None,
        certificate=configuration.cert_file or None,
        key=configuration.key_file or None,
        verify=bool(configuration.verify_ssl),
        verify_name=configuration.assert_hostname is not False,
        proxy=_proxy(configuration),
        proxy_headers=dict(configuration.proxy_headers or {}),
    )


def _configuration(context: str, paths: str) -> Any:
    """Return the client's own configuration of a context.

    Raises:
        RefusedError: the entry cannot be used.
    """
    from kubernetes import client, config  # noqa: PLC0415 - loaded on use
    from kubernetes.config import kube_config  # noqa: PLC0415

    # It would write keys of the kubeconfig and of credential commands to temporary files, and cannot be told not to.
    kube_config._create_temp_file_with_content = _without_name  # noqa: SLF001
    configuration = client.Configuration()
    try:
        with _quiet_client():
            config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=paths, context=context, client_configuration=configuration, persist_config=False
            )
    except binascii.Error:
        raise unusable(paths, f"a value that ends with -data, of context {context!r}, is no base64") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise unusable(paths, f"the entry of context {context!r} is not usable: {where}{error.strerror}") from None
    except (config.ConfigException, ValueError, KeyError, TypeError, AttributeError) as error:
        # The client quotes the entry that it cannot use, and that entry may hold a token. A file is no secret.
        file = _MISSING_FILE.fullmatch(str(error))
        why = f": there is no file {file[1]}" if file else f" ({type(error).__name__})"
        raise unusable(paths, f"the entry of context {context!r} is not usable{why}") from None
    return configuration


def _without_name(content: str | bytes, *_: object, **__: object) -> str:
    """Return the path of a file with a certificate or key, as the client's own function of that purpose does."""
    return path_of(content.encode() if isinstance(content, str) else content)


def unusable(paths: str, why: str) -> RefusedError:
    """Return the error for a kubeconfig that cannot be used.

    Args:
        paths: path list of the kubeconfig.
        why: reason; quotes no value.
    """
    return RefusedError("kube.kubeconfig", f"reading the kubeconfig {paths}", why, "check --kubeconfig and KUBECONFIG")


@contextlib.contextmanager
def _quiet_client() -> Iterator[None]:
    """Keep what the client logs off the terminal: it quotes what a credential command printed."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _require_credentials(configuration: Any, context: str, user: Mapping[str, Any], paths: str) -> None:
    """Refuse what the client only logs: a credential command that failed leaves an anonymous session."""
    entry = user.get("user") or {}
    if "exec" in entry and not configuration.api_key and not configuration.cert_file:
        command = str((entry["exec"] or {}).get("command", "?"))
        raise RefusedError(
            "kube.credentials",
            f"getting credentials for the context {context!r}",
            f"the command {command!r} gave none",
            f"run it by hand to see why; it stands under users/{user.get('name')} in {paths}",
        )


def _authorization(configuration: Any) -> str:
    """Return the Authorization header; the client's hook refreshes a token that has expired."""
    auth = configuration.auth_settings().get("BearerToken")
    return str(auth["value"] or "") if auth else ""


def _proxy(configuration: Any) -> str:
    """Return the proxy, empty where none is wanted; the client says so, since libcurl reads no_proxy otherwise."""
    from kubernetes.client.rest import should_bypass_proxies  # noqa: PLC0415 - see above

    proxy = configuration.proxy or ""
    return "" if proxy and should_bypass_proxies(configuration.host, configuration.no_proxy or "") else str(proxy)
