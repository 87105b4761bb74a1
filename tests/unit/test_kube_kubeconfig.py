"""Finding a context: which file counts, and what an error tells the user to type."""

import pytest
import yaml

from bluegreen.kube.kubeconfig import kubeconfig_paths, list_contexts, load_settings
from bluegreen.model.errors import RefusedError


def config(name: str, user: dict[str, object] | None = None) -> str:
    return yaml.safe_dump(
        {
            "clusters": [{"name": "c", "cluster": {"server": f"https://{name}"}}],
            "users": [{"name": "u", "user": user or {"token": "t-value"}}],
            "contexts": [{"name": name, "context": {"cluster": "c", "user": "u"}}],
        }
    )


def test_the_argument_counts_before_the_environment(monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "/from/env")

    assert kubeconfig_paths("/given") == "/given"
    assert kubeconfig_paths(None) == "/from/env"
    monkeypatch.delenv("KUBECONFIG")
    assert kubeconfig_paths(None) == "~/.kube/config"


def test_contexts_of_a_path_list(tmp_path):
    (tmp_path / "a").write_text(config("old"))
    (tmp_path / "b").write_text(config("new"))

    assert list_contexts(f"{tmp_path}/a:{tmp_path}/missing:{tmp_path}/b") == ("old", "new")


def test_an_unknown_context_names_the_known_ones(tmp_path):
    (tmp_path / "a").write_text(config("old"))

    with pytest.raises(RefusedError) as caught:
        load_settings("olt", f"{tmp_path}/a")

    assert caught.value.why == "known contexts: old"
    assert "--kubeconfig" in caught.value.next_step


@pytest.mark.parametrize("text", ["- a\n", "a: [b\nsecret: hunter2", ""])
def test_an_unusable_file_is_named_and_not_quoted(tmp_path, text):
    (tmp_path / "a").write_text(text)

    with pytest.raises(RefusedError) as caught:
        list_contexts(f"{tmp_path}/a")

    assert f"{tmp_path}/a" in caught.value.what
    assert "hunter2" not in str(caught.value)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(RefusedError, match="no such file"):
        list_contexts(f"{tmp_path}/none")


def test_a_credential_command_that_fails_is_named(tmp_path):
    command = {"exec": {"command": "false", "apiVersion": "client.authentication.k8s.io/v1"}}
    (tmp_path / "a").write_text(config("old", command))

    with pytest.raises(RefusedError, match="'false'"):
        load_settings("old", f"{tmp_path}/a")


def test_the_context_is_loaded_without_a_current_context(tmp_path):
    (tmp_path / "a").write_text(config("old"))

    settings = load_settings("old", f"{tmp_path}/a")

    assert settings.server == "https://old"
    assert settings.authorization() == "Bearer t-value"


def faulty(tmp_path, user=None, cluster=None, context=None):
    data = yaml.safe_load(config("old", user))
    data["clusters"][0]["cluster"] |= cluster or {}
    data["contexts"][0]["context"] |= context or {}
    (tmp_path / "a").write_text(yaml.safe_dump(data))
    with pytest.raises(RefusedError) as caught:
        load_settings("old", f"{tmp_path}/a")
    return caught.value.why


def test_what_is_wrong_with_an_entry_is_said(tmp_path):
    gone = str(tmp_path / "ca.crt")

    assert f"there is no file {gone}" in faulty(tmp_path, cluster={"certificate-authority": gone})
    assert "is no base64" in faulty(tmp_path, user={"client-certificate-data": "a", "client-key-data": "a"})
    assert "the cluster 'd', which is not there; known clusters: c" in faulty(tmp_path, context={"cluster": "d"})
    assert "the user 'v', which is not there; known users: u" in faulty(tmp_path, context={"user": "v"})


@pytest.mark.parametrize("script", ["echo tokencanary >&2; exit 3", "exec /no/such/plugin"])
def test_what_a_credential_command_says_is_not_printed(tmp_path, script, capfd):
    exec_ = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", script]}

    why = faulty(tmp_path, user={"exec": exec_ | {"interactiveMode": "Never"}})

    assert "gave none" in why
    assert capfd.readouterr().err == ""
