"""Train a value function on walks that are spread over many processes, one for each GPU.

    python train_on_many_machines.py                      all of it in one process
    python train_on_many_machines.py 127.0.0.1:1234 2 0   one half, and in another terminal
    python train_on_many_machines.py 127.0.0.1:1234 2 1   the other half
    srun python train_on_many_machines.py cluster         a part for each task of the job, which
                                                          should have a task for each GPU

The states are positions x of random walks, the reward is the step, 0.1 on average, and a reward
that comes k steps later counts 0.9ᵏ. So every state is worth 0.1 · (1 + 0.9 + 0.81 + …) = 1, and
v(x) = θ₀ + θ₁ x/8 should become θ = (1, 0).
"""

import argparse
import sys
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from gradlab import random_walk, td_loss

NUM_WALKS, NUM_STEPS = 2048, 33


def transitions(first: int, last: int) -> list[np.ndarray]:
    """Return the transitions of some of the walks: the states left, the rewards, those reached."""
    # A key from its walk's own number: the walk is the same, whichever process makes it.
    numbered = jax.vmap(jax.random.fold_in, (None, 0))
    keys = numbered(jax.random.key(0), jnp.arange(first, last))
    walks = np.asarray(jax.vmap(lambda key: random_walk(0.1, 1.0, key, NUM_STEPS))(keys))
    states = np.stack([np.ones_like(walks), walks / 8], axis=-1)
    rewards = walks[:, 1:] - walks[:, :-1]
    return [states[:, :-1].reshape(-1, 2), rewards.reshape(-1), states[:, 1:].reshape(-1, 2)]


@jax.jit
def gradient(theta: jax.Array, *batch: jax.Array) -> jax.Array:
    """Return the mean over the transitions of the semi-gradient of TD(0)."""
    each = jax.vmap(jax.grad(td_loss), (None, 0, 0, 0, None))(theta, *batch, 0.9)
    return each.mean(axis=0)


@jax.jit
def train(theta: jax.Array, *batch: jax.Array) -> jax.Array:
    """Return θ after 400 steps down the gradient."""
    # One compiled loop: called step by step, two processes of several CPU devices each came to
    # wait for each other forever (with JAX 0.10.2; with one device in each they did not).
    return jax.lax.fori_loop(0, 400, lambda _, theta: theta - 0.25 * gradient(theta, *batch), theta)


def find_the_others() -> None:
    """Find the other processes that the command line speaks of, if there are any."""
    manual = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=manual)
    parser.add_argument(
        "address", nargs="?", help="of process 0, such as 127.0.0.1:1234; or the word cluster"
    )
    parser.add_argument("processes", nargs="?", type=int, help="how many there are")
    parser.add_argument("process", nargs="?", type=int, help="which of them this is, from 0")
    given = parser.parse_args()
    if given.address == "cluster":
        jax.distributed.initialize()
    elif given.address and (given.process is None or not 0 <= given.process < given.processes):
        first, second = (f"127.0.0.1:1234 2 {process}" for process in (0, 1))
        parser.error(f"write all three, such as {first} and, in another terminal, {second}")
    elif given.address:
        print(f"waiting for {given.processes} processes at {given.address}", flush=True)
        jax.distributed.initialize(given.address, given.processes, given.process)


def main() -> None:
    """Make this process's part of the data, and train with all of them."""
    find_the_others()
    mine, number = jax.process_index(), jax.process_count()
    if NUM_WALKS % jax.device_count():
        sys.exit(f"{NUM_WALKS} walks are not a multiple of {jax.device_count()} devices")
    if jax.device_count() != number * jax.local_device_count():
        sys.exit(f"process {mine} has {jax.local_device_count()} devices, another has more or less")

    mesh = jax.make_mesh((jax.device_count(),), ("batch",), axis_types=(AxisType.Auto,))
    dealt_out = NamedSharding(mesh, PartitionSpec("batch"))
    rows = transitions(mine * NUM_WALKS // number, (mine + 1) * NUM_WALKS // number)
    # The shape of all, the same in every process: so JAX refuses a part of another size. Worked out
    # from the rows at hand it would let parts of different sizes be one array, without a word.
    shapes = [(NUM_WALKS * (NUM_STEPS - 1), *x.shape[1:]) for x in rows]
    batch = list(map(partial(jax.make_array_from_process_local_data, dealt_out), rows, shapes))

    theta = jnp.zeros(2)
    print(f"process {mine} of {number} has {len(rows[1])} of {len(batch[1])} transitions")
    print(f"its own gradient  {gradient(theta, *rows).tolist()}")
    print(f"gradient of all   {gradient(theta, *batch).tolist()}")
    theta = train(theta, *batch)
    if mine == 0:  # all have θ; one is enough to write it down
        print(f"theta             {theta.tolist()}")


if __name__ == "__main__":
    main()
