"""Temporal-difference learning, where a gradient must be stopped on purpose.

The notation is that of reinforcement learning: `s_tm1` is the state at time t − 1, `r_t` the reward
on the way to `s_t`, and `discount_t` the weight of what comes after, 0 where the episode ends.
Every function takes one transition; `jax.vmap` makes it many.
"""

from __future__ import annotations  # so that help() shows the names of the types

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike

from gradlab._arguments import call, describe, require_real, require_scalar, require_shape

ValueFunction = Callable[[Any, Any], Any]
_ONE = "one real number, and jax.vmap(...) for a batch of transitions"


def linear_value(theta: ArrayLike, state: ArrayLike) -> Array:
    """Return the value of a state that is linear in its features, v(s) = θ·s.

    Args:
        theta: Weights, `(d,)`.
        state: Features of one state, `(d,)`.

    Returns:
        Scalar of shape `()`; its gradient with respect to `theta` is `state`.

    Raises:
        TypeError: If `theta` or `state` is not an array.
        ValueError: If the two shapes are not the same `(d,)`.

    Example:
        >>> import jax.numpy as jnp
        >>> print(linear_value(jnp.array([0.5, -0.25]), jnp.array([1.0, 2.0])))
        0.0
    """
    _require_features(theta, "state", state)
    return jnp.dot(theta, state)


def td_error(
    theta: Any,
    s_tm1: Any,
    r_t: ArrayLike,
    s_t: Any,
    discount_t: ArrayLike = 1.0,
    *,
    value_fn: ValueFunction = linear_value,
) -> Array:
    """Return the temporal-difference error of one transition, the surprise in it.

        δ = r_t + discount_t · v(s_t) − v(s_tm1)

    Args:
        theta: Parameters of the value function, any pytree.
        s_tm1: State that the transition left, whatever `value_fn` takes.
        r_t: Reward received, a scalar.
        s_t: State that the transition reached.
        discount_t: Weight of the value of `s_t`, a scalar: 0 where the episode ends.
        value_fn: Function of `(theta, state)` with a scalar value.

    Returns:
        Scalar of shape `()`, in the unit of the reward.

    Raises:
        TypeError: If the reward or the discount is not a number, or `value_fn` not a function.
        ValueError: If the reward, the discount or a value is not a scalar.

    Example:
        >>> import jax.numpy as jnp
        >>> theta, s_tm1, s_t = jnp.array([0.5, 0.25]), jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
        >>> print(td_error(theta, s_tm1, 1.0, s_t), td_error(theta, s_tm1, 1.0, s_t, 0.0))
        0.75 0.5

        Values of actions: the state is then a pair, and theta has one row for each action.

        >>> def q_value(theta, state_and_action):
        ...     state, action = state_and_action
        ...     return theta[action] @ state
        >>> theta = jnp.array([[0.5, 0.25], [1.0, 0.0]])
        >>> print(td_error(theta, (s_tm1, 0), 1.0, (s_t, 1), value_fn=q_value))
        0.5

    References:
        Sutton, Learning to predict by the methods of temporal differences, 1988.
    """
    return _target(theta, r_t, s_t, discount_t, value_fn) - _value(value_fn, theta, "s_tm1", s_tm1)


