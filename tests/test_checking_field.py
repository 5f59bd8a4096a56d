"""The classes of the field, some members of each, and how every report of them is written.

`python -m benchmarks.field_table` runs all members.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from gallery.case import Case
from gallery.field import FAMILIES
from gallery.outcome import outcome, source_line

from gradlab import check_grads

DECIDED = ("field_edge_4_5",)  # without these a constant would have another value
SHOWN = 1  # of the right members of a family, and of its twins
X = np.array([0.5, 1.25, -2.0], np.float32)


def some() -> Iterator[Any]:
    """Yield a few cases of each family."""
    for family in FAMILIES:
        twins = [case for case in family.cases if case.kind == "wrong"]
        others = [case for case in family.cases if case.kind != "wrong"]
        decided = [case for case in others[SHOWN:] if case.name in DECIDED]
        for case in (*others[:SHOWN], *twins[:SHOWN], *decided):
            yield pytest.param(case, id=f"{family.section}-{case.name}")


@pytest.mark.parametrize("case", list(some()))
def test_a_member_of_the_field_gets_its_verdict(case: Case) -> None:
    found = outcome(case, case.dtypes[0])
    assert found.faults == (), found.report
    assert misprints(found.report) == []


def misprints(report: str) -> list[str]:
    """Return what is badly written in a report: cut words, odd brackets, things said twice."""
    flat = " ".join(report.split())
    found = [f"line of {len(line)}" for line in report.splitlines() if len(line) > 100]
    found += ["open bracket"] * (flat.count("(") != flat.count(")"))
    found += ["open backtick"] * (flat.count("`") % 2)
    odd = r"\b1 (other ways|more elements|elements|leaves|directions)\b"
    found += re.findall(odd, flat)
    checked = flat.partition("checked: ")[2].split("; ")
    found += [f"twice: {said}" for said in {s for s in checked if checked.count(s) > 1}]
    for paragraph in paragraphs(report):
        if not re.search(r"[\w)`'’\]%.!?*=]$", paragraph):
            found.append(f"ends with {paragraph.split()[-1]!r}")
    return found


def paragraphs(report: str) -> list[str]:
    """Return each reason and each hint of a report, in one line."""
    found: list[str] = []
    inside = False
    for line in report.splitlines():
        begins = line.strip().startswith(("why:", "hint:"))
        inside = begins or (inside and line.startswith(" " * 8))
        if begins:
            found.append(line.strip())
        elif inside:
            found[-1] += " " + line.strip()
    return found


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("why: AD (equal to\n\nchecked: a", "open bracket"),
        ("why: `dtyp\n\nchecked: a", "open backtick"),
        ("checked: every element; every element", "twice: every element"),
        ("checked: a; and 1 other ways", "other ways"),
        ("why: AD is the slope,\n\nchecked: a", "ends with 'slope,'"),
    ],
)
def test_misprints_are_seen(report: str, said: str) -> None:
    assert said in misprints(report)


# Causes and words.


def words_of(report: Any) -> str:
    """Return the printed report in one line, without misprints."""
    assert misprints(str(report)) == []
    return " ".join(str(report).split())


def callback(f: Any, x: Any) -> Any:
    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return jax.pure_callback(lambda v: f(np.asarray(v)), shape, x, vmap_method="expand_dims")


@jax.custom_jvp
def outside_sine(x: Any) -> Any:  # marked: outside
    return callback(np.sin, x)


@outside_sine.defjvp  # marked: outside
def outside_sine_rule(primals: Any, tangents: Any) -> Any:  # marked: outside
    return outside_sine(*primals), 1.5 * jnp.cos(primals[0]) * tangents[0]  # marked: outside


def test_the_only_rule_is_named_also_over_a_callback() -> None:
    report = check_grads(lambda x: jnp.sum(outside_sine(x)), (X,))  # marked: outside
    assert report.verdict == "wrong"
    assert "outside_sine" in words_of(report)
    assert "# marked: outside" in source_line(report.leaves[0].where)


def test_where_is_empty_without_a_cause_and_a_column_of_the_table() -> None:
    right = check_grads(jnp.sin, (0.5,))
    assert right.leaves[0].where == ""
    assert "where" in right.to_frame().columns
    wrong = check_grads(lambda x: x * jax.lax.stop_gradient(x), (0.5,))
    file, _, line = wrong.leaves[0].where.rpartition(":")
    assert file.endswith("test_checking_field.py")
    assert line.isdigit()
    assert f"test_checking_field.py:{line}" in words_of(wrong)


Z = np.array([1 + 4j, 0.5 - 2j, -1 + 0.25j], np.complex64)
squared_length = lambda z: jnp.sum(z.real**2 + 2 * z.imag**2)  # noqa: E731


def test_a_complex_gradient_is_shown_as_jax_returns_it() -> None:
    gradient = jax.grad(squared_length)
    report = check_grads(squared_length, (Z,), grad=lambda z: 1.1 * gradient(z))
    (leaf,) = report.leaves
    assert report.verdict == "wrong"
    true = complex(gradient(Z)[leaf.index])
    part = {"real": lambda v: v.real, "imag": lambda v: v.imag}.get(leaf.part, lambda v: v)
    assert leaf.ad == pytest.approx(part(1.1 * true), rel=1e-5)
    assert leaf.fd == pytest.approx(part(true), rel=1e-3)


@pytest.mark.parametrize(
    "f", [squared_length, lambda z: jnp.real(jnp.sum(z**3)), lambda z: jnp.abs(jnp.sum(z)) ** 2]
)
def test_a_conjugated_gradient_is_called_conjugated(f: Any) -> None:
    report = check_grads(f, (Z,), grad=lambda z: jnp.conj(jax.grad(f)(z)))
    assert report.verdict == "wrong"
    said = words_of(report)
    assert "conjugate" in said
    assert "sign is wrong" not in said
    assert not re.search(r"[\d½] times", said)


@pytest.mark.parametrize("wrong", [1, 2, 3])
@pytest.mark.parametrize("x", [X, Z], ids=["real", "complex"])
def test_the_number_of_wrong_elements_is_right(wrong: int, x: Any) -> None:
    f = lambda x: jnp.sum(jnp.real(x * jnp.conj(x)))  # noqa: E731
    factors = np.array([1.5, 1.25, 1.125], np.float32)[:wrong]
    scale = np.append(factors, np.ones(3 - wrong, np.float32))
    with jax.numpy_dtype_promotion("standard"):
        said = words_of(check_grads(f, (x,), grad=lambda x: scale * jax.grad(f)(x)))
    more = re.search(r"in (\d+) more of (\d+) elements", said)
    assert (int(more[1]), int(more[2])) == (wrong - 1, 3) if more else wrong == 1, said


def shown(report: Any) -> str:
    """Return the row of the first argument as it is printed."""
    return next(line for line in str(report).splitlines() if "[0]" in line)


@pytest.mark.parametrize(
    ("f", "x"),
    [(jnp.floor, 1.0), (jnp.sign, 0.0), (lambda x: jnp.where(x >= 2, x + 1, x), 2.0),
     (jnp.sqrt, 0.0), (lambda x: jnp.sum(jnp.cbrt(x)), 0.0)],
)  # fmt: skip
def test_a_jump_or_an_infinite_slope_is_not_printed_as_a_number(f: Any, x: float) -> None:
    report = check_grads(f, (x,))
    (leaf,) = report.leaves
    assert report.verdict != "agree"
    assert not re.search(r"\de\+\d|\d{4,}", shown(report) + leaf.cause)
    assert not (math.isfinite(leaf.fd) and abs(leaf.fd) > 100)


@pytest.mark.parametrize("library", [np.sin, math.sin], ids=["numpy", "math"])
def test_numpy_in_f_is_told_to_use_jax(library: Any) -> None:
    try:
        said = words_of(check_grads(lambda x: library(x) ** 2, (0.5,)))
    except TypeError as error:
        said = str(error)
    assert "jax.numpy" in said
    assert "custom_jvp" not in said


def test_a_norm_at_zero_is_told_its_cure() -> None:
    said = words_of(check_grads(jnp.linalg.norm, (np.zeros(3, np.float32),)))
    assert "jnp.sum(x**2)" in said or "`where`" in said


def test_a_where_is_mentioned_only_if_there_is_one() -> None:
    plain = check_grads(lambda x: jnp.sum(jnp.sqrt(jnp.sum(x**2))), (np.zeros(3, np.float32),))
    assert not re.search(r"(a|the) `where` (hides|drops|masks)", words_of(plain))
    masked = lambda x: jnp.sum(jnp.where(x == 0, 1, jnp.sin(x) / x))  # noqa: E731
    report = check_grads(masked, (np.array([0.0, 1.0], np.float32),))
    assert "where" in words_of(report)


def test_what_is_of_reverse_mode_is_not_called_forward() -> None:
    f = lambda x: ((x * 1e-30) * 1e20) * 1e20  # noqa: E731 - backwards: 1e20 · 1e20 overflows
    assert math.isinf(jax.grad(f)(0.5))
    report = check_grads(f, (np.float32(0.5),))
    assert report.verdict != "agree"
    assert report.worst_first()[0].mode == "rev"
    assert "forward" not in shown(report)


def normalised_rows(x: Any, mask: Any) -> Any:
    """Return the largest of rows that are divided by their masked sums."""
    masked = jnp.where(mask, x, 0)
    return jnp.max(masked / jnp.sum(masked, axis=1, keepdims=True))


def test_a_derivative_that_only_compiling_changes_is_said_to_be_that() -> None:
    x, mask = (
        np.linspace(0.2, 2, 6, dtype=np.float32).reshape(2, 3),
        np.eye(2, 3, dtype=bool) ^ True,
    )

    def f(x: Any) -> Any:
        return jnp.sum(normalised_rows(x, mask))

    eager, compiled = jax.grad(f)(x), jax.jit(jax.grad(f))(x)
    report = check_grads(f, (x,))
    if np.allclose(eager, compiled, rtol=1e-3):
        assert report.verdict == "agree"
    else:
        assert "compile" in words_of(report)


def test_reports_compare_and_hash() -> None:
    f = lambda x: jnp.sum(x * jax.lax.stop_gradient(x))  # noqa: E731
    one, same, other = check_grads(f, (X,)), check_grads(f, (X,)), check_grads(jnp.sin, (0.5,))
    assert one == same
    assert one != other
    assert len({one, same, other}) == 2
