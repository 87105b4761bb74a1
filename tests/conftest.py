"""What holds for every test: hypothesis watches no clock, since a busy machine is no fault of the code."""

from hypothesis import settings

settings.register_profile("bluegreen", deadline=None)
settings.load_profile("bluegreen")
