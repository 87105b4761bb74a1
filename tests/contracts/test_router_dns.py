"""What only DNS routers can get wrong: TTLs, marks, other forms of the record, servers that do no weights."""

import os
import subprocess

import pytest
from rig_http import wait_until
from rig_powerdns import ADDRESSES, NAME, TSIG, ZONE, PowerDnsRig, Rfc2136Rig

from bluegreen.model.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError
from bluegreen.model.ports import CachedRouter, SampledRouter, Weights
from bluegreen.model.refs import Side
from bluegreen.traffic.proof import p_value, trial_of
from bluegreen_adapters import powerdns_router, rfc2136_router
from bluegreen_adapters.dns_answers import Answer, Authority
from scenarios.ports import free_port

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
NAMED_CONF = """
options {{ directory "{dir}"; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no;
  pid-file "{dir}/named.pid"; session-keyfile "{dir}/session.key"; dnssec-validation no; }};
controls {{ }};
key mover {{ algorithm hmac-sha256; secret "{key}"; }};
zone "shop.test" {{ type primary; file "{dir}/zone"; allow-update {{ key mover; }}; allow-transfer {{ key mover; }}; }};
"""
NAMED_ZONE = """$ORIGIN shop.test.
$TTL 300
@ SOA ns hostmaster 1 10800 3600 604800 60
@ NS ns
ns A 127.0.0.1
www A 192.0.2.1
"""


@pytest.fixture(params=[PowerDnsRig, Rfc2136Rig], ids=["powerdns", "rfc2136"])
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


def test_it_settles_after_the_ttl_that_was_live_before_the_write_and_puts_all_back(rig):
    before = rig.stored()
    router = rig.open_router(ttl="5s")
    assert router.settle_seconds == 300
    router.shift(HALF, expect=ALL_BLUE)
    assert router.settle_seconds == 300
    assert rig.open_router().settle_seconds == 300  # another process after a crash
    assert rig.authority.ask("A").ttl == 5
    router.shift(ALL_GREEN, expect=HALF)
    assert router.settle_seconds == 5
    router.shift(ALL_BLUE, expect=ALL_GREEN)
    router.finalize()
    assert rig.stored() == before
    assert rig.authority.ask("A").addresses == {ADDRESSES[Side.BLUE]}


def test_the_ttl_is_lowered_before_the_first_step_and_the_old_one_runs_out(rig):
    before = rig.stored()
    clock = [1000.0]
    router = rig.open_router(ttl="5s")
    router.clock = lambda: clock[0]
    assert isinstance(router, CachedRouter)
    assert router.prepare() == 300
    assert rig.authority.ask("A") == Answer(frozenset({ADDRESSES[Side.BLUE]}), 5, "NOERROR")
    assert router.read() == ALL_BLUE
    clock[0] += 100
    assert router.prepare() == 200
    assert rig.open_router(ttl="5s").prepare() > 299  # another process cannot know when; it waits it all
    clock[0] += 201
    assert router.prepare() == 0
    router.shift(HALF, expect=ALL_BLUE)
    assert router.settle_seconds == 5
    assert router.prepare() == 0
    router.shift(ALL_BLUE, expect=HALF)
    router.finalize()
    assert rig.stored() == before


def test_a_lowered_ttl_is_put_back_without_a_step(rig):
    before = rig.stored()
    router = rig.open_router(ttl="5s")
    router.prepare()
    router.finalize()
    assert rig.stored() == before
    with_low = rig.open_router(ttl="600s")
    assert with_low.prepare() == 0
    assert rig.stored() == before


def test_each_name_server_is_asked_until_the_split_is_proven(rig):
    router = rig.open_router(nameservers=[f"127.0.0.1:{rig.port}"])
    assert isinstance(router, SampledRouter)
    router.shift(Weights(90, 10), expect=ALL_BLUE)
    trial, (server,) = trial_of(10), router.servers
    drawn = router.draw(server, trial.samples)
    assert drawn.blue + drawn.green == trial.samples
    assert drawn.other == 0
    assert p_value(10, trial.samples, drawn.green) > 1e-6  # one in a million would be no luck
    assert not trial_of(50).holds(router.draw(server, trial_of(50).samples).green)


def test_another_owner_is_noticed_and_nothing_is_written(rig):
    rig.open_router(owner="night-shift").shift(HALF, expect=ALL_BLUE)
    before, router = rig.stored(), rig.open_router()
    for act in (lambda: router.shift(ALL_GREEN, expect=HALF), router.finalize):
        with pytest.raises(ConflictError, match="night-shift"):
            act()
    assert rig.stored() == before


