"""Envoy's admin interface: one question, one answer, and errors that say what to mend.

It must never keep a connection (Envoy restarts under us), wait much longer than its timeout, follow proxies of the
environment, or reach a cloud's metadata address. The interface has no passwords: who reaches it may do everything.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from bluegreen.model.errors import BluegreenError, RefusedError, TransientError
from bluegreen_adapters.envoy_runtime import ADD_ADMIN_LAYER, NO_ADMIN_LAYER
from bluegreen_adapters.http_faults import ForbiddenAddressError, forbidden, refuse_forbidden
from bluegreen_adapters.options import Options

DEFAULT_ADMIN = "http://127.0.0.1:9901"
DEFAULT_TIMEOUT = 2.0
_LARGEST_ANSWER = 64 * 1024 * 1024
_LONGEST_PATH = 107
_FORBIDDEN, _SERVER_FAULT = 403, 500
_WHICH = "set admin to the address of Envoy's admin section, not to that of a listener"


@dataclass(frozen=True, slots=True)
class EnvoyAdmin:
    """One Envoy's admin interface.

    Attributes:
        client: HTTP client whose base is the interface.
        address: URL or path of the socket, for people.
        timeout: seconds that one answer may take.
    """

    client: httpx.Client
    address: str
    timeout: float

    def ask(self, path: str, **params: str) -> Mapping[str, Any]:
        """Return the JSON object that a path answers.

        Raises:
            TransientError: nobody answers now, as during a restart.
            RefusedError: the interface forbids the path, or something else answers there.
        """
        answer = self._exchange("GET", path, params)
        try:
            found = json.loads(answer)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise RefusedError("envoy.answer", self._what(path), "that is no JSON object", _WHICH)
        return found

    def set_runtime(self, values: Mapping[str, str]) -> None:
        """Write runtime values, all in one snapshot that each worker takes over as a whole; an empty one removes.

        Raises:
            TransientError: nobody answers now; whether it was written is not known.
            RefusedError: this Envoy takes no values, nothing was written.
        """
        self._exchange("POST", "runtime_modify", values)

    def close(self) -> None:
        """Release the client."""
        self.client.close()

    def _exchange(self, method: str, path: str, params: Mapping[str, str]) -> bytes:
        try:
            status, body = self._talk(method, path, params)
        except ForbiddenAddressError as error:
            raise RefusedError("envoy.forbidden-address", self._what(path), str(error)) from None
        except httpx.TimeoutException:
            raise TransientError("envoy.timeout", self._what(path), f"no answer within {self.timeout:g} s") from None
        except httpx.HTTPError as error:
            raise TransientError(
                "envoy.unreachable",
                self._what(path),
                str(error) or type(error).__name__,
                "check that Envoy runs and has this address in its admin section",
            ) from None
        if httpx.codes.is_success(status):
            return body
        raise self._answered(path, status, body.decode(errors="replace"))

    def _talk(self, method: str, path: str, params: Mapping[str, str]) -> tuple[int, bytes]:
        """Return status and body of one request; the deadline counts for the whole body."""
        deadline = time.monotonic() + self.timeout
        with self.client.stream(method, path, params=params, extensions={"trace": refuse_forbidden}) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer drips")
                if len(body) > _LARGEST_ANSWER:
                    raise httpx.ReadError("the answer does not end")
            return response.status_code, bytes(body)

    def _answered(self, path: str, status: int, text: str) -> BluegreenError:
        """Return an error for an answer that is no success."""
        what, why = self._what(path), f"HTTP {status}: {text}"
        if "no admin layer" in text.lower():
            return RefusedError("envoy.no-admin-layer", what, NO_ADMIN_LAYER, ADD_ADMIN_LAYER)
        if status == _FORBIDDEN:
            return RefusedError(
                "envoy.forbidden", what, why, f"in Envoy's config: admin.allow_paths: {{exact: /{path}}}"
            )
        if status >= _SERVER_FAULT:
            return TransientError("envoy.fault", what, why)
        return RefusedError("envoy.answer", what, why, _WHICH)

    def _what(self, path: str) -> str:
        return f"asking Envoy at {self.address} for /{path}"


def admin_of(given: Options) -> tuple[str, float]:
    """Read the address of the interface and the timeout, and note what is wrong with them."""
    address, timeout = given.text("admin", DEFAULT_ADMIN), given.seconds("timeout", DEFAULT_TIMEOUT)
    if fault := _address_fault(address):
        given.refuse("admin", fault)
    return address, timeout


def open_admin(address: str, timeout: float) -> EnvoyAdmin:
    """Return the interface at a URL or at the path of a UNIX socket."""
    is_path = address.startswith("/")
    limits = httpx.Limits(max_keepalive_connections=0)
    client = httpx.Client(
        base_url="http://envoy" if is_path else address,
        transport=httpx.HTTPTransport(uds=address, limits=limits) if is_path else None,
        limits=limits,
        timeout=timeout,
        trust_env=False,
    )
    return EnvoyAdmin(client, address, timeout)


def _address_fault(address: str) -> str:
    """Return why an address cannot be an admin interface, empty when it can."""
    if address.startswith("/"):
        return "is longer than the 107 bytes of a socket's path" if len(address.encode()) > _LONGEST_PATH else ""
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host or url.userinfo or url.query or url.path != "/":
        return "must be a URL such as http://127.0.0.1:9901 without user or path, or the path of a UNIX socket"
    return "is a link-local or metadata address" if forbidden(url.host) else ""
