"""How every test runs: eight host devices, no implicit promotion of dtype or rank."""

import os

# Before JAX starts; a GPU, where there is one, stays the default device.
os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)

import jax
import matplotlib

jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")
matplotlib.use("agg")
