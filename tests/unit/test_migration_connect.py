"""Probes that could not measure are told before a migration begins, whatever they are."""

from bluegreen.migration.connect import blind
from bluegreen.model.ports import CheckedProbe


class Plain:
    """A probe without a check."""

    def sample(self, side):
        raise AssertionError("nothing is sampled at plan time")


class Checked(Plain):
    """A probe with one."""

    def __init__(self, *reasons):
        self.reasons = reasons

    def check(self):
        if self.reasons and isinstance(self.reasons[0], Exception):
            raise self.reasons[0]
        return self.reasons


def test_every_reason_of_every_probe_is_told_with_its_name():
    probes = {"plain": Plain(), "well": Checked(), "ill": Checked("no metric x; correct it", "no metric y; correct it")}
    assert not isinstance(probes["plain"], CheckedProbe)
    assert blind(probes) == (
        "probe 'ill': no metric x; correct it",
        "probe 'ill': no metric y; correct it",
    )


def test_a_probe_whose_check_fails_is_no_good_one():
    assert blind({"p": Checked(ValueError("third party"))}) == (
        "probe 'p': it cannot check itself: ValueError: third party",
    )
