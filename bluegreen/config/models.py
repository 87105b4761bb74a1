"""bluegreen.yaml as frozen values: every key, its type, its default and its sentence in the reference.

This is the one list that the loader, the JSON Schema and the reference page are made from. A key that decides
about data has no default. Rules that span several keys live in checks.py, so that all errors are told at once.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from bluegreen.config.export import Export
from bluegreen.config.fields import Duration, Listed, Name, PositiveDuration, Section, Share, State, Text, preset
from bluegreen.config.transform import Transform

Settings = Mapping[str, Any]


class Step(Section):
    """One step of the shift; a bare number is the short form of its weight."""

    weight: int = Field(ge=1, le=100, description="Green's share of the traffic in per cent.")
    hold: Duration | None = Field(
        default=None, description="How long this step is held at least; without it, the hold of the whole run."
    )
    budget: PositiveDuration | None = Field(
        default=None, description="How long this step may stay undecided; without it, the budget of the whole run."
    )
    approve: bool = Field(
        default=False,
        description="Whether a person must approve this step (`bluegreen promote`) before it is taken.",
    )

    @model_serializer(mode="wrap")
    def _short_form(self, handler: SerializerFunctionWrapHandler) -> Any:
        if self == Step(weight=self.weight):
            return self.weight
        return {key: value for key, value in handler(self).items() if value is not None}


def _step(value: object) -> object:
    return {"weight": value} if isinstance(value, int) and not isinstance(value, bool) else value


StepEntry = Annotated[Step, BeforeValidator(_step, json_schema_input_type=Annotated[int, Field(ge=1, le=100)] | Step)]


class Data(Section):
    """What happens to the data of claims; required when the namespaces hold claims."""

    policy: Literal["copy"] = Field(
        description="What happens to writes on blue after the copy. `copy`: blue keeps serving, and what is written "
        "there after the copy is not carried over. There is no default, because only you can accept that."
    )
    mover: Text = Field(description="Adapter that moves the claims, such as `velero`.")
    settings: Settings = Field(
        default_factory=dict, alias="with", description="Settings of the mover; see its own page."
    )


class Route(Section):
    """One place where traffic is split by weight."""

    name: Name = Field(description="Name of the route, unique in the file.")
    router: Text = Field(description="Adapter that writes the weights, such as `haproxy`.")
    after: Name | None = Field(
        default=None,
        description="Name of a route that must serve green alone before this one moves; without it, routes move "
        "together. So the DNS name in front of a load balancer is moved after the load balancer.",
    )
    settings: Settings = Field(
        default_factory=dict, alias="with", description="Settings of the router; see its own page."
    )


class Probe(Section):
    """One source of samples about both sides."""

    name: Name = Field(description="Name of the probe, unique in the file; objectives refer to it.")
    probe: Text = Field(description="Adapter that takes the samples, such as `http` or `haproxy`.")
    interval: PositiveDuration = preset("1s", "Time from one sample to the next.")
    settings: Settings = Field(
        default_factory=dict, alias="with", description="Settings of the probe; see its own page."
    )


class BurnRate(Section):
    """A rule on how fast errors may be spent, in a hold or bake that lasts longer than its long window."""

    rate: float = Field(
        ge=1, description="Share of bad requests divided by the one that the objective allows, such as 14.4."
    )
    long: PositiveDuration = Field(description="The window which shows that it matters, such as 1h.")
    short: PositiveDuration | None = Field(
        default=None,
        description="The window which shows that it still goes on, such as 5m; without it, a twelfth of `long`.",
    )


class Objective(Section):
    """One service level objective that green must meet at every step."""

    name: Name = Field(description="Name of the objective, unique in the file.")
    probe: Text = Field(description="Name of the probe whose samples are judged.")
    good: Share = Field(description="Share of requests that must be good.")
    min_samples: int = Field(default=50, ge=1, description="Requests that must be counted before a verdict is given.")
    below: PositiveDuration | None = Field(
        default=None, description="A request is only good when it was answered within this time."
    )
    alpha: float = Field(
        default=0.01, gt=0, lt=0.5, description="Accepted chance of going back although green meets the objective."
    )
    compare_with_blue: bool = Field(
        default=False, description="Whether green must also be no worse than blue is at the same time."
    )
    burst: Duration = preset(
        "5s", "How long one burst of errors may last and still count as one event; longer ones are an outage."
    )
    window: PositiveDuration | None = Field(
        default=None,
        description="Time over which the share must be met, so that old errors of a long bake do not count for ever; "
        "without it, the whole step.",
    )
    burn_rates: Annotated[tuple[BurnRate, ...], Listed] = Field(
        default=(),
        description="Rules on how fast errors may be spent in a long hold or bake, beside the test of every second. "
        "One that is broken holds green, and sends it back once chance is excluded.",
    )


class Exec(Section):
    """A command that is run in a container on both sides; its output must be equal."""

    namespace: Name = Field(description="Namespace of the pod.")
    selector: Text = Field(description="Label selector of the pod; the first ready one is taken.")
    container: Text | None = Field(default=None, description="Container; without it, the pod's first.")
    command: Annotated[tuple[str, ...], Listed] = Field(
        min_length=1, description="Program and arguments; no shell is added."
    )
    timeout: PositiveDuration = preset("60s", "How long the command may take.")


class Check(Section):
    """One comparison of blue and green before traffic moves."""

    name: Name = Field(description="Name of the check, unique in the file.")
    exec: Exec = Field(description="The command whose output is compared.")


class Timeouts(Section):
    """How long each phase may take before the run stops and says where it stands."""

    overall: PositiveDuration = preset(
        "4h",
        "The whole run from its first start, restarts included. When it is over before traffic moved, the run fails "
        "and blue is untouched; with traffic on green the weights stay, green is judged and a person is asked.",
    )
    import_: PositiveDuration = Field(
        default="10m",
        alias="import",
        validate_default=True,
        description="Applying all objects on green, waits and tries included. When it is over, the run stops with exit "
        "code 4; the same command goes on with what is left.",
    )
    volumes: PositiveDuration = preset("1h", "Moving all claims.")
    ready: PositiveDuration = preset("10m", "All workloads on green being ready.")
    settle: PositiveDuration = preset(
        "60s", "A written weight taking effect, after the TTL that was live before where others keep answers."
    )
    pause: PositiveDuration = preset(
        "24h", "How long a run that waits for a person goes on judging before it ends, the weights left as they are."
    )
    residual: Duration = preset(
        "15m", "How much longer the bake may last while clients of an old DNS answer still come to blue."
    )


class Notify(Section):
    """Somebody outside who is told what happens."""

    name: Name = Field(description="Name of the receiver, unique in the file.")
    notifier: Text = Field(description="Adapter that posts the events.")
    settings: Settings = Field(
        default_factory=dict, alias="with", description="Settings of the notifier; see its own page."
    )


class Migration(Section):
    """One migration from blue, which serves today, to green, which shall serve."""

    api_version: Literal["bluegreen/v1"] = Field(default="bluegreen/v1", description="Version of this format.")
    kind: Literal["Migration"] = Field(default="Migration", description="What this file describes.")
    from_context: Text = Field(alias="from", description="kubeconfig context of blue, the cluster that serves today.")
    to_context: Text = Field(alias="to", description="kubeconfig context of green, the cluster that shall serve.")
    kubeconfig: Text | None = Field(
        default=None, description="kubeconfig of both clusters; without it, KUBECONFIG or ~/.kube/config."
    )
    from_kubeconfig: Text | None = Field(default=None, description="kubeconfig of blue only.")
    to_kubeconfig: Text | None = Field(default=None, description="kubeconfig of green only.")
    namespaces: Annotated[tuple[Name, ...], Listed] = Field(
        min_length=1, description="Namespaces that are migrated, each under its own name."
    )
    selector: Text | None = Field(default=None, description="Label selector; without it, everything in the namespaces.")
    steps: Annotated[tuple[StepEntry, ...], Listed] = preset(
        (10, 50, 100), "Green's shares of the traffic, in order, up to 100."
    )
    bake: Duration = preset("20s", "How long all traffic stays on green before the run is called done.")
    hold: Duration = preset("10s", "How long a step is held at least.")
    budget: PositiveDuration = preset("5m", "How long an undecided step is held before the run pauses for a person.")
    residual: Share = preset(
        "2%", "Share of the users that may still come to blue at 100 % when a DNS route ends its bake."
    )
    data: Data | None = Field(default=None, description="What happens to the data of claims.")
    export: Export = Field(default_factory=Export, description="What is exported of blue.")
    transform: Transform = Field(default_factory=Transform, description="Changes to objects on their way.")
    routes: Annotated[tuple[Route, ...], Listed] = Field(description="Where traffic is split; at least one.")
    probes: Annotated[tuple[Probe, ...], Listed] = Field(description="Where samples come from; at least one.")
    objectives: Annotated[tuple[Objective, ...], Listed] = Field(description="What green must meet; at least one.")
    verify: Annotated[tuple[Check, ...], Listed] = Field(
        default=(), description="What must be equal on both sides before traffic moves."
    )
    timeouts: Timeouts = Field(default_factory=Timeouts, description="How long each phase may take.")
    notify: Annotated[tuple[Notify, ...], Listed] = Field(default=(), description="Who is told what happens.")
    state: State = Field(
        default="sqlite",
        description="Where the run is remembered: `sqlite` (in its own directory) or `postgresql://…` "
        "(shared by several workers; a URL with a password by reference, `env:NAME` or `file:PATH`).",
    )
