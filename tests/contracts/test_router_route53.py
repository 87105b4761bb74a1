"""What only the router on Route 53 can get wrong: PENDING changes, TTLs, marks, races, other forms of the name."""

import json
import threading

import pytest
from rig_route53 import ADDRESSES, NAME, SIX, Route53Rig, pair

from bluegreen.model.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import CachedRouter, Drawn, SampledRouter, Weights
from bluegreen.model.refs import Side
from bluegreen_adapters import route53_router

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
MARK = f"_bluegreen.{NAME}"
ALIAS = {"HostedZoneId": "Z32O12XQLNTSW2", "DNSName": "blue.eu-west-1.elb.test.", "EvaluateTargetHealth": False}


@pytest.fixture
def rig(tmp_path):
    rig = Route53Rig(tmp_path)
    yield rig
    rig.close()


def opened(rig, at=1000.0, **more):
    """Return a router whose clocks the test turns: [seconds since the epoch, monotonic seconds]."""
    router, clock = rig.open_router(**more), [at, 0.0]
    router.now, router.clock = lambda: clock[0], lambda: clock[1]
    return router, clock


def rows(rig):
    """Return weight and TTL of each side, whatever else there is."""
    return {row["SetIdentifier"]: (row["Weight"], row.get("TTL")) for row in rig.pairs()}


def test_the_trap_of_weight_0_is_told_with_the_permissions():
    assert any("a record of weight 0 is answered" in line for line in route53_router.PERMISSIONS.lines)


def test_the_policy_lets_nobody_touch_another_name_or_overwrite(rig):
    aws = rig.open_router().zone.aws
    other = {"Name": "mail.shop.test.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.9"}]}
    for action, record in (
        ("CREATE", other),
        ("UPSERT", pair(HALF)[0]),
        ("CREATE", {**other, "Name": NAME, "Type": "MX"}),
    ):
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        with pytest.raises(RefusedError) as caught:
            aws.ask("change_resource_record_sets", "trying", HostedZoneId=rig.zone, ChangeBatch=batch)
        assert caught.value.code == "aws.denied"


def test_it_is_settled_only_when_in_sync_and_users_follow_only_then(rig):
    router, clock = opened(rig)
    rig.layer.pending = None
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    for _ in range(3):
        clock[1] += 2
        assert not router.settled(ALL_GREEN)
    assert rig.visit(20) == {"blue": 20, "green": 0, "failed": 0}
    rig.layer.release()
    clock[1] += 2
    assert router.settled(ALL_GREEN)
    assert rig.visit(20) == {"blue": 0, "green": 20, "failed": 0}


def test_polled_without_pause_it_asks_once_a_second(rig):
    router, clock = opened(rig)
    rig.layer.pending = None
    router.shift(HALF, expect=ALL_BLUE)
    rig.layer.calls.clear()
    for _ in range(50):
        clock[1] += 0.2
        assert not router.settled(HALF)
    assert 8 <= len(rig.layer.calls) <= 11


def test_after_a_restart_it_does_not_take_a_pending_change_for_served(rig):
    router, _ = opened(rig)
    rig.layer.pending = None
    router.shift(HALF, expect=ALL_BLUE)
    again, clock = opened(rig)
    assert not again.settled(HALF)
    rig.layer.release()
    clock[1] += 2
    assert again.settled(HALF)
    assert rows(rig) == {"blue": (50, 30), "green": (50, 30)}


def test_it_settles_after_the_ttl_that_was_live_before_and_puts_everything_back(rig):
    before = rig.stored()
    router, clock = opened(rig, ttl="5s")
    assert router.settle_seconds == 300
    router.shift(HALF, expect=ALL_BLUE)
    assert router.settle_seconds == 300
    assert rig.open_router().settle_seconds == 300  # another process after a crash
    assert rows(rig) == {"blue": (50, 5), "green": (50, 5)}
    clock[0] += 100
    router.shift(ALL_GREEN, expect=HALF)
    assert router.settle_seconds == 200  # some still hold what was before the first write
    clock[0] += 300
    router.shift(ALL_BLUE, expect=ALL_GREEN)
    assert router.settle_seconds == 5
    router.finalize()
    assert rig.stored() == before


def test_prepare_lowers_the_ttl_and_waits_it_out_also_after_a_restart(rig):
    router, clock = opened(rig)
    assert isinstance(router, CachedRouter)
    assert router.prepare() == 360
    assert rows(rig) == {"blue": (100, 30), "green": (0, 30)}
    written = rig.stored()
    clock[0] += 100
    assert router.prepare() == 260
    again, later = opened(rig, at=clock[0])
    assert again.prepare() == 260
    later[0] -= 5000  # somebody set the clock back
    assert again.prepare() == 360
    later[0] += 5000 + 260
    assert again.prepare() == 0
    assert rig.stored() == written
    again.shift(HALF, expect=ALL_BLUE)
    assert again.settle_seconds == 30
    again.finalize()
    assert rows(rig) == {"blue": (50, 300), "green": (50, 300)}