@pytest.mark.parametrize(
    ("kind", "contents", "why"),
    [
        ("LUA", ["A \"ifportup(443, {'192.0.2.1'})\""], "not pickwrandom alone"),
        ("LUA", ["A \"pickwrandom({{1,'192.0.2.1'},{1,'192.0.2.9'}})\""], "neither side's"),
        ("LUA", ["A \"pickwrandom({{0,'192.0.2.1'},{0,'192.0.2.2'}})\""], "weight 0"),
        ("A", ["192.0.2.1", "192.0.2.2"], "several records"),
    ],
)
def test_a_record_that_says_no_weights_is_refused(rig, kind, contents, why):
    rig.put("A")
    rig.put(kind, *contents)
    with pytest.raises(RefusedError, match=why):
        rig.open_router().read()


def test_an_address_record_of_the_other_family_is_refused(rig):
    rig.put("AAAA", "2001:db8::1")
    with pytest.raises(RefusedError, match="several records"):
        rig.open_router().shift(HALF, expect=ALL_BLUE)


def test_powerdns_without_lua_records_is_refused_before_the_write(tmp_path):
    rig = PowerDnsRig(tmp_path, lua="no")
    try:
        before = rig.stored()
        with pytest.raises(RefusedError, match="LUA records are off"):
            rig.open_router().shift(HALF, expect=ALL_BLUE)
        assert rig.stored() == before
        with pytest.raises(RefusedError, match="401") as caught:
            rig.open_router(api_key="wrong-canary").read()
        assert "wrong-canary" not in str(caught.value)
        with pytest.raises(NotFoundError):
            rig.open_router(zone="other.test").read()
    finally:
        rig.close()


def test_of_two_signed_writers_at_once_one_wins_and_a_wrong_key_is_refused(tmp_path):
    rig = Rfc2136Rig(tmp_path)
    try:
        router = rig.open_router()
        found = router.records.find()
        rig.open_router().shift(HALF, expect=ALL_BLUE)
        with pytest.raises(ConflictError, match="between our look and our write"):
            router.records.write(found, router._after(found, None, ALL_GREEN))
        assert router.read() == HALF
        wrong = rig.open_router(secret="Y2FuYXJ5")
        with pytest.raises(RefusedError, match="does not let key mover"):
            wrong.read()
    finally:
        rig.close()


def test_bind_cannot_do_weights_and_is_refused_with_the_reason(tmp_path):
    port = free_port()
    (tmp_path / "named.conf").write_text(NAMED_CONF.format(dir=tmp_path, port=port, key=TSIG))
    (tmp_path / "zone").write_text(NAMED_ZONE)
    with (tmp_path / "log").open("wb") as log:
        command = ["/usr/sbin/named", "-g", "-n", "1", "-c", str(tmp_path / "named.conf")]
        named = subprocess.Popen(command, stdout=log, stderr=log, env=dict(os.environ))
    authority = Authority("127.0.0.1", port, NAME, 0.3)
    try:
        wait_until(lambda: _answers(authority), 30)
        sides = {str(side): address for side, address in ADDRESSES.items()}
        settings = {"server": f"127.0.0.1:{port}", "key_name": "mover", "secret": TSIG, "zone": ZONE, "record": "www"}
        router = rfc2136_router.open_router("shop", {**settings, **sides})
        assert router.read() == ALL_BLUE
        with pytest.raises(RefusedError, match="cannot do weights"):
            router.shift(HALF, expect=ALL_BLUE)
        assert authority.ask("A").addresses == {ADDRESSES[Side.BLUE]}
    finally:
        named.kill()
        named.wait(5)


def _answers(authority):
    try:
        return authority.ask("A").rcode == "NOERROR"
    except Exception:  # noqa: BLE001 - not there yet
        return False


@pytest.mark.parametrize("module", [powerdns_router, rfc2136_router])
def test_every_fault_of_the_settings_is_told_at_once(module):
    with pytest.raises(InvalidInputError) as caught:
        module.open_router("shop", {"blue": "x", "green": "::1", "zone": "a..b", "owner": "a,b", "ttll": 1})
    text = " | ".join(caught.value.reasons)
    for part in ("blue must be an IP address", "zone must be", "owner must be", "ttll is not known", "is missing"):
        assert part in text
