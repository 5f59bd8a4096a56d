"""Run checkers of gradients over the whole gallery and print one table of what they said.

    python tests/benchmarks/gallery_table.py [--only NAME ...] [--kind KIND] [--ours]

Ours is `gradlab.check_grads`. Beside it, at their defaults, `jax.test_util.check_grads` (which
raises, or does not) and `scipy.optimize.check_grad` (which returns |AD − FD| and leaves it to its
caller what is small: here a thousandth of |AD|, or 1e-6). Both are given only what they can
take: the floating leaves, the modes that JAX has for the function, and, SciPy, one real number.
"""

import argparse
import importlib
import sys
import time
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from gallery import CASES, Case, precision
from gallery.reference import by_ad, leaves_of, scalar

VERDICTS = ("agree", "wrong", "cannot tell", "not run", "crash")
SCIPY_ELEMENTS = 300  # one Python call each


def ours() -> Callable[[Case, str], str]:
    """Return gradlab's verdict as a function, or raise ImportError where there is none yet."""
    import gradlab

    try:
        check_grads = vars(gradlab)["check_grads"]
    except KeyError:  # not yet among the public names
        check_grads = vars(importlib.import_module("gradlab.checking"))["check_grads"]

    def verdict(case: Case, dtype: str) -> str:
        with precision(dtype):
            before = jnp.result_type(float)
            report = check_grads(
                case.f,
                case.arguments(dtype),
                argnums=case.argnums,
                grad=case.grad,
                order=case.order,
                has_aux=case.has_aux,
            )
            if jnp.result_type(float) != before:
                raise RuntimeError("check_grads left jax_enable_x64 changed")
            str(report)
            return str(report.verdict)

    return verdict


def jax_verdict(case: Case, dtype: str) -> str:
    """Return what `jax.test_util.check_grads` says."""
    from jax.test_util import check_grads

    with precision(dtype):
        args = case.arguments(dtype)
        leaves, put = leaves_of(args, case.argnums)

        def f(*leaves: Any) -> list[Any]:
            # The rival calls f with NumPy arrays too, which have no `.at`.
            value = case.f(*put([jnp.asarray(leaf) for leaf in leaves]))
            value = jax.tree.leaves(value[0] if case.has_aux else value)
            return [v for v in value if jnp.issubdtype(jnp.result_type(v), jnp.inexact)]

        if case.grad is not None:
            f = _with_gradient(case, f, put)
        modes = ("rev",) if case.grad is not None else case.modes
        try:
            check_grads(f, leaves, case.order, modes=modes)
        except AssertionError:
            return "wrong"
        return "agree"


def _with_gradient(case: Case, f: Callable[..., Any], put: Any) -> Callable[..., Any]:
    """Return f with the case's gradient by hand as its reverse rule."""
    ruled = jax.custom_vjp(f)

    def backward(leaves: Any, cotangent: Any) -> Any:
        assert case.grad is not None
        gradient = jax.tree.leaves(case.grad(*put(list(leaves))))
        return tuple(cotangent[0] * g for g in gradient)

    ruled.defvjp(lambda *leaves: (f(*leaves), leaves), backward)
    return ruled


def scipy_verdict(case: Case, dtype: str) -> str:
    """Return what the number that `scipy.optimize.check_grad` returns would be taken for."""
    from scipy.optimize import check_grad

    if case.order == 2:
        return "not run"
    with precision(dtype):
        args = case.arguments(dtype)
        phi, leaves = scalar(case, case.f, args)
        if any(jnp.iscomplexobj(leaf) for leaf in leaves):
            return "not run"
        if sum(leaf.size for leaf in leaves) > SCIPY_ELEMENTS:
            return "not run"
        gradient = by_ad(case, args, "rev" if "rev" in case.modes else "fwd")
        flat = np.concatenate([np.ravel(g).astype(np.float64) for g in gradient])
        start = np.concatenate([np.ravel(x).astype(np.float64) for x in leaves])
        splits = np.cumsum([leaf.size for leaf in leaves])[:-1]
        run = phi if case.python else jax.jit(phi)

        def value(x: Any) -> float:
            parts = np.split(np.asarray(x), splits)
            pairs = zip(parts, leaves, strict=True)
            return float(run([jnp.asarray(p.reshape(x.shape), x.dtype) for p, x in pairs]))

        error = check_grad(value, lambda x: flat, start)
    return "agree" if error <= max(1e-6, 1e-3 * float(np.linalg.norm(flat))) else "wrong"


