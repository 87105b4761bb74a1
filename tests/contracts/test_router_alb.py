"""What only the router on an ALB can get wrong: forms of an action, stickiness, health, claims by tag."""

import pytest
from rig_alb import AlbRig, AlbRuleRig

from bluegreen.model.errors import ConflictError, InvalidInputError, NotFoundError, RefusedError, TransientError
from bluegreen.model.ports import CachedRouter, Weights
from bluegreen.model.refs import Side
from bluegreen_adapters import alb_router

ALL_BLUE, HALF, ALL_GREEN = Weights(100, 0), Weights(50, 50), Weights(0, 100)
OIDC = {
    "Issuer": "https://id.test",
    "AuthorizationEndpoint": "https://id.test/a",
    "TokenEndpoint": "https://id.test/t",
    "UserInfoEndpoint": "https://id.test/u",
    "ClientId": "shop",
}


@pytest.fixture(params=[AlbRig, AlbRuleRig], ids=["listener", "rule"])
def rig(request, tmp_path):
    rig = request.param(tmp_path)
    yield rig
    rig.close()


def served(rig):
    """Return the weight of each target group by side, others by ARN."""
    names = {arn: str(side) for side, arn in rig.groups.items()}
    listed = rig.stored()[-1]["ForwardConfig"]["TargetGroups"]
    return {names.get(one["TargetGroupArn"], one["TargetGroupArn"]): one["Weight"] for one in listed}


def test_one_write_moves_users_and_the_tag_says_whose_it_is(rig):
    router = rig.open_router(owner="shop-move")
    assert not isinstance(router, CachedRouter)
    router.shift(Weights(0, 100), expect=ALL_BLUE)
    assert rig.visit(10) == {"blue": 0, "green": 10, "failed": 0}
    assert rig.tags() == {"bluegreen": "owner=shop-move green=100"}
    writes = [call for call in rig.layer.calls if "Modify" in call]
    assert len(writes) == 1
    router.finalize()
    assert rig.tags() == {}
    assert served(rig) == {"blue": 0, "green": 100}


def test_another_owner_is_noticed_and_nothing_is_written(rig):
    rig.open_router(owner="night-shift").shift(HALF, expect=ALL_BLUE)
    before, router = (rig.stored(), rig.tags()), rig.open_router()
    for act in (lambda: router.shift(ALL_GREEN, expect=HALF), router.finalize):
        with pytest.raises(ConflictError, match="night-shift"):
            act()
    assert (rig.stored(), rig.tags()) == before


@pytest.mark.parametrize("what", ["weights", "claim"])
def test_who_comes_between_our_claim_and_our_write_is_noticed(rig, what):
    router, answer = rig.open_router(), rig.layer.answer
    rig.person = rig.layer.moto  # past the layer, which is busy with our request

    def late(request, call):
        text = answer(request, call)
        if call.action.endswith("AddTags") and request.is_routers:
            rig.layer.answer = answer
            if what == "weights":
                rig.write_elsewhere(Weights(70, 30))
            else:
                tags = [{"Key": "bluegreen", "Value": "owner=night-shift green=0"}]
                rig.person.add_tags(ResourceArns=[rig.arn], Tags=tags)
        return text

    rig.layer.answer = late
    with pytest.raises(ConflictError):
        router.shift(HALF, expect=ALL_BLUE)
    assert served(rig) == ({"blue": 70, "green": 30} if what == "weights" else {"blue": 100, "green": 0})


def test_a_conflict_tells_what_was_written_last(rig):
    router = rig.open_router()
    router.shift(Weights(90, 10), expect=ALL_BLUE)
    rig.write_elsewhere(Weights(70, 30))
    with pytest.raises(ConflictError, match="has 70/30; the last that we wrote gave green 10"):
        router.shift(HALF, expect=Weights(90, 10))


def test_a_receiver_without_a_healthy_target_is_not_raised_and_may_be_tried_again(rig):
    router = rig.open_router()
    rig.layer.ill.add(rig.groups[Side.GREEN])
    with pytest.raises(TransientError, match="FailedHealthChecks") as caught:
        router.shift(HALF, expect=ALL_BLUE)
    assert caught.value.retry_after > 0
    assert router.read() == ALL_BLUE
    rig.layer.ill.clear()
    router.shift(HALF, expect=ALL_BLUE)
    assert router.settled(HALF)
    rig.layer.ill.add(rig.groups[Side.BLUE])
    with pytest.raises(TransientError):  # nor is the way back onto a blue that is ill
        router.shift(ALL_BLUE, expect=HALF)
    assert router.read() == HALF
    router.clock = lambda: 1e9
    assert not router.settled(HALF)


