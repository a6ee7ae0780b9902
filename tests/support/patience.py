"""Examples that hypothesis makes up may take their time: how fast a machine is, no test asserts."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
