"""How every test runs: eight host devices, no implicit promotion of dtype or rank."""

import os
import re
import shutil
import tempfile

# All before JAX starts. A GPU, where there is one, stays the default device.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)
# Half of the time goes into compiling, often the same again in another test, worker or notebook;
# so they share what they have compiled, until the run ends.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    os.environ["JAX_COMPILATION_CACHE_DIR"] = tempfile.mkdtemp(prefix="gradlab-tests-")
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import jax
import matplotlib.pyplot as plt
import pytest
from xdist.scheduler import LoadFileScheduling

from gradlab.checking.subject import Subject

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
plt.switch_backend("agg")


@pytest.fixture(autouse=True)
def close_figures():
    """Begin and end without figures: a test before may be an example that leaves its own open."""
    plt.close("all")
    yield
    plt.close("all")


@pytest.fixture(autouse=True)
def no_cause_is_given_up(monkeypatch):
    """Raise what a report would only note: that a cause could not be looked for."""

    def raise_it(_, cause, error):
        raise AssertionError(f"{cause} could not be looked for") from error

    monkeypatch.setattr(Subject, "not_looked_for", raise_it)


class Scheduling(LoadFileScheduling):
    """Keeps the tests of a file on one worker, but every notebook may run on another."""

    def _split_scope(self, nodeid):
        lesson = re.search(r"test_notebooks\.py::.*(\[\d\d_\w+\])", nodeid)
        return lesson[1] if lesson else super()._split_scope(nodeid)


LONGEST = ("test_notebooks", "test_demo", "test_checking_", "test_properties", "README",
           "test_benchmarks", "test_overhead", "test_site")  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Start what takes longest first, so that no worker waits for another in the end."""

    def place(item):
        known = (i for i, name in enumerate(LONGEST) if item.path.name.startswith(name))
        return next(known, len(LONGEST))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_unconfigure(config):
    folder = os.environ["JAX_COMPILATION_CACHE_DIR"]
    if "gradlab-tests-" in folder and not hasattr(
        config, "workerinput"
    ):  # the last to end, and its own
        shutil.rmtree(folder, ignore_errors=True)