def test_a_group_without_targets_receives_nothing(rig):
    rig.person.deregister_targets(TargetGroupArn=rig.groups[Side.GREEN], Targets=[{"Id": "10.0.0.1", "Port": 80}])
    with pytest.raises(TransientError, match="it has no targets"):
        rig.open_router().shift(HALF, expect=ALL_BLUE)
    assert served(rig) == {"blue": 100, "green": 0}


def test_a_plain_forward_to_blue_gets_green_with_weight_0_first_so_that_its_health_is_known(rig):
    rig.put([{"Type": "forward", "TargetGroupArn": rig.groups[Side.BLUE]}])
    rig.layer._known.discard(rig.groups[Side.GREEN])
    router = rig.open_router()
    assert router.read() == ALL_BLUE
    with pytest.raises(TransientError, match="are being checked") as caught:
        router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert caught.value.retry_after > 0
    assert served(rig) == {"blue": 100, "green": 0}
    router.shift(Weights(90, 10), expect=ALL_BLUE)
    assert served(rig) == {"blue": 90, "green": 10}


def test_group_stickiness_is_refused_on_the_way_out_but_never_on_the_way_back(rig):
    sticky = {"TargetGroupStickinessConfig": {"Enabled": True, "DurationSeconds": 600}}
    rig.put(rig.actions(ALL_BLUE, **sticky))
    with pytest.raises(RefusedError, match="600 s a client stays") as caught:
        rig.open_router().shift(HALF, expect=ALL_BLUE)
    assert caught.value.code == "alb.sticky"
    accepting = rig.open_router(sticky=True)
    assert accepting.settle_seconds == 600
    accepting.shift(HALF, expect=ALL_BLUE)
    kept = rig.stored()[-1]["ForwardConfig"]["TargetGroupStickinessConfig"]
    assert kept == {"Enabled": True, "DurationSeconds": 600}
    rig.open_router().shift(ALL_BLUE, expect=HALF)
    assert served(rig) == {"blue": 100, "green": 0}


def test_a_third_group_that_takes_traffic_is_refused_and_one_with_weight_0_is_kept(rig):
    vpc = rig.layer.moto.describe_target_groups(TargetGroupArns=[rig.groups[Side.BLUE]])["TargetGroups"][0]["VpcId"]
    name = f"third-{rig.kind}-{rig.layer.port}"
    made = rig.person.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")
    third = made["TargetGroups"][0]["TargetGroupArn"]
    actions = rig.actions(ALL_BLUE)
    actions[0]["ForwardConfig"]["TargetGroups"].append({"TargetGroupArn": third, "Weight": 1})
    rig.put(actions)
    for act in (rig.open_router().read, lambda: rig.open_router().shift(HALF, expect=ALL_BLUE)):
        with pytest.raises(RefusedError, match=name):
            act()
    actions[0]["ForwardConfig"]["TargetGroups"][-1]["Weight"] = 0
    rig.put(actions)
    rig.open_router().shift(HALF, expect=ALL_BLUE)
    assert served(rig) == {"blue": 50, "green": 50, third: 0}


def test_authentication_before_the_forward_is_kept_with_its_secret(rig):
    first = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {**OIDC, "ClientSecret": "canary"}}
    rig.put([first, {**rig.actions(ALL_BLUE)[0], "Order": 2}])
    rig.open_router().shift(HALF, expect=ALL_BLUE)
    actions = rig.stored()
    assert [one["Type"] for one in actions] == ["authenticate-oidc", "forward"]
    assert {key: actions[0]["AuthenticateOidcConfig"][key] for key in OIDC} == OIDC
    assert served(rig) == {"blue": 50, "green": 50}


def test_an_action_that_forwards_nothing_is_refused(rig):
    rig.put([{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}])
    with pytest.raises(RefusedError, match="does fixed-response"):
        rig.open_router().read()


def test_weights_of_another_scale_are_read_as_shares(rig):
    actions = rig.actions(ALL_BLUE)
    for group, weight in zip(actions[0]["ForwardConfig"]["TargetGroups"], (999, 1), strict=True):
        group["Weight"] = weight
    rig.put(actions)
    assert rig.open_router().read() == Weights(99, 1)


def test_what_is_not_there_is_named(rig):
    gone = rig.arn[:-4] + "0000"
    with pytest.raises(NotFoundError):
        rig.open_router(**{rig.kind: gone}).read()


def test_every_fault_of_the_settings_is_told_at_once():
    group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/a/0123"
    given = {"rule": "x", "blue": group, "green": group, "settle": "soon", "endpoint": "x", "stickyy": True}
    with pytest.raises(InvalidInputError) as caught:
        alb_router.open_router("shop", given)
    text = " | ".join(caught.value.reasons)
    for part in (
        "rule must be an ARN",
        "same target group",
        "settle must be",
        "endpoint must be",
        "did you mean sticky?",
    ):
        assert part in text
    with pytest.raises(InvalidInputError, match="only one of them"):
        alb_router.open_router("shop", {"blue": group, "green": group + "1"})
