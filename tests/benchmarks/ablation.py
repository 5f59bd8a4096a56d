"""What each rule and each constant of the verdict is for: which cases change without it.

    make benchmark ARGS="--only ablation"

Every case is made ready once. What the search asks of its programs is remembered, and the search
runs again for every part that is taken out, which costs milliseconds. Parts are found in the source
itself, so that the table cannot become older than the code: an operand of `&`, `|`, `and`, `or` and
`fmax`, a statement that says a verdict, a branch, a power that Richardson's extrapolation cancels,
and every named number, halved and doubled. Whole steps are listed in `STEPS`.
"""

import ast
import contextlib
import copy
import dataclasses
import datetime
import functools
import inspect
import multiprocessing
import sys
import textwrap
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from gallery import CASES, Case, precision
from gallery.case import FLOATS
from gallery.field import FAMILIES
from gallery.outcome import options

from gradlab.checking import (
    check,
    intervals,
    judge,
    leaves,
    questions,
    search,
    stairs,
    subject,
)
from gradlab.checking.leaf_report import Why
from gradlab.checking.preparation import prepare
from gradlab.checking.subject import Subject

WORKERS = 2
EVERY = 3  # of the gallery, one case of so many
MEMBERS = 2  # of each family of the field, with their twins
ENOUGH = 4  # cases that change in a share: then a part is not taken out again
LARGE = 300  # elements: with more, only what the search does is taken out
DEAR = ("subject.RUNS", "subject.SIGNS", "subject.FAR")  # compiled anew: for the field alone
SHOWN = 3  # names of cases in a row of the table
MODULES = (intervals, judge, stairs, questions, search, subject, leaves)
FUNCTIONS: tuple[tuple[Any, str], ...] = (
    (intervals, "Values.sigma"), (intervals, "Values.with_noise"), (intervals, "Values.rounding"),
    (intervals, "Values.flat_width"), (intervals, "Values.typical_slope"),
    (intervals, "Values.sides"), (intervals, "noise"), (intervals, "limit"),
    (intervals, "_remaining"), (judge, "judge"), (judge, "_judge"), (stairs, "stairs"),
    (stairs, "confirmed"), (stairs, "with_stairs"), (questions, "_judge"), (questions, "_answer"),
    (questions, "_compare"), (search, "search"), (search, "_from_projection"),
    (search, "_settled"), (search, "_one_by_one"), (search, "_unless_a_tie"),
    (search, "_with_blind_spot"), (search, "_by_halves"), (subject, "Subject.rounding"),
    (subject, "_spread"), (subject, "Subject.sharp"), (leaves, "_lost_in_own_dtype"),
)  # fmt: skip
# Whole steps: where, what stands there, what takes its place.
STEPS: dict[str, tuple[Any, str, str, str]] = {
    "no look for steps nearby": (
        questions, "_answer",
        "return with_stairs(values, answers, claims, found), found", "return answers, found",
    ),
    "steps nearby are believed unseen": (
        stairs, "confirmed", "if not len(suspects):", "if True:",
    ),
    "the largest tenth is noise, too": (intervals, "noise", "np.ceil(0.9 * ", "np.ceil("),
    "modes are not compared": (
        questions, "_compare", "if not np.any(differ):", "if True:",
    ),
    "slopes of elements need not add up": (
        search, "_unless_a_tie",
        "if not abs(fd - total) > half + room + RESOLUTION * size:", "if True:",
    ),
    "nobody looks at the user's own dtype": (
        leaves, "_lost_in_own_dtype",
        "own, found = slice(leaf.start, leaf.stop), None", "return None, None",
    ),
}  # fmt: skip

Patch = tuple[Any, str, Any]  # an owner, a name in it, and what stands there for a while
Told = tuple[tuple[str, str, str], ...]  # path, verdict and cause of every leaf


