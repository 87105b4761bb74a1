"""The Velero mover through every phase, against two fake clusters and a fake Velero that does one thing per tick."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from bluegreen.model.errors import ConflictError, InvalidInputError, RefusedError, TransientError
from bluegreen.model.ports import MoveStatus, VolumePod, VolumeRequest
from bluegreen.model.refs import ObjectRef
from bluegreen_adapters.velero_mover import VeleroMover, open_mover
from bluegreen_adapters.velero_names import Options
from bluegreen_adapters.velero_phases import PHASES, Outlook
from tests.unit.fake_cluster import FakeCluster
from tests.unit.fake_velero import VELERO, FakeVelero, cluster, namespace, object_, velero_object

LABELS = {"app": "db", "statefulset.kubernetes.io/pod-name": "db-0"}
REQUEST = VolumeRequest("move-1", ("shop",), {"slow": "fast"}, (VolumePod("shop", "db-0", LABELS, ("data-db-0",)),))
BACKUP = ObjectRef(VELERO, "Backup", "velero", "move-1")
RESTORE = ObjectRef(VELERO, "Restore", "velero", "move-1")
CLAIM = ObjectRef("v1", "PersistentVolumeClaim", "shop", "data-db-0")
POD = ObjectRef("v1", "Pod", "shop", "db-0")


class KilledError(Exception):
    """The process died here."""


@dataclass
class World:
    blue: FakeCluster
    green: FakeCluster
    velero: FakeVelero
    now: float = 0.0

    def mover(self) -> VeleroMover:
        return VeleroMover(self.blue, self.green, Options(), lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.velero.tick()

    def poll(self, request: VolumeRequest = REQUEST) -> MoveStatus:
        status = self.mover().poll(request)
        self.velero.tick()
        return status

    def until(self, wanted: Callable[[MoveStatus], bool], request: VolumeRequest = REQUEST) -> MoveStatus:
        for _ in range(40):
            status = self.poll(request)
            if wanted(status):
                return status
        raise AssertionError(status)

    def finish(self, request: VolumeRequest = REQUEST) -> MoveStatus:
        return self.until(lambda s: s.done or s.failed, request)


def blue_pod() -> dict:
    pod = object_(
        "Pod",
        "shop",
        "db-0",
        spec={
            "nodeName": "n1",
            "serviceAccountName": "db",
            "initContainers": [{"name": "init", "image": "x"}],
            "containers": [{"name": "db", "image": "x", "volumeMounts": [{"name": "data", "mountPath": "/d"}]}],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}},
                {"name": "conf", "configMap": {"name": "conf"}},
            ],
        },
        status={"phase": "Running"},
    )
    pod["metadata"]["labels"] = dict(LABELS)
    return pod


def make_world() -> World:
    blue, green = cluster("old"), cluster("new")
    claim = object_("PersistentVolumeClaim", "shop", "data-db-0", spec={"storageClassName": "slow"})
    blue.seed(namespace("shop"), blue_pod(), claim)
    green.seed(namespace("shop"), object_("ServiceAccount", "shop", "default"))
    storage_class = object_("StorageClass", "", "fast", api="storage.k8s.io/v1")
    green.seed(storage_class)
    return World(blue, green, FakeVelero(blue, green))


@pytest.fixture
def world() -> World:
    return make_world()


def test_a_move_goes_through_its_stages_and_leaves_only_the_claim(world):
    before = world.blue.get(POD)
    seen: list[str] = []

    status = world.until(lambda s: seen.append(s.stage) or s.done)

    assert list(dict.fromkeys(seen)) == ["backup", "sync", "restore", "release", "done"]
    assert status.phase == "Completed"
    assert world.green.get(CLAIM)["spec"]["storageClassName"] == "fast"
    assert POD not in world.green.objects
    assert world.blue.get(POD) == before
    assert not [ref for ref in (*world.blue.objects, *world.green.objects) if ref.kind == "ConfigMap"]


def test_blue_gets_velero_s_own_objects_and_one_config_map(world):
    world.finish()

    assert {(verb, ref.kind) for verb, ref in world.blue.writes} == {
        ("create", "Backup"),
        ("apply", "ConfigMap"),
        ("delete", "ConfigMap"),
    }


def test_the_backup_takes_claims_by_files_and_only_the_asked_pods(world):
    world.poll()

    spec = world.blue.get(BACKUP)["spec"]
    assert spec["orLabelSelectors"] == [{"matchLabels": {"statefulset.kubernetes.io/pod-name": "db-0"}}]
    assert (spec["defaultVolumesToFsBackup"], spec["snapshotVolumes"], spec["ttl"]) == (True, False, "72h")
    assert "persistentvolumes" not in ObjectAt(world.green, RESTORE, world).spec["includedResources"]


class ObjectAt:
    """An object once the move has made it."""

    def __init__(self, where: FakeCluster, ref: ObjectRef, world: World) -> None:
        world.until(lambda _: ref in where.objects)
        self.spec = where.get(ref)["spec"]


def test_progress_is_told_in_bytes(world):
    status = world.until(lambda s: s.bytes_total > 0)

    assert (status.stage, status.bytes_done, status.bytes_total) == ("backup", 5, 10)


def test_a_finished_move_does_not_start_over_when_velero_forgot_it(world):
    world.finish()
    for ref in (BACKUP, RESTORE):
        world.blue.objects.pop(ref, None)
        world.green.objects.pop(ref, None)
    count = len(world.blue.writes) + len(world.green.writes)

    assert world.poll().done
    assert len(world.blue.writes) + len(world.green.writes) == count


def test_nothing_to_move_is_done(world):
    assert world.poll(replace(REQUEST, pods=())).done


@pytest.mark.parametrize(("kind", "ref"), [("Backup", BACKUP), ("Restore", RESTORE)])
def test_every_phase_but_completed_holds_the_move(world, kind, ref):
    side = world.blue if kind == "Backup" else world.green
    world.until(lambda _: ref in side.objects)
    for phase, meaning in PHASES[kind].items():
        side.objects[ref]["status"] = {"phase": phase, "validationErrors": ["why not"], "errors": 2}
        if meaning is Outlook.COMPLETED:
            continue
        status = world.mover().poll(REQUEST)
        assert not status.done
        assert status.failed == (meaning is Outlook.FAILED)
        assert status.phase == (phase or "New")
        if status.failed:
            assert "why not; 2 errors in its log" in status.message
            assert "describe move-1" in status.message


@pytest.mark.parametrize(("kind", "ref"), [("Backup", BACKUP), ("Restore", RESTORE)])
def test_an_unknown_phase_stops_for_a_person(world, kind, ref):
    side = world.blue if kind == "Backup" else world.green
    world.until(lambda _: ref in side.objects)
    side.objects[ref]["status"] = {"phase": "Contemplating"}

    with pytest.raises(RefusedError, match="Contemplating"):
        world.mover().poll(REQUEST)


def test_finalizing_partially_failed_is_no_end():
    assert PHASES["Backup"]["FinalizingPartiallyFailed"] is Outlook.RUNNING
    assert PHASES["Restore"]["WaitingForPluginOperationsPartiallyFailed"] is Outlook.RUNNING


def test_a_failed_volume_tells_its_own_reason(world):
    world.until(lambda s: s.bytes_total > 0)
    for ref, obj in world.blue.objects.items():
        if ref.kind == "PodVolumeBackup":
            obj["status"] = {"phase": "Failed", "message": "disk on fire"}
    world.blue.objects[BACKUP]["status"] = {"phase": "PartiallyFailed"}

    status = world.mover().poll(REQUEST)

    assert status.failed
    assert "shop/db-0 volume data Failed: disk on fire" in status.message


def test_a_completed_backup_that_skipped_a_claim_is_a_failure(world):
    world.velero.skips.add("data-db-0")

    status = world.finish()

    assert status.failed
    assert "holds nothing of claim shop/data-db-0" in status.message
    assert RESTORE not in world.green.objects


def test_a_pod_replaced_during_the_backup_is_a_failure(world):
    world.until(lambda s: s.bytes_total > 0)
    for ref, obj in world.blue.objects.items():
        if ref.kind == "PodVolumeBackup":
            obj["spec"]["pod"]["uid"] = "another"

    assert "was replaced while the backup ran" in world.finish().message


def test_a_completed_restore_that_filled_nothing_is_a_failure(world):
    world.until(lambda _: RESTORE in world.green.objects)
    world.green.objects[RESTORE]["status"] = {"phase": "Completed"}

    status = world.mover().poll(REQUEST)

    assert status.failed
    assert "volume data of Pod shop/db-0 was not filled" in status.message


def test_no_restore_before_green_knows_every_volume(world):
    world.until(lambda s: s.stage == "sync")

    assert BACKUP in world.green.objects
    assert world.green.objects[BACKUP]["status"]["phase"] == "Completed"
    assert RESTORE not in world.green.objects
    assert "does not know 1 volumes" in world.mover().poll(REQUEST).message
    assert RESTORE not in world.green.objects


def test_a_server_that_would_drop_the_status_is_left_to_velero(world):
    crd = ObjectRef("apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "backups.velero.io")
    world.green.objects[crd]["spec"]["versions"][0]["subresources"] = {"status": {}}

    status = world.until(lambda s: s.stage == "sync")

    assert "once a minute" in status.message
    assert BACKUP not in world.green.objects


def test_velero_takes_one_restore_at_a_time_and_that_is_said(world):
    world.until(lambda s: s.stage == "sync")
    world.velero.tick = lambda: None
    world.green.seed(velero_object("Restore", "nightly", spec={}, status={"phase": "InProgress"}))

    status = world.until(lambda _: RESTORE in world.green.objects) and world.poll()

    assert status.message == "waits behind Restore velero/nightly"


def test_a_carrier_that_cannot_start_says_why(world):
    world.until(lambda s: s.stage == "restore" and s.phase == "InProgress")
    world.green.objects[RESTORE]["status"] = {"phase": "InProgress"}
    waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
    world.green.objects[POD]["status"] = {"initContainerStatuses": [waiting]}

    assert "carrier Pod shop/db-0: ErrImagePull no such image" in world.mover().poll(REQUEST).message


def writes_of_a_whole_move() -> int:
    world = make_world()
    world.finish()
    return len(world.blue.writes) + len(world.green.writes)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_at_any_write_it_ends_the_same(moment):
    total = writes_of_a_whole_move()
    assert total >= 10
    for number in range(total):
        world = make_world()
        kill_at(world, number, moment)
        with pytest.raises(KilledError):
            world.finish()
        disarm(world)

        assert world.finish().done, f"killed {moment} write {number}"
        assert world.green.get(CLAIM)["metadata"]["annotations"]["bluegreen.io/filled-by"] == "move-1"
        left = {ref.kind for ref in world.green.objects if ref.namespace == "shop"}
        assert left == {"ServiceAccount", "PersistentVolumeClaim"}


def kill_at(world: World, number: int, moment: str) -> None:
    count = iter(range(10_000))

    def die(_verb: str, _ref: ObjectRef) -> None:
        if next(count) == number:
            raise KilledError

    for side in (world.blue, world.green):
        setattr(side, moment, die)


def disarm(world: World) -> None:
    for side in (world.blue, world.green):
        side.before = side.after = lambda _verb, _ref: None


def test_a_second_attempt_replaces_our_own_claim(world):
    world.finish()
    first = world.green.get(CLAIM)["metadata"]["uid"]

    assert world.finish(replace(REQUEST, id="move-2")).done
    assert world.green.get(CLAIM)["metadata"]["uid"] != first


def test_a_claim_unstamped_by_a_crash_is_ours_while_its_restore_says_so(world):
    world.finish()
    annotations = world.green.objects[CLAIM]["metadata"]["annotations"]
    del annotations["bluegreen.io/claim-uid"], annotations["bluegreen.io/filled-by"]

    assert world.finish(replace(REQUEST, id="move-2")).done


def test_a_stranger_s_claim_stops_before_anything_is_written(world):
    world.green.seed(object_("PersistentVolumeClaim", "shop", "data-db-0", spec={}))

    with pytest.raises(ConflictError, match="no move of ours made it"):
        world.poll()

    assert world.blue.writes + world.green.writes == []


def test_a_copy_of_our_claim_made_by_hand_is_a_stranger(world):
    world.finish()
    copied = world.green.objects.pop(CLAIM)
    del copied["metadata"]["resourceVersion"]
    world.green.seed(copied)

    with pytest.raises(ConflictError, match="no move of ours made it"):
        world.poll(replace(REQUEST, id="move-2"))


def test_a_claim_in_use_is_never_replaced(world):
    world.finish()
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    world.green.seed(object_("Pod", "shop", "other", spec={"volumes": volumes}, status={"phase": "Running"}))

    with pytest.raises(ConflictError, match="used on green by Pod other"):
        world.poll(replace(REQUEST, id="move-2"))


def test_a_pod_of_the_application_on_green_stops_the_move(world):
    world.green.seed(object_("Pod", "shop", "db-0", spec={}))

    with pytest.raises(ConflictError, match="already on green"):
        world.poll()


def test_an_unknown_storage_class_is_refused_with_a_hint(world):
    with pytest.raises(InvalidInputError, match="green has no StorageClass 'slow'") as caught:
        world.poll(replace(REQUEST, storage_classes={}))
    assert "transform.storageClasses" in caught.value.next_step


def test_a_deleted_note_is_not_guessed(world):
    world.until(lambda s: s.stage == "sync")
    world.green.objects.pop(ObjectRef("v1", "ConfigMap", "velero", "move-1-carriers"))

    with pytest.raises(RefusedError, match="somebody deleted it"):
        world.finish()


@pytest.mark.parametrize("polls", range(15))
def test_cancelling_at_any_time_leaves_green_as_it_was(polls):
    world = make_world()
    before = {ref for ref in world.green.objects if ref.kind != "Backup"}
    for _ in range(polls):
        world.poll()

    world.mover().cancel(REQUEST)
    world.mover().cancel(REQUEST)
    world.velero.tick()

    left = {ref for ref in world.green.objects if ref.kind not in {"Backup", "PodVolumeBackup", "PodVolumeRestore"}}
    assert left == before
    assert BACKUP not in world.blue.objects


def test_cancelling_waits_for_velero_and_then_says_so(world):
    world.until(lambda s: s.stage == "restore" and s.phase == "InProgress")
    world.green.objects[RESTORE]["status"] = {"phase": "InProgress"}
    world.velero.tick = lambda: None

    with pytest.raises(TransientError, match="cancelling") as caught:
        world.mover().cancel(REQUEST)

    for words in (
        "velero --kubecontext new -n velero restore delete",
        "velero --kubecontext old",
        "kubectl --context new",
    ):
        assert words in caught.value.next_step
    assert POD in world.green.objects
    assert CLAIM in world.green.objects


def test_cancelling_never_takes_a_claim_in_use(world):
    world.finish()
    volumes = [{"name": "d", "persistentVolumeClaim": {"claimName": "data-db-0"}}]
    world.green.seed(object_("Pod", "shop", "db-0", spec={"volumes": volumes}, status={"phase": "Running"}))

    with pytest.raises(ConflictError):
        world.mover().cancel(REQUEST)

    assert CLAIM in world.green.objects


def test_a_missing_namespace_is_made_and_its_account_awaited(world):
    for ref in [ref for ref in world.green.objects if "shop" in {ref.namespace, ref.name}]:
        del world.green.objects[ref]

    status = world.until(lambda s: "ServiceAccount" in s.message)
    assert status.stage == "restore"
    world.green.seed(object_("ServiceAccount", "shop", "default"))

    assert world.finish().done


def test_options_are_checked_all_at_once():
    blue, green = cluster("old"), cluster("new")

    with pytest.raises(InvalidInputError) as caught:
        open_mover(blue, green, {"carrierimage": "x", "namespace": 3, "ttl": "soon"}, "velero")

    assert len(caught.value.reasons) == 3
    assert open_mover(blue, green, {"carrierImage": "mine:1"}, "velero").options.carrier_image == "mine:1"


def test_an_id_that_is_no_label_is_refused(world):
    with pytest.raises(InvalidInputError, match="DNS-1123"):
        world.poll(replace(REQUEST, id="Move_1"))


def test_the_plan_is_in_words(world):
    text = " ".join(world.mover().describe(REQUEST))

    assert "shop/data-db-0" in text
    assert "72h" in text


def test_the_note_on_the_carriers_says_what_is_expected(world):
    world.poll()
    note = world.green.get(ObjectRef("v1", "ConfigMap", "velero", "move-1-carriers"))

    assert json.loads(note["metadata"]["annotations"]["bluegreen.io/cargo"]) == [
        {
            "namespace": "shop",
            "pod": "db-0",
            "uid": world.blue.get(POD)["metadata"]["uid"],
            "volume": "data",
            "claim": "data-db-0",
        }
    ]