def td_loss(
    theta: Any,
    s_tm1: Any,
    r_t: ArrayLike,
    s_t: Any,
    discount_t: ArrayLike = 1.0,
    *,
    value_fn: ValueFunction = linear_value,
    stop_target: bool = True,
) -> Array:
    """Return the squared temporal-difference error δ² of one transition, to be differentiated.

    With `stop_target=True` the target r_t + discount_t · v(s_t) counts as a constant, and the
    gradient with respect to `theta` is the semi-gradient of TD(0), −2 δ ∇v(s_tm1). There is no
    factor ½ in the loss: the textbook's update, θ ← θ + α δ ∇v(s_tm1), is a step of −½ α times
    this gradient.
    With `stop_target=False` the target is differentiated too, which gives the naive residual
    gradient, −2 δ (∇v(s_tm1) − discount_t ∇v(s_t)).

    Args:
        theta: Parameters of the value function, any pytree.
        s_tm1: State that the transition left, whatever `value_fn` takes.
        r_t: Reward received, a scalar.
        s_t: State that the transition reached.
        discount_t: Weight of the value of `s_t`, a scalar: 0 where the episode ends.
        value_fn: Function of `(theta, state)` with a scalar value.
        stop_target: Whether the target is a constant for the gradient. A Python bool.

    Returns:
        Scalar of shape `()`, in the square of the reward's unit. The same for both `stop_target`.

    Raises:
        TypeError: If the reward or the discount is not a number, `value_fn` not a function, or
            `stop_target` not a Python bool.
        ValueError: If the reward, the discount or a value is not a scalar.

    Example:
        >>> import jax, jax.numpy as jnp
        >>> theta, s_tm1, s_t = jnp.array([0.5, 0.25]), jnp.array([1.0, 2.0]), jnp.array([2.0, 1.0])
        >>> print(jax.grad(td_loss)(theta, s_tm1, 1.0, s_t))  # −2 · 1.25 · s_tm1
        [-2.5 -5. ]
        >>> print(jax.grad(lambda *args: td_loss(*args, stop_target=False))(theta, s_tm1, 1.0, s_t))
        [ 2.5 -2.5]

        Q-learning with a target network: theta learns, and older parameters say what comes after.
        The largest of the values is the target, a constant that takes the place of the reward,
        with the discount 0.

        >>> def q_values(theta, state):
        ...     return theta @ state  # one value for each action
        >>> def q_loss(theta, older, s_tm1, action, r_t, s_t, discount_t):
        ...     target = r_t + discount_t * jnp.max(q_values(older, s_t))
        ...     value_fn = lambda theta, state: q_values(theta, state)[action]
        ...     return td_loss(theta, s_tm1, target, s_t, 0.0, value_fn=value_fn)
        >>> older = jnp.array([[0.5, 0.25], [1.0, 0.5]])
        >>> print(jax.grad(q_loss)(older, older, s_tm1, 0, 1.0, s_t, 0.5))
        [[-2.5 -5. ]
         [ 0.   0. ]]

    References:
        Sutton and Barto, Reinforcement Learning, 2nd ed. 2018, §9.3 (semi-gradient) and §11.2.
        Baird, Residual algorithms, ICML 1995 (residual gradient).
    """
    if not isinstance(stop_target, bool):
        raise TypeError(
            f"stop_target: got {describe(stop_target)}, expected True or False, known when the "
            "function is traced; write functools.partial(td_loss, stop_target=False) under jit"
        )
    target = _target(theta, r_t, s_t, discount_t, value_fn)
    if stop_target:
        target = jax.lax.stop_gradient(target)
    return (target - _value(value_fn, theta, "s_tm1", s_tm1)) ** 2


def _target(theta: Any, r_t: Any, s_t: Any, discount_t: Any, value_fn: ValueFunction) -> Array:
    require_scalar("r_t", r_t, _ONE)
    require_scalar("discount_t", discount_t, _ONE)
    return r_t + discount_t * _value(value_fn, theta, "s_t", s_t)


def _value(value_fn: ValueFunction, theta: Any, name: str, state: Any) -> Array:
    if value_fn is linear_value:  # so that the message says which state it is
        _require_features(theta, name, state)
    value = call("value_fn", value_fn, theta, state, write="a function of (theta, state)")
    require_scalar("value_fn: the value it returned", value, _ONE)
    return value


def _require_features(theta: Any, name: str, state: Any) -> None:
    require_real("theta", theta, "jnp.array([0.1, -0.1]), or value_fn=... for other parameters")
    require_shape("theta", theta, "theta.reshape(-1), one weight for each feature", ("d",))
    require_real(name, state, "jnp.array([1., 2.])")
    write = "as many features as theta has weights, and jax.vmap(...) for a batch of states"
    require_shape(name, state, write, jnp.shape(theta))