@dataclasses.dataclass(frozen=True)
class Part:
    """One rule or constant: where it stands, what happens to it, and how that is done.

    `probed` tells whether a probe shows in which cases it could change something.
    """

    where: str
    what: str
    patches: tuple[Patch, ...]
    probed: bool = False

    def __str__(self) -> str:
        """Name it in a line."""
        return " ".join(f"{self.where}: {self.what}".split())


def holders(module: Any, name: str) -> list[Any]:
    """Return the checker's modules in which a name of a module stands."""
    found = vars(module)[name]
    ours = (m for key, m in sys.modules.items() if key.startswith("gradlab.checking."))
    return [m for m in ours if vars(m).get(name) is found]


def defined(module: Any, name: str) -> Any:
    """Return a function of a module, or of a class in it, without its decorators."""
    found: Any = module
    for part in name.split("."):
        found = vars(found)[part]
    return getattr(found, "func", None) or getattr(found, "fget", None) or found


def source(module: Any, name: str) -> str:
    """Return the text of a function."""
    return textwrap.dedent(inspect.getsource(defined(module, name)))


def replaced(module: Any, name: str, text: str) -> tuple[Patch, ...]:
    """Return what puts a function of another text in the place of one."""
    space: dict[str, Any] = {}
    exec(compile(text, f"<{module.__name__}.{name}>", "exec"), vars(module), space)
    owner, _, last = name.rpartition(".")
    new = space[last]
    if not owner:
        return tuple((m, last, new) for m in holders(module, last))
    if isinstance(new, functools.cached_property):
        new.__set_name__(vars(module)[owner], last)
    return ((vars(module)[owner], last, new),)


@contextlib.contextmanager
def patched(part: Part) -> Iterator[None]:
    """Take a part out, for a while."""
    before = [(owner, name, vars(owner)[name]) for owner, name, _ in part.patches]
    try:
        for owner, name, new in part.patches:
            setattr(owner, name, new)
        yield
    finally:
        for owner, name, old in before:
            setattr(owner, name, old)


def parts() -> tuple[list[Part], Part]:
    """Find every rule and every constant; and the functions with a probe before each statement.

    A probe computes a statement as it is and as it would be without a part of it. A part that made
    no difference to any statement cannot change a verdict, and need not be taken out to see that.
    """
    found = []
    for what, (module, name, old, new) in STEPS.items():
        text = source(module, name)
        assert text.count(old) == 1, f"{what}: {old!r} is not in {name} once"
        patches = replaced(module, name, text.replace(old, new))
        found.append(Part(f"{short(module)}.{name}", what, patches))
    probes: dict[tuple[Any, str], list[tuple[int, int, ast.stmt]]] = {}
    for module, name in FUNCTIONS:
        text = source(module, name)
        for k, (_, _, what) in enumerate(places(ast.parse(text))):
            tree = ast.parse(text)
            statements = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
            node, other, _ = places(tree)[k]
            number = next(i for i, s in reversed([*enumerate(statements)]) if holds(s, node))
            statement = Instead(node, other).visit(statements[number])
            tree = tree if statement is statements[number] else Instead(node, other).visit(tree)
            patches = replaced(module, name, ast.unparse(ast.fix_missing_locations(tree)))
            probes.setdefault((module, name), []).append((number, len(found), statement))
            found.append(Part(f"{short(module)}.{name}", what, patches, True))
    for module in MODULES:
        for constant, value in constants(module):
            owners = holders(module, constant)
            for what, other in changed(value):
                for place in ((m, name) for m, name in FUNCTIONS if m in owners):
                    tree = ast.parse(source(*place))
                    statements = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
                    for i, statement in enumerate(statements):
                        if any(
                            isinstance(n, ast.Name) and n.id == constant for n in own(statement)
                        ):
                            new = Value(constant, other).visit(copy.deepcopy(statement))
                            probes.setdefault(place, []).append((i, len(found), new))
                patches = tuple((m, constant, other) for m in owners)
                found.append(Part(f"{short(module)}.{constant}", what, patches, True))
    probing: list[Patch] = []
    for place, each in probes.items():
        probing += replaced(*place, with_probes(*place, each))
    return found, Part("", "probes", tuple(probing))


