"""The first user is sent to green once green has answered: a ready pod is reachable a moment later only."""

from types import SimpleNamespace

from fake_traffic import FakeProbe

from bluegreen.migration.first_answers import await_first_answers
from bluegreen.model.refs import Side
from bluegreen.model.samples import Broken, Counts, NoData


class Waiting:
    """A run whose time passes in its waits only, and what its probe saw."""

    def __init__(self, answer, *, synthetic=True):
        self.now, self.told, self.asked = 0.0, [], []

        def sample(side):
            self.asked.append(side)
            return answer(self.now)

        probe = FakeProbe(answer=sample)
        probe.synthetic = synthetic
        self.run = SimpleNamespace(probes={"web": probe}, clock=lambda: self.now, sleep=self.pass_time, emit=self.emit)

    def pass_time(self, seconds):
        self.now += seconds

    def emit(self, name, /, **data):
        self.told.append((name, data))

    def over(self):
        await_first_answers(self.run)
        return self


GOOD, BAD = Counts(1, 0), Counts(0, 1, example="read timeout")


def test_a_green_whose_node_port_lags_behind_is_waited_for():
    waited = Waiting(lambda now: BAD if now < 1.5 else GOOD).over()
    assert 1.5 <= waited.now < 3.0
    assert set(waited.asked) == {Side.GREEN}
    assert not waited.told


def test_one_good_answer_among_bad_ones_is_not_enough():
    waited = Waiting(lambda now: GOOD if now > 2.0 or 0.5 < now < 0.65 else BAD).over()
    assert waited.now > 2.0


def test_a_green_that_stays_bad_is_left_to_the_gate_and_told():
    waited = Waiting(lambda now: BAD).over()
    assert 10.0 <= waited.now < 11.0
    assert [name for name, _ in waited.told] == ["notice"]
    assert "read timeout" in waited.told[0][1]["text"]


def test_what_says_nothing_about_green_holds_nothing_up():
    for nothing in (Broken("no route from here"), NoData("nobody came"), Counts(0, 0)):
        waited = Waiting(lambda now, nothing=nothing: nothing).over()
        assert (waited.now, waited.told) == (0.0, [])


def test_counters_of_real_users_are_not_asked():
    assert Waiting(lambda now: BAD, synthetic=False).over().asked == []
