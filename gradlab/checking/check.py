"""Check gradients: take arguments apart, lift, differentiate, search, report."""

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gradlab.checking.coordinates import COMPLEX, Coordinates, apart
from gradlab.checking.ladder import make_bases
from gradlab.checking.lifting import EPS64, Traced, settings, trace
from gradlab.checking.limits import Floats
from gradlab.checking.programs import Programs
from gradlab.checking.report import GradientReport
from gradlab.checking.search import PROJECTIONS, Derivatives, Subject, search

MOST_ROWS = 16
MOST_JACOBIAN = 2**18  # entries of all rows' gradients together
MATERIAL = 2e-5


def check_grads(f, args, *, argnums=None, grad=None, order=1, modes=("fwd", "rev"), has_aux=False, key=None):
    call = (lambda *a: f(*a)[0]) if has_aux else f
    coordinates, reals, carried = apart(args, argnums)
    if not coordinates.moving:
        raise TypeError("args: nothing differentiable")
    try:
        traced = trace(call, coordinates, reals, carried, lift=True)
        lifted = _run(traced, coordinates, reals, carried, modes)
    except Exception as error:
        traced = trace(call, coordinates, reals, carried, lift=False)
        lifted = _run(traced, coordinates, reals, carried, modes)
    return GradientReport(lifted)


def _run(traced, coordinates, reals, carried, modes):
    x = traced.lift(reals)
    carried = traced.lift(carried)
    starts, s = [], 0
    for r in reals:
        starts.append(s); s += r.size
    programs = Programs(traced, starts)
    flat = np.concatenate([np.asarray(r, np.float64).reshape(-1) for r in reals])
    leaf_of = np.concatenate([np.full(l.stop - l.start, i) for i, l in enumerate(coordinates.moving)]).astype(int)
    seeds = [zlib.crc32(l.path.encode()) for l in coordinates.moving]
    bases = make_bases(flat, leaf_of, seeds, PROJECTIONS)
    leaf_bases = []
    for r, st in zip(x, starts):
        leaf_bases.append(bases[:, st:st + r.size].reshape(len(bases), *r.shape).astype(r.dtype))
    for r, st, b in zip(x, starts, leaf_bases):
        bases[:, st:st+r.size] = np.asarray(b, np.float64).reshape(len(bases), -1)
    rows, group = _rows(traced.outputs, len(flat), traced)
    ders = []
    size = None
    gradients = None
    errors = {}
    if "rev" in modes:
        try:
            value, size, gradients = programs.pull(x, carried, rows)
            G = np.concatenate([g.reshape(len(value), -1) for g in gradients], axis=1)
            ders.append(Derivatives("rev", G, None))
        except Exception as e:
            errors["rev"] = e
    J = len(group)
    if "fwd" in modes:
        try:
            from gradlab.checking.ladder import Direction
            def along(directions):
                return programs.push(x, carried, rows, leaf_bases, directions)
            along([Direction(0, 0, 1)])
            ders.append(Derivatives("fwd", None, along))
        except Exception as e:
            errors["fwd"] = e
    if not ders:
        raise next(iter(errors.values()))
    def evaluate(directions, which, steps):
        return programs.values(x, carried, leaf_bases, rows, directions, which, steps)
    if size is None:
        from gradlab.checking.ladder import Direction
        size = np.abs(evaluate([Direction(0,0,1)], np.zeros(1,int), np.zeros(1)))[0]
    bulk = np.array([np.max(np.where(np.isfinite(size[group == g]), size[group==g], 0)) for g in group])
    user_eps = max(float(jnp.finfo(r.dtype).eps) for r in reals)
    material = max(np.sqrt(traced.eps), min(np.sqrt(user_eps), MATERIAL))
    subject = Subject(coordinates.moving, flat, bases, evaluate, ders, size, bulk, group,
        point_eps=traced.eps, eps=traced.eps, user_eps=max(user_eps, traced.eps), material=float(material), rounds=traced.rounds, lifted=traced.lifted and traced.eps < 1e-10)
    return search(subject)


def _rows(outputs, coordinates, traced):
    total = sum(size for _, size in outputs)
    group = np.concatenate([np.full(size, i) for i, (_, size) in enumerate(outputs)])
    most = max(1, min(MOST_ROWS, MOST_JACOBIAN // max(coordinates, total)))
    if total <= most:
        return None, group
    most = max(most, len(outputs))
    generator = np.random.default_rng(0)
    weights = (1 - 2.0 * generator.integers(0, 2, total)) * generator.uniform(0.5, 1, total)
    row_of, owner, start = np.empty(total, int), [], 0
    for i, (_, size) in enumerate(outputs):
        share = min(size, max(1, int(most * size / total)))
        row_of[start:start+size] = len(owner) + generator.permutation(size) % share
        owner += [i] * share
        start += size
    rows = np.zeros((len(owner), total), np.float64 if traced.lifted else np.float32)
    rows[row_of, np.arange(total)] = weights
    return rows, np.array(owner)