def own(statement: ast.stmt) -> Iterator[ast.AST]:
    """Yield a statement and the nodes in it that are not in other statements inside of it."""
    yield statement
    for expression in expressions(statement):
        yield from ast.walk(expression)


def holds(statement: ast.stmt, node: ast.AST) -> bool:
    """Tell whether a node is a statement, or in it and in no other one inside of it."""
    return any(part is node for part in own(statement))


class Value(ast.NodeTransformer):
    """Puts a number in the place of a name."""

    def __init__(self, name: str, number: Any) -> None:
        """Take both."""
        self.name, self.number = name, number

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace the name."""
        return ast.Constant(self.number) if node.id == self.name else node


def with_probes(module: Any, name: str, each: list[tuple[int, int, ast.stmt]]) -> str:
    """Return a function that compares each statement with what it is without a part, first."""
    tree = ast.parse(source(module, name))
    statements = [n for n in ast.walk(tree) if isinstance(n, ast.stmt)]
    before: dict[int, list[str]] = {}
    for number, part, other in each:
        pair = compared(statements[number], other)
        if pair is None:
            ALWAYS.add(part)
        else:
            line = f"_probe({part}, lambda: {pair[0]}, lambda: {pair[1]})"
            before.setdefault(number, []).append(line)
    module._probe = probe
    for node in ast.walk(tree):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                longer = []
                for statement in block:
                    i = next(k for k, s in enumerate(statements) if s is statement)
                    longer += [ast.parse(text).body[0] for text in before.get(i, ())]
                    longer.append(statement)
                setattr(node, field, longer)
    return ast.unparse(ast.fix_missing_locations(tree))


def compared(now: ast.stmt, then: ast.stmt) -> tuple[str, str] | None:
    """Return what two statements compute, as expressions; None if that cannot be told."""
    if isinstance(now, ast.AugAssign) and isinstance(then, ast.Pass):
        return computed(now), ast.unparse(now.target)
    if isinstance(then, ast.Pass) and isinstance(now, ast.Expr):
        return f"np.any({ast.unparse(now.value.args[0])})", "False"  # type: ignore[attr-defined]
    if isinstance(then, ast.Pass) and isinstance(now, ast.Assign):
        where = next(n for n in ast.walk(now.targets[0]) if isinstance(n, ast.Subscript))
        return f"np.any({ast.unparse(where.slice)})", "False"
    first, second = computed(now), computed(then)
    return (first, second) if first and second else None


def computed(statement: ast.stmt) -> str:
    """Return what a statement computes, as an expression; nothing if that is not simple."""
    if isinstance(statement, ast.AugAssign):
        sign = {ast.BitAnd: "&", ast.BitOr: "|"}.get(type(statement.op))
        both = ast.unparse(statement.target), ast.unparse(statement.value)
        return f"{both[0]} {sign} ({both[1]})" if sign else ""
    if isinstance(statement, ast.Expr) and says(statement):
        return ast.unparse(statement.value.args[0])  # type: ignore[attr-defined]
    if isinstance(statement, ast.Assign | ast.Return) and statement.value is not None:
        return f"({ast.unparse(statement.value)})"
    if isinstance(statement, ast.If):
        return f"bool({ast.unparse(statement.test)})"
    return f"({ast.unparse(statement.iter)})" if isinstance(statement, ast.For) else ""


ALWAYS: set[int] = set()  # parts without a probe
SEEN: set[int] = set()  # parts of which a probe saw a difference


def probe(part: int, now: Callable[[], Any], then: Callable[[], Any]) -> None:
    """Note whether a statement is another one without a part."""
    if part not in SEEN:
        try:
            equal = same(now(), then())
        except Exception:
            equal = False
        if not equal:
            SEEN.add(part)


def same(a: Any, b: Any) -> bool:
    """Tell whether two results are equal."""
    if dataclasses.is_dataclass(a) and type(a) is type(b):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, list | tuple) and type(a) is type(b):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray | np.generic | float):
        x, y = np.asarray(a), np.asarray(b)
        return x.shape == y.shape and bool(np.all((x == y) | ((x != x) & (y != y))))
    return bool(a is b or a == b)


def short(module: Any) -> str:
    """Return the last part of a module's name."""
    return str(module.__name__).rpartition(".")[2]