def test_prepare_waits_longer_while_the_lowered_ttl_is_not_in_sync(rig):
    router, clock = opened(rig)
    rig.layer.pending = None
    router.prepare()
    clock[0] += 1000
    assert router.prepare() == 300
    rig.layer.release()
    assert router.prepare() == 0


def test_a_ttl_that_is_low_already_is_left_and_nothing_is_written(tmp_path):
    rig = Route53Rig(tmp_path, records=pair(ALL_BLUE, ttl=10))
    try:
        before = rig.stored()
        assert rig.open_router().prepare() == 0
        assert rig.stored() == before
    finally:
        rig.close()


def test_another_owner_is_noticed_and_nothing_is_written(rig):
    rig.open_router(owner="night-shift").shift(HALF, expect=ALL_BLUE)
    before, router = rig.stored(), rig.open_router()
    for act in (lambda: router.shift(ALL_GREEN, expect=HALF), router.finalize, router.prepare):
        with pytest.raises(ConflictError, match="night-shift"):
            act()
    assert router.settled(HALF)  # asking must not write either
    assert rig.stored() == before


@pytest.mark.parametrize("compares_weights", [True, False], ids=["exact", "weights-not-compared"])
def test_of_many_writers_at_once_exactly_one_wins(rig, compares_weights):
    rig.layer.compares_weights = compares_weights
    routers = [rig.open_router() for _ in range(4)]
    seen, barrier = [], threading.Barrier(4)

    def race(router, green):
        found = router.zone.find()
        barrier.wait(10)
        try:
            router._write(found, None, {Side.BLUE: 100 - green, Side.GREEN: green})
        except ConflictError as error:
            seen.append(error.code)
        else:
            seen.append(green)

    threads = [threading.Thread(target=race, args=(router, 10 + at)) for at, router in enumerate(routers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    won = [one for one in seen if isinstance(one, int)]
    assert len(seen) == 4
    assert len(won) == 1
    assert routers[0].read() == Weights.for_green(won[0])


def test_a_person_who_writes_between_look_and_write_is_not_overwritten(rig):
    router = rig.open_router()
    find = router.zone.find

    def late():
        found = find()
        rig.write_elsewhere(Weights(70, 30))
        object.__setattr__(rig, "late", True)
        return found

    class Zone(type(router.zone)):
        __slots__ = ()

        def find(self):
            return find() if hasattr(rig, "late") else late()

    router.zone = Zone(*(getattr(router.zone, key) for key in ("aws", "zone", "name", "mark", "sides")))
    with pytest.raises(ConflictError, match="between our look and our write"):
        router.shift(HALF, expect=ALL_BLUE)
    assert rows(rig) == {"blue": (70, 300), "green": (30, 300)}
    assert not [row for row in rig.stored() if row["Name"] == MARK]


def test_an_answer_that_got_lost_after_the_write_is_no_conflict(rig):
    router, answer = rig.open_router(), rig.layer.answer

    def losing(request, call):
        text = answer(request, call)
        if call.action == "route53:ChangeResourceRecordSets":
            rig.layer.answer = answer
            rig.layer.fail("InternalError", status=500)
            rig.layer._judge(call)
        return text

    rig.layer.answer = losing
    with pytest.raises(TransientError):
        router.shift(HALF, expect=ALL_BLUE)
    router.shift(HALF, expect=ALL_BLUE)
    assert router.settled(HALF)
    assert rows(rig) == {"blue": (50, 30), "green": (50, 30)}


def test_alias_targets_and_health_checks_are_kept_as_they_are(tmp_path):
    aliases = [{**row, "AliasTarget": ALIAS, "HealthCheckId": "abc"} for row in pair(ALL_BLUE)]
    records = [{key: row[key] for key in row if key not in {"TTL", "ResourceRecords"}} for row in aliases]
    rig = Route53Rig(tmp_path, records=records)
    try:
        router = rig.open_router()
        assert router.prepare() == 0
        router.shift(HALF, expect=ALL_BLUE)
        assert router.settle_seconds == 60
        assert rig.pairs() == [{**row, "Weight": 50} for row in records]
        router.shift(ALL_BLUE, expect=HALF)
        router.finalize()
        assert rig.stored() == records
    finally:
        rig.close()


def test_pairs_of_both_families_move_together(tmp_path):
    records = pair(ALL_BLUE) + pair(ALL_BLUE, "AAAA", 60, SIX)
    rig = Route53Rig(tmp_path, records=records)
    try:
        router, before = rig.open_router(), rig.stored()
        router.shift(Weights(80, 20), expect=ALL_BLUE)
        assert {(row["Type"], row["Weight"], row["TTL"]) for row in rig.pairs()} == {
            (kind, weight, 30) for kind in ("A", "AAAA") for weight in (80, 20)
        }
        router.shift(ALL_BLUE, expect=Weights(80, 20))
        router.finalize()
        assert rig.stored() == before
        rig.put("UPSERT", *pair(HALF, "AAAA", 60, SIX))
        with pytest.raises(RefusedError, match="different weights"):
            router.shift(ALL_GREEN, expect=ALL_BLUE)
    finally:
        rig.close()


SIMPLE = {"Name": NAME, "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": ADDRESSES[Side.BLUE]}]}


