"""Many devices: the same numbers, every device its own part, and talk only where there is a sum."""

import math
import re
from collections import Counter
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec
from test_properties import VECTOR, assert_close, for_helpers

from gradlab import (
    check_grads,
    descend,
    logistic_loss,
    per_example_grads,
    random_walk,
    td_loss,
    wavy_bowl,
)

DEVICES = jax.devices("cpu")  # a GPU machine has eight of these, too
ROWS = 512
TALK = "all-reduce|all-gather|all-to-all|collective-permute|reduce-scatter"


@pytest.fixture(autouse=True)
def _on_the_cpu():
    assert len(DEVICES) == 8
    with jax.default_device(DEVICES[0]):
        yield


def plans(kind=AxisType.Auto):
    """Return the shardings that cut the first axis into eight, and that copy."""
    mesh = jax.make_mesh((8,), ("batch",), axis_types=(kind,), devices=DEVICES)
    return NamedSharding(mesh, PartitionSpec("batch")), NamedSharding(mesh, PartitionSpec())


def compiled(f, *args):
    """Return the program of a jitted f, what collectives are in it, and its largest array."""
    program = f.lower(*args).compile()
    text = program.as_text()
    shapes = re.findall(r"\b[a-z]+[0-9]+\[([0-9,]+)\]", text)
    largest = max(math.prod(map(int, shape.split(","))) for shape in shapes)
    return program, Counter(re.findall(rf" ({TALK})(?:-start)?\(", text)), largest


def deal_out(args, batched, kind=AxisType.Auto):
    cut, copied = plans(kind)
    return tuple(jax.device_put(x, cut if i in batched else copied) for i, x in enumerate(args))


