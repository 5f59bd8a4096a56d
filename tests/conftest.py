"""How every test runs: eight host devices, no implicit promotion of dtype or rank."""

import os

# Before JAX starts; a GPU, where there is one, stays the default device.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)

import jax
import matplotlib
import pytest
from xdist.scheduler import LoadFileScheduling

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
matplotlib.use("agg")


class Scheduling(LoadFileScheduling):
    """Keeps the tests of a file on one worker, but every notebook may run on another."""

    def _split_scope(self, nodeid):
        return nodeid if "test_notebooks.py" in nodeid else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
