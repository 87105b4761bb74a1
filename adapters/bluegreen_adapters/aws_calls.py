"""Calls to AWS: one try each, bounded in time, and every error in our words.

Boto's own retries are off. A change that was made while its answer got lost would be tried again and then be refused by
its own compare-and-set, and a wait inside of boto would hold up a way back; the caller looks again and decides. It must
never take credentials from the config, only from boto's own places (environment, profile, role), nor repeat what AWS
says about a signature: that text can hold a session token.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bluegreen.model.errors import BluegreenError, NotFoundError, RefusedError, TransientError
from bluegreen_adapters.options import Options

_BUSY = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException", "RequestThrottled"}
# Route 53 works on one request of a zone at a time; the one before is still being worked on.
_PRIOR = {"PriorRequestNotComplete", "OperationInProgress"}
_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure"}
_UNSIGNED = {
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "MissingAuthenticationToken",
    "IncompleteSignature",
    "InvalidSignatureException",
    "OptInRequired",
}
_MISSING = re.compile(r"NoSuch\w+|\w*NotFound(Exception)?")
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_SERVER_FAULT = 500
# Both APIs refill their bucket with 10 requests a second, so a second later there is room again.
_BUSY_SECONDS = 1.0
_DEFAULT_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Access:
    """How AWS is reached.

    Attributes:
        region: such as eu-west-1.
        profile: name of a profile in boto's own files, empty for the default chain.
        endpoint: URL of the API, empty for the public one.
        timeout: seconds for a connection, and for an answer.
    """

    region: str
    profile: str
    endpoint: str
    timeout: float

    @classmethod
    def read(cls, given: Options, region: str) -> "Access":
        """Read the settings that every router on AWS has: region, profile, endpoint, timeout (5s)."""
        endpoint = given.text("endpoint", "")
        if endpoint and not re.fullmatch(r"https?://[^/@?#\s]+/?", endpoint):
            given.refuse("endpoint", "must be the base of an API such as https://host:443, without user or path")
        return cls(
            given.text("region", region),
            given.text("profile", ""),
            endpoint,
            given.seconds("timeout", _DEFAULT_TIMEOUT),
        )


@dataclass(frozen=True, slots=True)
class Aws:
    """One service of AWS.

    Attributes:
        client: boto's client; it may be used by several threads.
        adapter: name of the adapter, for what to type next.
    """

    client: Any
    adapter: str

    def ask(self, method: str, what: str, **more: Any) -> Any:
        """Make one call.

        Args:
            method: name of the client's method.
            what: what is being done to which object, for errors.
            more: arguments of the call.

        Raises:
            TransientError: throttled, a request before it is not complete, a fault of the server, or no answer.
            NotFoundError: the object does not exist.
            RefusedError: everything else, with the code of AWS as in aws.InvalidInput.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - boto is slow to load
        from botocore.parsers import ResponseParserError  # noqa: PLC0415 - the same

        try:
            return getattr(self.client, method)(**more)
        except ClientError as error:
            raise _answered(self.adapter, what, error.response) from None
        except (BotoCoreError, ResponseParserError) as error:
            raise _unanswered(what, error) from None


def open_aws(service: str, access: Access, adapter: str) -> Aws:
    """Return a service of AWS; nothing is asked yet.

    Args:
        service: boto's name of it.
        access: how it is reached.
        adapter: name of the adapter.

    Raises:
        RefusedError: there is no such profile or region.
    """
    import boto3  # noqa: PLC0415 - boto is slow to load
    from botocore.config import Config  # noqa: PLC0415 - the same
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - the same

    config = Config(
        connect_timeout=access.timeout,
        read_timeout=access.timeout,
        retries={"total_max_attempts": 1, "mode": "standard"},
        user_agent_extra="bluegreen",
    )
    try:
        session = boto3.session.Session(profile_name=access.profile or None, region_name=access.region)
        return Aws(session.client(service, endpoint_url=access.endpoint or None, config=config), adapter)
    except (BotoCoreError, ValueError) as error:
        raise _unanswered(f"opening a client of {service}", error) from None


def _answered(adapter: str, what: str, response: Mapping[str, Any]) -> BluegreenError:
    """Return an error for an answer of AWS that is no success."""
    code, message = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    about = response.get("ResponseMetadata", {})
    after = str(about.get("HTTPHeaders", {}).get("retry-after", ""))
    seconds = float(after) if after.isdecimal() else _BUSY_SECONDS
    why = f"{code}: {message}"
    if code in _BUSY:
        return TransientError("aws.throttled", what, why, "wait; other users of the account count, too", seconds)
    if code in _PRIOR or about.get("HTTPStatusCode", 0) >= _SERVER_FAULT:
        return TransientError("aws.busy" if code in _PRIOR else "aws.fault", what, why, retry_after=seconds)
    if code in _DENIED:
        return RefusedError("aws.denied", what, why, f"bluegreen adapters permissions {adapter}")
    if code in _UNSIGNED:
        return RefusedError("aws.credentials", what, code, "aws sts get-caller-identity; then renew the credentials")
    if _MISSING.fullmatch(code):
        return NotFoundError("aws.not-found", what, why, "see the ids in the route's settings, and the region")
    return RefusedError(f"aws.{code}", what, why)


def _unanswered(what: str, error: Exception) -> BluegreenError:
    """Return an error for a call that AWS did not answer, or that was not made."""
    from botocore.exceptions import BotoCoreError, HTTPClientError  # noqa: PLC0415 - boto is slow to load
    from botocore.exceptions import ConnectionError as UnreachableError  # noqa: PLC0415 - the same

    why = str(error) or type(error).__name__
    away = isinstance(error, HTTPClientError | UnreachableError) and _UNTRUSTED not in why
    if away or not isinstance(error, BotoCoreError | ValueError):
        return TransientError("aws.no-answer", what, why)
    return RefusedError("aws.not-asked", what, why, "aws sts get-caller-identity; then set profile, or the environment")
