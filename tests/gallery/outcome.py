"""What gradlab said of a case, and what is wrong with that."""

import linecache
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradlab
from gallery.case import Case, precision

EXPECTED = {
    "right": ("agree",),
    "wrong": ("wrong",),
    "none": ("cannot tell",),
    "unusable": ("wrong", "cannot tell"),
}
LINE = re.compile(r"(\S+\.py):(\d+)")


@dataclass(frozen=True)
class Outcome:
    """What was said of a case in a dtype.

    Attributes:
        verdict: Of the whole report, or `crash`.
        faults: What is wrong with the report, one sentence each; none if all is well.
        weak: Whether the verdict is tolerated and not the best one.
        cause: Of the worst leaf, or what was raised.
        report: As printed.
    """

    verdict: str
    faults: tuple[str, ...]
    weak: bool = False
    cause: str = ""
    report: str = ""


def options(case: Case) -> dict[str, Any]:
    """Return what the checker is given beside f and its arguments."""
    asked = {} if case.asked_modes is None else {"modes": case.asked_modes}
    return {
        "argnums": case.argnums,
        "grad": case.grad,
        "order": case.order,
        "has_aux": case.has_aux,
        **asked,
    }


def outcome(case: Case, dtype: str) -> Outcome:
    """Check a case as its user would, with warnings as errors."""
    try:
        with warnings.catch_warnings(), precision(dtype):
            warnings.simplefilter("error")
            arguments = case.arguments(dtype)
            report = gradlab.check_grads(case.f, arguments, **options(case))
            text, leaf = str(report), report.worst_first()[0]
            faults = _faults(case, report.verdict, text, getattr(leaf, "where", ""))
            if case.of_leaves and tuple(x.verdict for x in report.leaves) != case.of_leaves:
                faults += (f"leaves called {[x.verdict for x in report.leaves]}",)
            if case.passes is not None:
                faults += _assertion(case, arguments)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        return Outcome("crash", (f"crash: {said}"[:200],), cause=said)
    weak = report.verdict in case.tolerated and report.verdict not in EXPECTED[case.kind]
    return Outcome(report.verdict, faults, weak, leaf.cause, text)


def _faults(case: Case, verdict: str, text: str, where: str) -> tuple[str, ...]:
    faults, flat = [], " ".join(text.split())
    even = ("agree",) if case.sides_agree else ()
    expected = (*EXPECTED[case.kind], *case.tolerated, *even)
    if verdict not in expected:
        faults.append(f"{case.kind} called {verdict}")
    faults += [f"does not say {words}" for words in case.says if not _has(flat, words)]
    first = " ".join(text.partition("\n\n")[0].split())
    faults += [f"no headline of {words}" for words in case.headline if not _has(first, words)]
    faults += [f"says {words}" for words in case.never_says if _has(flat, words)]
    if case.where and case.where not in source_line(where):
        faults.append(f"names the line {where or 'of nothing'}, not that of {case.where!r}")
    return tuple(faults)


def _has(text: str, words: str) -> bool:
    return any(re.search(rf"\b{re.escape(word)}", text) for word in words.split("|"))


def source_line(where: str) -> str:
    """Return the line of source that `LeafReport.where` names, or nothing."""
    found = LINE.search(where)
    return linecache.getline(found[1], int(found[2])) if found else ""


def _assertion(case: Case, arguments: tuple[Any, ...]) -> tuple[str, ...]:
    try:
        gradlab.assert_grads(case.f, arguments, **options(case))
    except AssertionError:
        return ("assert_grads raises",) if case.passes else ()
    return () if case.passes else ("assert_grads passes",)


def truth(case: Case, dtype: str) -> str:
    """Return the first elements of the closed form, for a table."""
    if case.closed is None:
        return "see f"
    with precision(dtype):
        leaves = case.closed(*case.arguments(dtype))
    elements = np.concatenate([np.ravel(leaf) for leaf in leaves])
    return ", ".join(f"{v:.5g}" for v in elements[:3]) + (", …" if elements.size > 3 else "")