class Instead(ast.NodeTransformer):
    """Puts one node in the place of another."""

    def __init__(self, node: ast.AST, other: ast.AST) -> None:
        """Take both."""
        self.node, self.other = node, other

    def visit(self, node: ast.AST) -> Any:
        """Replace the node, or look inside."""
        return self.other if node is self.node else super().visit(node)


def places(tree: ast.Module) -> list[tuple[ast.AST, ast.AST, str]]:
    """Find what can be taken out of a function: a node, what takes its place, and its name."""
    found: list[tuple[ast.AST, ast.AST, str]] = []
    for statement in ast.walk(tree):
        if not isinstance(statement, ast.stmt) or isinstance(statement, ast.FunctionDef):
            continue
        name = target(statement)
        if says(statement):
            found.append((statement, ast.Pass(), f"not `{ast.unparse(statement)}`"))
        if isinstance(statement, ast.AugAssign) and isinstance(
            statement.op, ast.BitAnd | ast.BitOr
        ):
            found.append((statement, ast.Pass(), f"not `{ast.unparse(statement)}`"))
        if isinstance(statement, ast.If) and not statement.orelse:
            never = copy.copy(statement)
            never.test = ast.Constant(False)
            found.append((statement, never, f"never `if {ast.unparse(statement.test)}`"))
        for expression in expressions(statement):
            for node in ast.walk(expression):
                found += [
                    (node, kept, f"{name} without `{ast.unparse(dropped)}`")
                    for kept, dropped in shorter(node)
                ]
    return found


def expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """Yield the expressions of a statement that are not in other statements inside of it."""
    children = [statement.value] if isinstance(statement, ast.AnnAssign) else None
    for child in children or ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr):
            yield child


def target(statement: ast.stmt) -> str:
    """Name a statement."""
    if isinstance(statement, ast.Assign | ast.AugAssign | ast.AnnAssign):
        first = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        return f"`{ast.unparse(first)}`"
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        return f"`{ast.unparse(statement)}`" if says(statement) else "a call"
    return type(statement).__name__.lower()


def says(statement: ast.stmt) -> bool:
    """Tell whether a statement says a verdict."""
    if isinstance(statement, ast.Expr):
        call = statement.value
        return isinstance(call, ast.Call) and ast.unparse(call.func) == "say"
    if not isinstance(statement, ast.Assign):
        return False
    (first, *_) = statement.targets
    each = first.elts if isinstance(first, ast.Tuple) else [first]
    return all(isinstance(node, ast.Subscript) and "verdict" in ast.unparse(first) for node in each)


def shorter(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yield what an expression is without one of its parts, and that part."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield node.left, node.right
        left = node.left
        if not (isinstance(left, ast.BinOp) and type(left.op) is type(node.op)):
            yield node.right, node.left
    if isinstance(node, ast.BoolOp):
        for k, value in enumerate(node.values):
            rest = node.values[:k] + node.values[k + 1 :]
            yield (ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]), value
    larger = ("np.fmax", "np.fmin", "np.maximum", "max")
    if isinstance(node, ast.Call) and len(node.args) == 2 and ast.unparse(node.func) in larger:
        first, second = node.args
        yield first, second
        yield second, first
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "limit":
        powers = node.args[-1]
        if isinstance(powers, ast.Tuple):
            fewer = copy.copy(node)
            fewer.args = [*node.args[:-1], ast.Tuple(powers.elts[:-1], ast.Load())]
            yield fewer, powers.elts[-1]


