"""The strict layer itself: each thing that moto lets through and that the layer must not."""

import pytest
from aws_iam import Call, allows
from rig_alb import AlbRig
from rig_route53 import ADDRESSES, NAME, Route53Rig, pair

from bluegreen.model.ports import Weights
from bluegreen.model.refs import Side

BLUE, GREEN = pair(Weights(100, 0))
SIMPLE = {"Name": NAME, "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": ADDRESSES[Side.BLUE]}]}


@pytest.fixture
def route53(tmp_path):
    rig = Route53Rig(tmp_path)
    yield rig
    rig.close()


@pytest.fixture
def alb(tmp_path):
    rig = AlbRig(tmp_path)
    yield rig
    rig.close()


@pytest.mark.parametrize(
    ("action", "record", "why"),
    [
        ("UPSERT", {**BLUE, "Weight": 256}, "between 0 and 255"),
        ("UPSERT", {**BLUE, "TTL": 60}, "must contain the same TTL"),
        ("CREATE", SIMPLE, "non-weighted set exists"),
        ("CREATE", BLUE, "already exists"),
        ("DELETE", {**BLUE, "Weight": 99}, "do not match the current values"),
        ("DELETE", {**BLUE, "TTL": 60}, "do not match the current values"),
        ("DELETE", {**BLUE, "ResourceRecords": [{"Value": "192.0.2.9"}]}, "do not match the current values"),
        ("DELETE", {**BLUE, "SetIdentifier": "other"}, "was not found"),
        (
            "CREATE",
            {**SIMPLE, "Type": "CNAME", "ResourceRecords": [{"Value": "a.test"}]},
            "conflicts with other records",
        ),
    ],
    ids=["weight", "ttl", "simple", "twice", "old-weight", "old-ttl", "old-value", "unknown", "cname"],
)
def test_route53_refuses_a_batch_as_a_whole(route53, action, record, why):
    before = route53.stored()
    fine = ("CREATE", {**SIMPLE, "Name": f"fine.{NAME}"})
    batch = {"Changes": [{"Action": act, "ResourceRecordSet": one} for act, one in (fine, (action, record))]}
    with pytest.raises(route53.person.exceptions.ClientError, match=why):
        route53.person.change_resource_record_sets(HostedZoneId=route53.zone, ChangeBatch=batch)
    assert route53.stored() == before


def test_route53_says_pending_first_and_knows_its_changes(route53):
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": BLUE}]}
    change = route53.person.change_resource_record_sets(HostedZoneId=route53.zone, ChangeBatch=batch)["ChangeInfo"]
    assert change["Status"] == "PENDING"
    assert route53.person.get_change(Id=change["Id"])["ChangeInfo"]["Status"] == "INSYNC"
    with pytest.raises(route53.person.exceptions.NoSuchChange):
        route53.person.get_change(Id="C404")


@pytest.mark.parametrize("weights", [(1000, 0), (-1, 5), (0, 0)])
def test_alb_refuses_weights_out_of_range(alb, weights):
    actions = alb.actions(Weights(100, 0))
    for group, weight in zip(actions[0]["ForwardConfig"]["TargetGroups"], weights, strict=True):
        group["Weight"] = weight
    with pytest.raises(alb.person.exceptions.ClientError, match="ValidationError"):
        alb.put(actions)


def test_alb_refuses_forms_of_an_action_that_say_two_things(alb):
    action = {**alb.actions(Weights(50, 50))[0], "TargetGroupArn": alb.groups[Side.BLUE]}
    with pytest.raises(alb.person.exceptions.ClientError, match="beside others"):
        alb.put([action])


def test_the_judge_of_policies_refuses_what_is_not_said():
    statement = {"Effect": "Allow", "Action": ["a:Do"], "Resource": ["arn:x/*"]}
    once = {"ForAllValues:StringEquals": {"a:Names": ["one"]}}
    policy = {"Statement": [{**statement, "Condition": once}]}
    assert allows(policy, Call("a:Do", ("arn:x/1",), {"a:Names": ("one",)}))
    assert not allows(policy, Call("a:Do", ("arn:x/1",), {"a:Names": ("one", "two")}))
    assert not allows(policy, Call("a:Do", ("arn:y/1",)))
    assert not allows(policy, Call("a:Other", ("arn:x/1",)))
    with pytest.raises(AssertionError):
        allows({"Statement": [{**statement, "NotAction": []}]}, Call("a:Do", ()))
