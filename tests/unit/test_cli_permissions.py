"""What adapters must be allowed to do: every built-in one says so, Velero's Roles are what the mover calls."""

import json
from contextlib import suppress
from importlib.metadata import EntryPoint

import pytest
import yaml
from click.testing import CliRunner
from one_by_one import OneByOne
from test_velero_mover import REQUEST, make_world

from bluegreen.cli.main import main
from bluegreen.migration import permissions
from bluegreen.migration.permissions import GROUPS, permissions_of
from bluegreen.model.errors import RefusedError, TransientError
from bluegreen.model.permissions import Permissions
from bluegreen.model.refs import Side
from bluegreen_adapters.velero_permissions import IN_CLUSTER, IN_VELERO, IN_WORKLOADS


def run(*arguments):
    return CliRunner().invoke(main, ["adapters", "permissions", *arguments])


def built_in():
    points = [point for group in GROUPS for point in permissions.entry_points(group=group)]
    return sorted((p.group, p.name) for p in points if p.dist is not None and p.dist.name == "bluegreen")


@pytest.mark.parametrize(("group", "name"), built_in())
def test_every_built_in_adapter_says_what_it_needs(group, name):
    (needed,) = permissions_of(name, group.removeprefix("bluegreen."))

    assert isinstance(needed.permissions, Permissions), needed.reason
    assert needed.permissions.lines
    assert all(isinstance(line, str) and line for line in needed.permissions.lines)
    json.dumps(dict(needed.permissions.policy))


def test_there_are_adapters_to_ask():
    assert {("bluegreen.routers", "haproxy"), ("bluegreen.movers", "velero")} <= set(built_in())


def test_a_name_of_several_ports_shows_all_or_the_one_asked_for():
    assert [(n.port, n.name) for n in permissions_of("haproxy")] == [("routers", "haproxy"), ("probes", "haproxy")]
    both, one = run("haproxy"), run("haproxy", "--port", "probes")

    assert both.stdout.splitlines()[0].startswith("routers haproxy (bluegreen ")
    assert "set weight" in both.stdout
    assert "set weight" not in one.stdout
    assert "level user" in one.stdout


