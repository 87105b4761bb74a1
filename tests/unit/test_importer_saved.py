"""Plans in files: whole or refused, stale ones told apart by what moved, unsafe ones by the rule that they break."""

import json

import pytest
from msgspec.structs import replace

from bluegreen.importer.decide import Verdict
from bluegreen.importer.diff import Change
from bluegreen.importer.plan import ImportPlan, PlanEntry
from bluegreen.importer.saved import SavedPlan, read_saved, stale
from bluegreen.importer.unsafe import NAMES, unsafe
from bluegreen.model.errors import InvalidInputError
from bluegreen.model.refs import ClusterId, ObjectRef

BLUE = ClusterId("old", "uid-b", "v1.34.0", "https://b")
GREEN = ClusterId("new", "uid-g", "v1.37.0", "https://g")


def entry(name="conf", verdict=Verdict.CREATE, **more):
    known = {"reason": "r", "content": "c"} | more
    return PlanEntry(ObjectRef("v1", "ConfigMap", "shop", name), "configuration", verdict, **known)


def saved(*entries):
    left = ((ObjectRef("v1", "Pod", "shop", "p"), "a controller makes it"),)
    plan = ImportPlan("uid-g", entries)
    how = {"images": {"a": "b"}}
    return SavedPlan(BLUE, GREEN, ("shop",), "", how, idle=False, server=True, plan=plan, left_out=left)


def text(plan):
    return json.dumps(plan.to_json()).encode()


def test_a_plan_comes_back_equal():
    plan = saved(entry(), entry("b", Verdict.CHANGE, changes=(Change("data.a", '"1"', '"2"'),), ours=False))

    assert read_saved(text(plan), "p") == plan


def test_the_same_plan_has_the_same_sha256():
    assert saved(entry()).to_json()["sha256"] == saved(entry()).to_json()["sha256"]
    assert saved(entry()).to_json()["sha256"] != saved(entry("other")).to_json()["sha256"]


@pytest.mark.parametrize(
    "spoil,why",
    [
        (lambda data: data[:-30], "cut off"),
        (lambda data: data.replace(b"uid-g", b"uid-x"), "edited or cut off"),
        (lambda data: data.replace(b'"format": 1', b'"format": 2'), "upgrade it"),
        (lambda data: data.replace(b"ImportPlan", b"Other"), "is no ImportPlan"),
        (lambda data: b"[" * 100_000, "no JSON"),
        (lambda data: b"", "no JSON"),
    ],
)
def test_a_spoilt_plan_is_refused(spoil, why):
    with pytest.raises(InvalidInputError, match=why):
        read_saved(spoil(text(saved(entry()))), "p")


def test_a_plan_that_holds_is_not_stale():
    assert list(stale([entry()], [entry(reason="other words")])) == []


def test_what_moved_is_named():
    changed = {"changes": (Change("data.a", '"1"', '"2"'),)}
    then = [entry("a"), entry("b"), entry("c"), entry("d", Verdict.CHANGE)]
    now = [entry("a", Verdict.CONFLICT), entry("b", content="x"), entry("d", Verdict.CHANGE, **changed), entry("e")]

    assert list(stale(then, now)) == [
        "ConfigMap shop/a: was create, is now conflict (r)",
        "ConfigMap shop/b: blue's object is no longer the one that was planned",
        "ConfigMap shop/c: was create, blue no longer has it",
        "ConfigMap shop/d: green changed in data.a",
        "ConfigMap shop/e: was not in the plan, it would be created",
    ]


def many(changed, equal):
    entries = [entry(f"c{n}", Verdict.CHANGE) for n in range(changed)]
    return entries + [entry(f"e{n}", Verdict.EQUAL) for n in range(equal)]


@pytest.mark.parametrize("changed,equal,safe", [(3, 7, True), (4, 6, False), (9, 0, True), (0, 10, True)])
def test_many_changes_are_more_than_30_per_cent_of_at_least_ten(changed, equal, safe):
    assert (list(unsafe(many(changed, equal))) == []) is safe


def test_each_rule_names_itself_and_is_overruled_by_its_name_only():
    entries = [
        *many(4, 6),
        entry("o", Verdict.CHANGE, ours=False),
        entry("x", Verdict.CONFLICT),
        entry("r", Verdict.REFUSED),
    ]
    lines = list(unsafe(entries))

    assert [line.rpartition("--force ")[2] for line in lines] == list(NAMES)
    assert len(list(unsafe(entries, frozenset({"refused"})))) == len(NAMES) - 1
    assert list(unsafe(entries, frozenset(NAMES))) == []


def test_what_is_done_already_is_no_contradiction():
    planned = entry("a", Verdict.CREATE, content="1")

    assert list(stale([planned], [replace(planned, verdict=Verdict.EQUAL)])) == []
    assert list(stale([planned], [replace(planned, verdict=Verdict.EQUAL, content="2")]))


def test_what_the_server_did_not_judge_is_kept():
    plan = saved(replace(entry(), unjudged="Namespace shop"))

    assert read_saved(text(plan), "p").plan.entries[0].unjudged == "Namespace shop"
