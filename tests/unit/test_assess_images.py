"""What can be known about images before green pulls them, and that what was not looked at is said."""

import pytest
from test_assess_checks import deployment, obj
from test_assess_sides import around, look, node, rules

from bluegreen.assess import images
from bluegreen.model.findings import Severity


@pytest.mark.parametrize(
    "written,registry,full",
    [
        ("busybox", "docker.io", "docker.io/library/busybox:latest"),
        ("bluegreen-lab/busybox:1", "docker.io", "docker.io/bluegreen-lab/busybox:1"),
        ("docker.io/nginx:1", "docker.io", "docker.io/library/nginx:1"),
        ("localhost/a:1", "localhost", "localhost/a:1"),
        ("r:5000/a/b", "r:5000", "r:5000/a/b:latest"),
        ("ghcr.io/a@sha256:00", "ghcr.io", "ghcr.io/a@sha256:00"),
    ],
)
def test_image_names_are_read_as_a_node_reads_them(written, registry, full):
    image = images.image_of(written, "")

    assert (image.registry, image.full) == (registry, full)
    assert image.policy == ("Always" if full.endswith(":latest") else "IfNotPresent")


def runs(image, policy=None, **pod):
    return deployment(containers=[{"image": image} | ({"imagePullPolicy": policy} if policy else {})], **pod)


def test_an_image_that_is_never_pulled_must_be_on_every_node():
    held = [["docker.io/library/a:1"]]
    both = around("green", Node=[node("n1", held=held), node("n2", held=held)])
    one = around("green", Node=[node("n1", held=held), node("n2", held=[["b"]])])
    none = around("green", Node=[node(held=[["b"]])])
    full = around("green", Node=[node(held=[[f"b{i}"] for i in range(50)])])

    assert rules(images.never_pulled, runs("a:1", "Never"), green=both) == []
    assert rules(images.never_pulled, runs("a:1", "Never"), green=one) == [("image-never-pulled", Severity.WARNING)]
    assert rules(images.never_pulled, runs("a:1", "Never"), green=none) == [("image-never-pulled", Severity.BLOCKER)]
    assert rules(images.never_pulled, runs("a:1", "Never"), green=full) == [("image-never-pulled", Severity.WARNING)]
    assert rules(images.never_pulled, runs("a:1"), green=none) == []


@pytest.mark.parametrize(
    "registry,local",
    [
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("[::1]:5000", True),
        ("registry:5000", True),
        ("registry.tools.svc:5000", True),
        ("registry.tools.svc.cluster.local", True),
        ("10.0.0.7:30500", True),
        ("10.0.0.8:30500", False),
        ("ghcr.io", False),
        ("registry.example.com:5000", False),
    ],
)
def test_a_registry_of_blue_s_own_is_found(registry, local):
    blue = around("blue", Node=[node(address="10.0.0.7")])
    green = around("green", Node=[node(held=[[f"{registry}/held:1"]])])

    assert bool(rules(images.local_registries, runs(f"{registry}/a:1"), blue=blue, green=green)) is local
    assert rules(images.local_registries, runs(f"{registry}/held:1"), blue=blue, green=green) == []
    assert bool(rules(images.local_registries, runs(f"{registry}/held:1", "Always"), blue=blue, green=green)) is local


def test_the_image_is_judged_as_green_will_name_it():
    mapped = [runs("ghcr.io/a:1")]

    assert rules(images.local_registries, runs("localhost:5000/a:1"), moved=mapped) == []


def test_a_pull_secret_that_is_neither_moved_nor_there_warns():
    pods = runs("a:1", imagePullSecrets=[{"name": "pull"}])
    account = obj("ServiceAccount") | {"imagePullSecrets": [{"name": "pull"}]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull", "namespace": "n"}}

    assert rules(images.pull_secrets, pods) == [("pull-secret-missing", Severity.WARNING)]
    assert rules(images.pull_secrets, account) == [("pull-secret-missing", Severity.WARNING)]
    assert rules(images.pull_secrets, pods, secret) == []
    assert rules(images.pull_secrets, pods, secrets=frozenset({("n", "pull")})) == []
    assert rules(images.pull_secrets, pods, secrets=frozenset({("m", "pull")})) != []


def test_failed_pulls_of_the_same_image_or_registry_are_told():
    same = ('Failed to pull image "ghcr.io/a:1": not found',)
    near = ('Failed to pull image "ghcr.io/z:9": unauthorized',)
    other = ('Failed to pull image "quay.io/z:9": unauthorized', 'Error: container "ghcr.io/a:1" has runAsNonRoot')

    assert rules(images.failing_pulls, runs("ghcr.io/a:1"), failed=same) == [("image-pull-failing", Severity.WARNING)]
    assert "another image of ghcr.io" in look(images.failing_pulls, runs("ghcr.io/a:1"), failed=near)[0].reason
    assert rules(images.failing_pulls, runs("ghcr.io/a:1"), failed=other) == []


def test_what_was_not_looked_at_about_images_is_said():
    green = around("green", Node=[node(held=[["docker.io/library/a:1"]])])
    pods = deployment(containers=[{"image": "a:1"}, {"image": "ghcr.io/b:1"}])

    (found,) = look(images.looked_at, pods, green=green)
    assert found.severity is Severity.INFO
    assert found.subject == "2 images"
    assert "1 are on every node" in found.reason
    assert "ghcr.io" in found.reason
    assert "was not" in found.reason
    assert look(images.looked_at, pods) == []
