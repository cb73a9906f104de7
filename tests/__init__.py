"""ozgate's tests."""

from hypothesis import HealthCheck, settings

# Machines are shared: how long an example takes says nothing about the code.
settings.register_profile(
    "ozgate", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ozgate")