def of_many_rows(helper, dtype):
    """Return a helper of a batch, arguments for it with ROWS rows, and which of them have these."""
    if helper.batched:
        f, batched, shift = helper.f, helper.batched, np.repeat(np.arange(ROWS // 8), 8)
    else:
        f, batched, shift = jax.vmap(helper.f), tuple(range(len(helper.args))), np.arange(ROWS)

    def many(x):
        rows = (
            np.tile(x, (ROWS // 8, *[1] * (x.ndim - 1))) if helper.batched else np.stack([x] * ROWS)
        )
        return rows + 0.001 * shift.reshape(-1, *[1] * (rows.ndim - 1))

    args = (many(np.asarray(x)) if i in batched else x for i, x in enumerate(helper.args))
    return f, tuple(jnp.asarray(x, dtype) for x in args), batched


def sum_over_rows(f, args):
    """Return the collectives that f needs: one if its value has no rows, so is a sum over them."""
    return {} if ROWS in jax.eval_shape(f, *args).shape else {"all-reduce": 1}


def assert_shared(f, args, batched, kind, talks, assert_same=np.testing.assert_array_equal):
    """Eight devices give what one gives, share the work, and say no more than `talks`."""
    f = jax.jit(f)
    alone, _, whole = compiled(f, *args)
    spread = deal_out(args, batched, kind)
    program, collectives, largest = compiled(f, *spread)
    assert collectives == talks
    assert 8 * largest <= whole, "a device has an array as large as that of all together"
    for got, expected in zip(
        jax.tree.leaves(program(*spread)), jax.tree.leaves(alone(*args)), strict=True
    ):
        assert_same(got, expected)
        pieces = {shard.data.size for shard in got.addressable_shards}
        assert pieces == {got.size // 8 if ROWS in got.shape else got.size}


@pytest.mark.parametrize(
    ("dtype", "kind"), [("float32", AxisType.Auto), ("float64", AxisType.Explicit)]
)
@for_helpers()
def test_eight_devices_share_the_work_of_one(helper, dtype, kind):
    same = partial(assert_close, dtype=dtype) if helper.sums else np.testing.assert_array_equal
    with jax.enable_x64(True):
        f, args, batched = of_many_rows(helper, dtype)
        assert_shared(f, args, batched, kind, sum_over_rows(f, args), same)


@for_helpers(lambda helper: helper.batched)
def test_gradients_stay_where_their_rows_are(helper):
    f, args, batched = of_many_rows(helper, "float32")
    gradient = jax.grad(lambda *args: jnp.sum(f(*args) ** 2), batched)
    close = partial(assert_close, dtype="float32", factor=10)
    assert_shared(gradient, args, batched, AxisType.Auto, sum_over_rows(f, args), close)


def walks(keys):
    return jax.vmap(lambda key: random_walk(0.1, 1.3, key, 64))(keys)


OLD = pytest.mark.skipif(
    jax.__version_info__ < (0, 10), reason="JAX 0.8 and 0.9 draw no numbers on an explicit mesh"
)


@pytest.mark.parametrize("make_key", [jax.random.key, jax.random.PRNGKey])
@pytest.mark.parametrize("kind", [AxisType.Auto, pytest.param(AxisType.Explicit, marks=OLD)])
def test_walks_are_made_where_their_keys_are(make_key, kind):
    assert_shared(walks, (jax.random.split(make_key(0), ROWS),), (0,), kind, {})


def mean_td_loss(theta, *transitions):
    return jnp.mean(jax.vmap(td_loss, (None, 0, 0, 0, 0))(theta, *transitions))


def mean_square_of_ends(parameters, keys):
    ends = jax.vmap(lambda key: random_walk(*parameters, key, 64)[-1])(keys)
    return jnp.mean(ends**2)


def mean_height(step_size, samples):
    return jnp.mean(wavy_bowl(descend(wavy_bowl, samples, step_size, 20)))


def mean_logistic_loss(params, inputs, targets):
    return logistic_loss(params["W"], params["b"], inputs, targets) / len(inputs)


LINE = np.linspace(-2.0, 2.0, ROWS, dtype="float32")
TABLE = np.stack([LINE, np.cos(9 * LINE)], axis=1)
MANY_TRANSITIONS = TABLE, LINE, TABLE[::-1].copy(), np.cos(LINE)
MEANS = {
    "transitions": (mean_td_loss, jnp.array(VECTOR, "float32"), MANY_TRANSITIONS),
    "walks": (mean_square_of_ends, (0.1, 1.3), (jax.random.split(jax.random.key(0), ROWS),)),
    "particles": (mean_height, 0.2, (LINE,)),
    "examples": (
        mean_logistic_loss,
        {"W": jnp.array(VECTOR, "float32"), "b": 0.1},
        (TABLE, (LINE > 0).astype("float32")),
    ),
}


@pytest.mark.parametrize(("loss", "params", "batch"), MEANS.values(), ids=MEANS)
def test_the_gradient_of_a_mean_is_one_all_reduce(loss, params, batch):
    args = jax.tree.map(jnp.asarray, params), *map(jnp.asarray, batch)
    cut, copied = plans()
    spread = jax.device_put(args, (copied, *[cut] * len(batch)))
    gradient = jax.jit(jax.grad(loss))
    alone, _, whole = compiled(gradient, *args)
    program, talks, largest = compiled(gradient, *spread)
    assert talks == {"all-reduce": 1}
    assert 8 * largest <= whole
    close = partial(assert_close, dtype="float32", factor=10)
    jax.tree.map(close, program(*spread), alone(*args))


def test_the_mean_of_per_example_gradients_is_one_all_reduce():
    def mean_gradient(theta, *transitions):
        return jnp.mean(per_example_grads(td_loss)(theta, *transitions), axis=0)

    args = deal_out((VECTOR.astype("float32"), *MANY_TRANSITIONS), (1, 2, 3, 4))
    _, talks, largest = compiled(jax.jit(mean_gradient), *args)
    assert talks == {"all-reduce": 1}
    assert largest == 2 * ROWS // 8


def test_a_gather_is_seen():
    """A negative control: the same values, for which the devices exchange their rows."""

    def upside_down(x):
        return wavy_bowl(x[::-1])

    with pytest.raises(AssertionError, match=r"collective-permute|all-gather|all-to-all"):
        assert_shared(upside_down, (jnp.asarray(LINE),), (0,), AxisType.Auto, {})
    (_, copied), (x,) = plans(), deal_out((LINE,), (0,))
    _, talks, largest = compiled(jax.jit(wavy_bowl, out_shardings=copied), x)
    assert talks == {"all-gather": 1}
    assert largest == ROWS


def test_work_that_only_seems_to_be_shared_is_seen():
    """A negative control without a collective: every device draws all numbers, and keeps its own.

    With explicit axes a copied key makes copied numbers, until `out_shardings` cuts them.
    """

    def noise(key):
        return jax.random.normal(key, (ROWS,))

    largest = {}
    for kind in (AxisType.Auto, AxisType.Explicit):
        cut, copied = plans(kind)
        key = jax.device_put(jax.random.key(0), copied)
        drawn, talks, largest[kind] = compiled(jax.jit(noise, out_shardings=cut), key)
        assert talks == {}
        assert {shard.data.shape for shard in drawn(key).addressable_shards} == {(ROWS // 8,)}
    assert largest == {AxisType.Auto: ROWS // 8, AxisType.Explicit: ROWS}


def test_an_uneven_split_is_refused_by_jax_and_padding_is_the_cure():
    samples = np.linspace(-8.0, 8.0, 80_003, dtype="float32")
    cut, _ = plans()
    with pytest.raises(ValueError, match="divi") as raised:
        jax.device_put(samples, cut)
    assert "80003" in str(raised.value)
    padded = np.pad(samples, (0, -len(samples) % 8))
    ends = descend(wavy_bowl, jax.device_put(padded, cut), 0.2, 20)
    assert {shard.data.size for shard in ends.addressable_shards} == {10_001}
    np.testing.assert_array_equal(ends[: len(samples)], descend(wavy_bowl, samples, 0.2, 20))


@pytest.mark.parametrize("kind", [AxisType.Auto, AxisType.Explicit])
def test_the_checker_takes_arrays_that_lie_on_many_devices(kind):
    (x,) = deal_out((LINE,), (0,), kind)
    assert check_grads(lambda x: jnp.sum(wavy_bowl(x)), (x,)).ok
    assert not check_grads(lambda x: jnp.sum(x * jax.lax.stop_gradient(x)), (x,)).ok