@pytest.mark.parametrize(("output", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_json_and_yaml_say_the_same(output, read):
    data = read(run("velero", "-o", output).stdout)

    assert (data["apiVersion"], data["kind"]) == ("bluegreen/v1", "AdapterPermissions")
    assert [(item["port"], item["name"], item["reason"]) for item in data["items"]] == [("movers", "velero", "")]
    assert data["items"][0]["policy"]["kind"] == "List"


def test_the_policy_alone_is_a_document_for_kubectl():
    done = run("velero", "--policy")
    items = yaml.safe_load(done.stdout)["items"]

    assert {item["kind"] for item in items} == {"Role", "ClusterRole"}
    assert {item["metadata"]["labels"]["bluegreen.io/side"] for item in items} == {"blue", "green"}
    assert json.loads(run("velero", "--policy", "-o", "json").stdout)["items"] == items


def test_an_adapter_without_a_document_says_where_its_words_are():
    done = run("http", "--policy")

    assert done.exit_code == 1
    assert "bluegreen adapters permissions http" in done.stderr


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(RefusedError, match="did you mean velero"):
        permissions_of("vlero")
    with pytest.raises(RefusedError, match="among the routers"):
        permissions_of("velero", "routers")


@pytest.fixture
def third_party(monkeypatch, tmp_path):
    """Adapters of somebody else: one says what it needs, one does not, one says it wrongly, one does not load."""
    says = "from bluegreen.model.permissions import Permissions\nPERMISSIONS = Permissions(('a key',), {'a': 1})\n"
    modules = {"says": says, "silent": "", "wrong": "PERMISSIONS = ('a key',)\n", "broken": "raise OSError('no lib')\n"}
    for name, text in modules.items():
        (tmp_path / f"bg_test_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    points = [EntryPoint(name, f"bg_test_{name}:make", "bluegreen.notifiers") for name in modules]
    monkeypatch.setattr(permissions, "entry_points", lambda group: points if group == "bluegreen.notifiers" else [])


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("says", 0, "- a key"),
        ("silent", 0, "says nothing: bg_test_silent has no PERMISSIONS"),
        ("wrong", 0, "PERMISSIONS of bg_test_wrong is a tuple"),
        ("broken", 1, "it does not load: OSError: no lib"),
    ],
)
def test_a_third_party_s_adapter_is_asked_the_same_way(third_party, name, code, said):
    done = run(name)

    assert done.exit_code == code
    assert said in " ".join(done.stdout.split())


class Recorder(OneByOne):
    """A cluster that notes each call as (place, group, plural, verb); place is as the Roles are cut."""

    def __init__(self, cluster, calls):
        self._cluster, self._calls = cluster, calls

    id = property(lambda self: self._cluster.id)

    def __getattr__(self, name):
        return getattr(self._cluster, name)

    def _note(self, api_version, kind, namespace, *verbs):
        served = self._cluster.served[api_version, kind]
        place = "velero" if namespace == "velero" else "workloads" if served.namespaced else "cluster"
        group = api_version.rpartition("/")[0]
        self._calls |= {(place, group, served.plural, verb) for verb in verbs}

    def get(self, ref):
        self._note(ref.api_version, ref.kind, ref.namespace, "get")
        return self._cluster.get(ref)

    def list(self, resource, namespace="", selector=""):
        self._note(resource.api_version, resource.kind, namespace, "list")
        return self._cluster.list(resource, namespace, selector)

    def apply(self, obj, **more):
        # A server-side apply is a patch, and a create where the object is not there.
        self._note(obj["apiVersion"], obj["kind"], obj["metadata"].get("namespace", ""), "patch", "create")
        return self._cluster.apply(obj, **more)

    def create(self, obj):
        self._note(obj["apiVersion"], obj["kind"], obj["metadata"].get("namespace", ""), "create")
        return self._cluster.create(obj)

    def patch(self, ref, patch):
        self._note(ref.api_version, ref.kind, ref.namespace, "patch")
        return self._cluster.patch(ref, patch)

    def delete(self, ref, uid):
        self._note(ref.api_version, ref.kind, ref.namespace, "delete")
        return self._cluster.delete(ref, uid)


def granted(side):
    places = {"velero": IN_VELERO, "workloads": IN_WORKLOADS, "cluster": IN_CLUSTER}
    return {
        (place, group, plural, verb)
        for place, roles in places.items()
        for group, plural, verbs in roles[side]
        for verb in verbs
    }


def recorded(polls, *, cancel=False, twist=lambda world: None):
    """Return the calls of a move that is polled that often, per side."""
    world, calls = make_world(), {side: set() for side in Side}
    twist(world)
    world.blue, world.green = Recorder(world.blue, calls[Side.BLUE]), Recorder(world.green, calls[Side.GREEN])
    world.mover().check()
    for _ in range(polls):
        if world.poll().done:
            break
    if cancel:
        with suppress(TransientError):
            world.mover().cancel(REQUEST)
    return calls


def claim_with_a_volume(world):
    claim = next(obj for ref, obj in world.blue.objects.items() if ref.kind == "PersistentVolumeClaim")
    claim["spec"]["volumeName"] = "pv-1"


def no_namespace(world):
    for ref in [ref for ref in world.green.objects if "shop" in {ref.namespace, ref.name}]:
        del world.green.objects[ref]


def busy_with_others(side):
    """Velero takes our Backup or Restore up, and begins no volume."""

    def twist(world):
        if side is Side.BLUE:
            world.velero._backup = lambda ref, obj: obj.update(status={"phase": "InProgress"})
        else:
            world.velero._restore = lambda ref, obj: None

    return twist


def answered_too_early(world):
    """Velero answers a wish to delete with an error, as it does while the backup runs."""
    world.velero._delete_backup = lambda ref, obj: obj.update(status={"phase": "Processed"})


@pytest.fixture(scope="module")
def calls():
    runs = [recorded(40, twist=claim_with_a_volume), recorded(12, twist=no_namespace)]
    runs += [recorded(12, twist=busy_with_others(side)) for side in Side]
    runs += [recorded(polls, cancel=True) for polls in range(12)]
    runs += [recorded(6, cancel=True, twist=answered_too_early)]
    return {side: set().union(*(run[side] for run in runs)) for side in Side}


@pytest.mark.parametrize("side", list(Side))
def test_the_mover_calls_nothing_that_its_roles_do_not_grant(calls, side):
    assert calls[side] - granted(side) == set()


@pytest.mark.parametrize("side", list(Side))
def test_the_roles_grant_nothing_that_the_mover_never_calls(calls, side):
    assert granted(side) - calls[side] == set()