def mistaken(case: Case, verdict: str) -> bool:
    """Tell whether a verdict is worse than "cannot tell" where something could be told."""
    if case.kind == "right":
        return verdict != "agree"
    if case.kind == "wrong":
        return verdict != "wrong"
    return verdict in ("crash", "agree") and not (case.sides_agree and verdict == "agree")


def main() -> None:
    """Run the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", help="names of cases, or how they begin")
    parser.add_argument("--kind", choices=("right", "wrong", "none"))
    parser.add_argument("--ours", action="store_true", help="leave the rivals out")
    parser.add_argument("--explain", action="store_true", help="print tracebacks of crashes")
    options = parser.parse_args()
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")

    checkers: dict[str, Callable[[Case, str], str]] = {}
    try:
        checkers["gradlab"] = ours()
    except ImportError:
        print("gradlab.check_grads does not exist yet: the rivals alone")
    if not options.ours:
        checkers |= {"jax.test_util": jax_verdict, "scipy": scipy_verdict}

    chosen = [
        case
        for case in CASES
        if (not options.only or any(case.name.startswith(name) for name in options.only))
        and (not options.kind or case.kind == options.kind)
    ]
    counts: dict[Any, Counter[str]] = defaultdict(Counter)
    seconds: dict[str, float] = defaultdict(float)
    for number, case in enumerate(chosen):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(chosen)} {case.name:40s}", end="", file=sys.stderr)
        for dtype in case.dtypes:
            for name, checker in checkers.items():
                begun = time.perf_counter()
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("error" if name == "gradlab" else "ignore")
                        verdict, reason = checker(case, dtype), ""
                except Exception as error:
                    verdict, reason = "crash", f": {type(error).__name__}: {error}"[:150]
                    if options.explain and name == "gradlab":
                        traceback.print_exc()
                spent = time.perf_counter() - begun
                seconds[name] += spent
                counts[name, dtype][f"{case.kind} {verdict}"] += 1
                if name == "gradlab" and mistaken(case, verdict):
                    print(f"{case.kind:5s} called {verdict:11s} {dtype:8s} {case.name}{reason}")
                if name == "gradlab" and spent > 20:
                    print(f"{spent:.0f} s for {dtype} {case.name}")
                sys.stdout.flush()
    _print_table(counts, seconds)


def _print_table(counts: dict[Any, Counter[str]], seconds: dict[str, float]) -> None:
    kinds = ("right", "wrong", "none")
    print("\nagree / wrong / cannot tell (not run, crash)")
    print(f"{'checker':14s} {'dtype':9s}" + "".join(f" {kind:>26s}" for kind in kinds))
    for (name, dtype), count in sorted(counts.items()):
        cells = []
        for kind in kinds:
            agree, wrong, unknown, skipped, crash = (count[f"{kind} {v}"] for v in VERDICTS)
            cells.append(f"{agree}/{wrong}/{unknown} ({skipped}, {crash})")
        print(f"{name:14s} {dtype:9s}" + "".join(f" {cell:>26s}" for cell in cells))
    for name, total in seconds.items():
        print(f"{name}: {total:.0f} s, compilation included")
    for dtype in ("float32", "float64"):
        print(_summary(counts["gradlab", dtype], dtype))


def _summary(count: Counter[str], dtype: str) -> str:
    """Return gradlab's counts in one line, to be compared between two versions."""
    right, wrong, none = (
        [count[f"{kind} {v}"] for v in ("agree", "wrong", "cannot tell", "crash")]
        for kind in ("right", "wrong", "none")
    )
    caught, all_wrong = wrong[1], sum(wrong)
    crashes = right.pop() + wrong.pop() + none.pop()
    return (
        f"{dtype}: right {'/'.join(map(str, right))} (agree/wrong/cannot tell), "
        f"wrong {caught} of {all_wrong} caught, no gradient {'/'.join(map(str, none))}, "
        f"crashes {crashes}"
    )


if __name__ == "__main__":
    main()