@pytest.mark.parametrize(
    ("records", "kind", "why"),
    [
        ([], NotFoundError, "no A, AAAA or CNAME"),
        (pair(ALL_BLUE)[:1], NotFoundError, "no record A 'green'"),
        ([pair(ALL_BLUE)[0], {**pair(ALL_BLUE)[1], "SetIdentifier": "third"}], RefusedError, "'third'"),
        ([{**row, "Weight": 0} for row in pair(ALL_BLUE)], RefusedError, "as often as"),
        ([SIMPLE], RefusedError, "simple record"),
    ],
    ids=["nothing", "half", "third", "zeros", "simple"],
)
def test_a_name_that_says_no_weights_is_refused_and_not_touched(tmp_path, records, kind, why):
    rig = Route53Rig(tmp_path, records=records)
    try:
        router, before = rig.open_router(), rig.stored()
        for act in (router.read, router.prepare, lambda: router.shift(HALF, expect=ALL_BLUE)):
            with pytest.raises(kind, match=why):
                act()
        assert rig.stored() == before
    finally:
        rig.close()


def test_the_command_for_a_simple_record_makes_a_pair_that_serves_the_same(tmp_path):
    rig = Route53Rig(tmp_path, records=[SIMPLE])
    try:
        with pytest.raises(RefusedError) as caught:
            rig.open_router().read()
        batch = caught.value.next_step.partition("--change-batch '")[2].rstrip("'")
        changes = json.loads(batch.replace("GREEN_VALUE", ADDRESSES[Side.GREEN]))
        rig.person.change_resource_record_sets(HostedZoneId=rig.zone, ChangeBatch=changes)
        router = rig.open_router()
        assert router.read() == ALL_BLUE
        router.shift(ALL_GREEN, expect=ALL_BLUE)
        assert rig.visit(10)["green"] == 10
    finally:
        rig.close()


def test_what_is_not_there_is_named(rig):
    with pytest.raises(RefusedError) as caught:
        rig.open_router(zone_id="ZNOTHERE").read()
    assert caught.value.code in {"aws.denied", "aws.not-found"}
    rig.layer.policy = None
    with pytest.raises(NotFoundError, match="NoSuchHostedZone"):
        rig.open_router(zone_id="ZNOTHERE").read()


def test_every_fault_of_the_settings_is_told_at_once():
    given = {"record": "www", "green": "blue", "zone_id": "a b", "owner": "a,b", "endpoint": "ftp://x", "ttll": 1}
    with pytest.raises(InvalidInputError) as caught:
        route53_router.open_router("shop", given)
    text = " | ".join(caught.value.reasons)
    for part in (
        "record must be a whole DNS name",
        "green is the same set identifier",
        "zone_id must be",
        "owner must be",
        "endpoint must be",
        "ttll is not known; did you mean ttl?",
    ):
        assert part in text


def test_the_weights_can_be_proven_at_the_name_servers_while_a_pending_change_is_not(rig):
    server = f"127.0.0.1:{rig.responder.port}"
    router = rig.open_router(nameservers=[server])
    assert isinstance(router, SampledRouter)
    assert router.servers == (server,)
    assert router.draw(server, 50) == Drawn(50, 0)
    rig.layer.pending = None
    router.shift(ALL_GREEN, expect=ALL_BLUE)
    assert router.draw(server, 50) == Drawn(50, 0)
    rig.layer.release()
    assert router.draw(server, 50) == Drawn(0, 50)
    rig.put("UPSERT", {**rig.pairs()[1], "ResourceRecords": [{"Value": "192.0.2.9"}]})
    assert router.draw(server, 5) == Drawn(0, 0, 5)  # not in sync: they still answer with the address before


def test_what_aliases_answer_cannot_be_drawn_and_is_refused(tmp_path):
    records = [{key: row[key] for key in row if key not in {"TTL", "ResourceRecords"}} for row in pair(ALL_BLUE)]
    rig = Route53Rig(tmp_path, records=[{**row, "AliasTarget": ALIAS} for row in records])
    try:
        with pytest.raises(RefusedError, match="aliases") as caught:
            rig.open_router(nameservers=["127.0.0.1:53"]).draw("127.0.0.1:53", 1)
        assert "nameservers" in caught.value.next_step
    finally:
        rig.close()