def constants(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the named numbers that a module defines, and tuples of numbers."""
    for statement in ast.parse(inspect.getsource(module)).body:
        if isinstance(statement, ast.Assign):
            for name in (n.id for n in ast.walk(statement.targets[0]) if isinstance(n, ast.Name)):
                value = vars(module)[name]
                numbers = value if isinstance(value, tuple) else (value,)
                if name.isupper() and all(isinstance(n, int | float) for n in numbers):
                    yield name, value


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a constant is halved and doubled, and a tuple without one of its numbers."""
    if isinstance(value, tuple):
        for k, number in enumerate(value):
            yield f"without {number:g}", value[:k] + value[k + 1 :]
    else:
        yield "halved", value / 2 if isinstance(value, float) else value // 2
        yield "doubled", 2 * value


class Remembered:
    """Programs that run no question twice."""

    def __init__(self, programs: Any) -> None:
        """Take the programs."""
        self._programs, self._known = programs, dict[Any, Any]()

    def __getattr__(self, name: str) -> Any:
        """Return what the programs have."""
        return getattr(self._programs, name)

    def look(self, bases: Any, directions: Sequence[Any], points: Any = None, **asked: Any) -> Any:
        """Run what is asked for, or remember it."""
        at = None if points is None else tuple(array.tobytes() for array in points)
        key = tuple(directions), at, tuple(asked.items())
        return self._once(key, lambda: self._programs.look(bases, directions, points, **asked))

    def perturbed(self, units: Any) -> Any:
        """Run with more rounding on the way, or remember it."""
        return self._once(units.tobytes(), lambda: self._programs.perturbed(units))

    def _once(self, key: Any, run: Callable[[], Any]) -> Any:
        if key not in self._known:
            try:
                self._known[key] = run(), None
            except Exception as error:
                self._known[key] = None, error
        found, error = self._known[key]
        if error is not None:
            raise error
        return copy.deepcopy(found)


def subjects(case: Case, dtype: str) -> list[Subject]:
    """Make a case ready to be checked, as `check_grads` does."""
    found: list[Subject] = []

    def keep(f: Any, arguments: Any, modes: Any, seed: Any, judged: Any = None) -> Any:
        subject = prepare(f, arguments, modes, seed, judged)
        found.append(dataclasses.replace(subject, programs=Remembered(subject.programs)))
        return [], [], subject.programs.raised

    whole, check._check = check._check, keep
    try:
        check.check_grads(case.f, case.arguments(dtype), **options(case))
    finally:
        check._check = whole
    return found


def told(found: Sequence[Subject]) -> Told:
    """Return the verdict and the cause of every leaf, as far as no reason is looked for."""
    said = []
    for one in found:
        again = dataclasses.replace(one, notes=[], slopes=dict(one.slopes), scales={})
        for finding in search.search(again) if again.modes else ():
            why = leaves._in_own_dtype(again, finding, Why(finding.verdict, finding.cause))
            said.append((finding.leaf.path, why.verdict, why.cause))
    return tuple(said)


def chosen(every: int) -> list[tuple[Case, str]]:
    """Return the cases to look at, each with one of its dtypes: in turns the first and the last.

    Args:
        every: Of the gallery, take one case of so many.
    """
    cases = []
    for family in FAMILIES:
        members = 0
        for case in family.cases:
            members += case.kind != "wrong"
            if members <= MEMBERS:
                cases.append((case, case.dtypes[0]))
    floats = [(case, [d for d in case.dtypes if d in FLOATS]) for case in CASES[::every]]
    return cases + [(case, d[-(n % 2)]) for n, (case, d) in enumerate(floats) if d]


@dataclasses.dataclass
class Share:
    """What a worker found.

    Attributes:
        cases: How many cases it looked at.
        changes: For each part, the cases that change, and how.
        verdicts: For each part, in how many of these a verdict changes.
        raising: For each part, in how many of these the search raises an error without it.
        left_out: Cases that could not be looked at, and why.
    """

    cases: int = 0
    changes: dict[int, list[str]] = dataclasses.field(default_factory=dict)
    verdicts: Counter[int] = dataclasses.field(default_factory=Counter)
    raising: Counter[int] = dataclasses.field(default_factory=Counter)
    left_out: list[str] = dataclasses.field(default_factory=list)


def share(number: int, every: int) -> Share:
    """Take out every part, for a share of the cases.

    Args:
        number: Which share.
        every: Of the gallery, take one case of so many.
    """
    warnings.simplefilter("ignore")
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")
    leaves.first_nonfinite = lambda *_, **__: None  # a reason, which would take long
    found, (rules, probes) = Share(), parts()
    own = chosen(every)[number::WORKERS]
    for n, (case, dtype) in enumerate(own):
        name = f"{case.name} {dtype}"
        try:
            with precision(dtype):
                _take_out(found, name, subjects(case, dtype), rules, probes)
        except Exception as error:
            found.left_out.append(f"{name}: {type(error).__name__}: {error}"[:100])
        if n % 10 == 0:
            print(f"worker {number}: {n + 1} of {len(own)} cases", file=sys.stderr, flush=True)
    return found


def _take_out(
    found: Share, name: str, ready: Sequence[Subject], rules: Sequence[Part], probes: Part
) -> None:
    base = told(ready)
    SEEN.clear()
    with patched(probes):
        assert told(ready) == base
    found.cases += 1
    large = any(len(subject.x) > LARGE for subject in ready)
    for k, part in enumerate(rules):
        enough = len(found.changes.get(k, ())) >= ENOUGH
        idle = part.probed and k not in SEEN | ALWAYS
        other = large and not part.where.startswith("search")
        dear = part.where in DEAR and not name.startswith("field")
        if enough or idle or other or dear:
            continue
        try:
            with patched(part):
                now = told(ready)
        except Exception:
            found.raising[k] += 1
            found.changes.setdefault(k, []).append(f"{name} (raises)")
            continue
        if now != base:
            found.changes.setdefault(k, []).append(f"{name} ({difference(base, now)})")
            found.verdicts[k] += [leaf[1] for leaf in base] != [leaf[1] for leaf in now]


def difference(base: Told, now: Told) -> str:
    """Say what changed first."""
    for old, new in zip(base, now, strict=False):
        if old[1] != new[1]:
            return f"{old[1]} → {new[1]}"
        if old[2] != new[2]:
            return f"{old[2][:20] or old[1]} → {new[2][:20] or new[1]}"
    return "leaves"


def table(every: int = EVERY) -> Iterator[str]:
    """Yield the lines of the table."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, context) as pool:
        shares = list(pool.map(share, range(WORKERS), [every] * WORKERS))
    cases = sum(one.cases for one in shares)
    yield f"{datetime.date.today()}, JAX {jax.__version__}, {cases} cases"
    yield f"{'verdicts':>8} {'causes':>6}  what is taken out, and the first cases that change"
    for k, part in enumerate(parts()[0]):
        changes = sorted(line for one in shares for line in one.changes.get(k, ()))
        if changes and len(changes) == sum(one.raising[k] for one in shares):
            continue  # no rule, but what the search needs to run
        verdicts = sum(one.verdicts[k] for one in shares)
        more = "+" * any(len(one.changes.get(k, ())) >= ENOUGH for one in shares)
        yield f"{verdicts:7}{more:1} {len(changes) - verdicts:5}{more:1}  {part}"
        if changes:
            yield f"{'':17}{', '.join(changes[:SHOWN])}"
    for line in (line for one in shares for line in one.left_out):
        yield f"not looked at: {line}"


def main() -> None:
    """Print the table."""
    for line in table():
        print(line, flush=True)


if __name__ == "__main__":
    main()
