"""What the routers on AWS share: busy and failing APIs, credentials, policies that hold what is needed and no more."""

import socket
import time

import pytest
from aws_iam import actions
from aws_layer import ROUTER, SECRET
from rig_alb import AlbRig, AlbRuleRig
from rig_route53 import Route53Rig

from bluegreen.model.errors import RefusedError, TransientError
from bluegreen.model.ports import CachedRouter, Weights
from bluegreen_adapters import alb_router, route53_router

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)


@pytest.fixture(params=[Route53Rig, AlbRig, AlbRuleRig], ids=["route53", "alb", "alb-rule"])
def either(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


# ---- both ----


@pytest.mark.parametrize(
    "code", ["Throttling", "ThrottlingException", "RequestLimitExceeded", "PriorRequestNotComplete"]
)
def test_a_busy_api_is_tried_once_and_the_error_says_when_to_try_again(either, code):
    router = either.open_router()
    before = either.stored()
    either.layer.fail(code, retry_after="7")
    with pytest.raises(TransientError, match=code) as caught:
        router.shift(HALF, expect=ALL_BLUE)
    assert caught.value.retry_after == 7
    assert len(either.layer.calls) == 1
    assert either.stored() == before
    either.layer.fail(code)
    with pytest.raises(TransientError) as caught:
        router.read()
    assert caught.value.retry_after >= 1
    router.shift(HALF, expect=ALL_BLUE)
    assert router.read() == HALF


def test_a_fault_at_any_call_of_a_shift_leaves_it_whole_and_the_next_try_succeeds(either):
    greens = iter(range(1, 100))
    served, calls = ALL_BLUE, 1
    while True:
        router, to = either.open_router(), Weights.for_green(next(greens))
        either.layer.calls.clear()
        done = _shift_with_fault_at(either, router, to, served, calls)
        assert router.read() in {served, to}
        router.shift(to, expect=served)
        assert router.read() == to
        served = to
        if done:
            assert calls > 5
            return
        calls += 1


def _shift_with_fault_at(rig, router, to, served, number):
    """Shift with the call of that number failing; return whether there were fewer calls than that."""
    judge = rig.layer._judge
    rig.layer.faults.clear()

    def failing(call):
        if len(rig.layer.calls) + 1 == number:
            rig.layer.fail("ServiceUnavailable", status=503)
        judge(call)

    rig.layer._judge = failing
    try:
        router.shift(to, expect=served)
    except TransientError:
        return False
    else:
        return True
    finally:
        rig.layer._judge = judge


def test_denied_and_unsigned_calls_are_refused_with_what_to_type_and_without_secrets(either):
    router = either.open_router()
    either.layer.fail("AccessDenied", status=403)
    with pytest.raises(RefusedError, match="AccessDenied") as caught:
        router.read()
    assert "bluegreen adapters permissions" in caught.value.next_step
    either.layer.fail("SignatureDoesNotMatch", status=403)
    with pytest.raises(RefusedError) as caught:
        router.read()
    for text in (str(caught.value), caught.value.next_step):
        assert SECRET not in text
        assert ROUTER not in text
        assert "by the test" not in text  # the server's own words hold what was signed


def test_without_credentials_or_profile_it_is_refused(either, monkeypatch, tmp_path):
    router = either.open_router()
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(key)
    for key in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(key, str(tmp_path / "none"))
    with pytest.raises(RefusedError, match="credentials") as caught:
        either.open_router().read()
    assert caught.value.next_step
    with pytest.raises(RefusedError, match="night"):
        either.open_router(profile="night")
    assert router.read() == ALL_BLUE


@pytest.mark.parametrize("silent", [False, True], ids=["nobody listens", "nobody answers the connection"])
def test_an_api_that_cannot_be_reached_may_be_reached_later(either, silent):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        clients = []
        if silent:
            deaf.listen(0)
            clients = _filled(deaf)
        endpoint = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with pytest.raises(TransientError) as caught:
            either.open_router(endpoint=endpoint, timeout="500ms").read()
        for client in clients:
            client.close()
    assert caught.value.code == "aws.no-answer"


def _filled(listener):
    """Fill the queue of a listener that accepts nobody, so that the next connection is never made."""
    clients = []
    for _ in range(4):
        client = socket.socket()
        client.settimeout(0)
        client.connect_ex(listener.getsockname())
        clients.append(client)
    time.sleep(0.1)
    return clients


@pytest.mark.parametrize(
    ("module", "kinds"), [(route53_router, (Route53Rig,)), (alb_router, (AlbRig, AlbRuleRig))], ids=["route53", "alb"]
)
def test_the_policy_is_what_a_whole_migration_needs_and_no_more(tmp_path, module, kinds):
    used = set()
    for kind in kinds:
        rig = kind(tmp_path)
        try:
            router = rig.open_router()
            if isinstance(router, CachedRouter):
                router.prepare()
            router.shift(HALF, expect=ALL_BLUE)
            assert router.settled(HALF)
            rig.open_router().settled(HALF)
            router.shift(ALL_GREEN, expect=HALF)
            router.finalize()
            used.update(rig.layer.calls)
        finally:
            rig.close()
    assert used == actions(module.PERMISSIONS.policy)
