"""The benchmarks: every contest runs and is fair. No time is judged here."""

import csv
import dataclasses
import itertools
import math
import os
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from benchmarks import cold, figure, timing
from benchmarks.__main__ import (
    MOST,
    MOST_QUICK,
    SUBJECTS,
    in_units,
    line,
    main,
    summary,
    write_csv,
)
from benchmarks.contest import EXPERT, OURS, Contest, Row, measure

from gradlab.demo.labs import LABS

TESTS = Path(__file__).parent


class Clock:
    """A clock that only the runs of a test move."""

    now = 0.0

    def perf_counter(self):
        return self.now

    def run(self, seconds, calls=None, name=""):
        def run():
            self.now += seconds
            if calls is not None:
                calls.append(name)

        return run


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(timing, "time", clock)
    return clock


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_run_runs_and_what_computes_the_same_agrees(subject):
    for contest in SUBJECTS[subject].contests(MOST_QUICK):
        results = {name: run() for name, run in contest.runs.items() if run is not None}
        assert len(results) > 1, contest.helper
        if contest.same:
            expected = jax.tree.leaves(results[OURS])
            for name, result in results.items():
                for a, b in zip(jax.tree.leaves(result), expected, strict=True):
                    message = f"{contest.helper}: {name}"
                    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4, err_msg=message)


@pytest.mark.parametrize("subject", ["walks", "particles", "examples", "overhead"])
def test_every_compiled_program_is_held_to_what_an_expert_writes(subject):
    contests = list(SUBJECTS[subject].contests(MOST_QUICK))
    held = [c for c in contests if c.at_most.get(EXPERT) == 1.05]
    compiled = [c for c in contests if EXPERT in c.runs and hasattr(c.runs[OURS], "compiled")]
    assert held == compiled
    assert held


@pytest.mark.parametrize(
    ("module", "subject"),
    [("torch", "walks"), ("optax", "particles"), ("rlax", "examples"), ("numdifftools", "checks")],
)
def test_a_rival_that_is_not_installed_is_named(monkeypatch, module, subject):
    monkeypatch.setitem(sys.modules, module, None)  # import then raises ImportError
    contests = itertools.islice(SUBJECTS[subject].contests(MOST_QUICK), 3)
    (contest, *_) = [c for c in contests if None in c.runs.values()]
    runs = {name: run and (lambda: None) for name, run in contest.runs.items()}
    rows = list(measure(dataclasses.replace(contest, runs=runs), timing.QUICK))
    assert [row.run for row in rows if row.seconds is None] == [
        name for name, run in contest.runs.items() if run is None
    ]
    assert [row.run for row in rows if line(row).endswith("not installed")]
    assert len(rows) == len(contest.runs)


def test_a_ratio_is_our_time_over_the_other(clock):
    runs = {"slower": clock.run(6.0), OURS: clock.run(2.0), "faster": clock.run(1.0)}
    limits = {"slower": 0.5, "faster": 1.05}
    rows = list(measure(Contest("helper", 10, runs, limits), timing.FULL))
    assert [(row.run, row.seconds) for row in rows] == [(OURS, 2), ("slower", 6), ("faster", 1)]
    assert [row.ratio for row in rows] == [1, pytest.approx(1 / 3), 2]
    assert [row.over for row in rows] == [False, False, True]
    assert [row.rounds for row in rows] == [7, 7, 7]
    assert summary(rows) == "1 of 2 limits held\n  helper, size 10: 2 of faster"
    assert summary(rows[:1]) == "nothing here is held to a limit"


def test_rivals_take_turns_and_change_places(clock):
    calls = []
    runs = {name: clock.run(2.0, calls, name) for name in "ab"}
    timing.times(runs, timing.Effort(rounds=3))
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"  # the first to warm up


def test_what_is_short_is_repeated_and_measured_more_often(clock):
    calls = []
    short = timing.LEAST / 4.5  # so four calls a round, and twelve rounds until it is enough
    found = timing.times({"a": clock.run(short, calls)}, timing.Effort(enough=10 * timing.LEAST))
    assert found["a"] == pytest.approx([short] * 12)
    assert len(calls) == 2 + 4 * 12


def test_a_process_reports_its_own_time_or_is_timed_whole(clock):
    process = timing.Process("-c", "print('more'); print([1.5, 2.0])")
    assert timing.seconds(process) == 1.5
    assert process.bytes() == 2.0
    assert timing.seconds(timing.Process("-c", "print('any')", reports=False)) == 0  # of this clock


def test_a_process_uses_no_cache_of_programs_unless_told_to():
    code = "import jax; print([0, int(jax.config.jax_enable_compilation_cache)])"
    assert not timing.Process("-c", code)().bytes
    assert timing.Process("-c", code, JAX_ENABLE_COMPILATION_CACHE="true")().bytes


def test_memory_counts_what_was_needed_on_the_way():
    n = 10**6
    assert timing.Program(jnp.cos, jnp.ones(n)).bytes() == 4 * n  # the result
    on_the_way = timing.Program(lambda x: jnp.sort(x)[:1], jnp.ones(n)).bytes()
    assert 4 * n <= on_the_way < 20 * n
    assert timing.NumPyRun(lambda: np.ones(n).sum()).bytes() == pytest.approx(8 * n, rel=0.01)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_growth_is_of_one_run_and_nothing_where_there_is_little():
    n = 10**7
    assert timing.growth(lambda: np.ones(n).sum()) == pytest.approx(8 * n, rel=0.05)
    assert timing.growth(lambda: None) is None  # the peak of before is forgotten


@pytest.mark.parametrize("subject", ["walks", "particles", "checks"])
def test_the_sizes_in_the_figure_spread_over_four_decades(subject):
    sizes = {}
    for contest in SUBJECTS[subject].contests(MOST):
        sizes.setdefault(contest.helper, []).append(contest.size)
    shown = sizes.keys() & set(figure.PANELS)
    assert shown
    assert all(max(sizes[panel]) / min(sizes[panel]) >= 10**4 for panel in shown)


def test_the_demo_has_the_labs_that_are_timed():
    assert set(cold.LABS) <= set(LABS)


def test_the_figure_shows_every_run_in_a_style_of_its_own(tmp_path, monkeypatch):
    runs = [*figure.FAMILIAR, *(f"rival {k}" for k in range(len(figure.OTHERS)))]
    panel = "random_walk"
    rows = [Row(panel, n, run, n * 1e-9, 1.0, None, None, 7) for n in (10, 100) for run in runs]
    missing = Row(panel, 10, "missing", None, None, None, None, 7)
    drawn = []
    savefig = figure.Figure.savefig
    monkeypatch.setattr(
        figure.Figure, "savefig", lambda fig, *a, **k: drawn.append(fig) or savefig(fig, *a, **k)
    )
    figure.draw([*rows, missing], "caption", tmp_path / "figure.png")
    (ax,) = drawn[0].axes
    assert [curve.get_label() for curve in ax.lines] == runs
    looks = {(c.get_color(), c.get_marker(), c.get_linestyle()) for c in ax.lines}
    assert len(looks) == len({c.get_marker() for c in ax.lines}) == len(runs)
    assert (tmp_path / "figure.png").stat().st_size > 10_000


def test_every_panel_of_the_figure_exists_and_no_two_runs_in_it_look_the_same():
    helpers = {}
    for subject in ("walks", "particles", "examples", "checks"):
        for contest in SUBJECTS[subject].contests(10**5):
            helpers.setdefault(contest.helper, {}).update(contest.runs)
    assert figure.PANELS.keys() <= helpers.keys()
    for panel in figure.PANELS:
        looks = [style["marker"] for style in figure.styles(helpers[panel]).values()]
        assert len(set(looks)) == len(looks), panel


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0 B"), (999.4, "999 B"), (999.6, "1 kB"), (12_345, "12.3 kB")]
)
def test_numbers_are_printed_in_the_largest_unit_that_they_reach(number, text):
    assert in_units(number, ("B", "kB")) == text


def test_the_csv_file_has_every_row(tmp_path):
    rows = [Row("helper", 10, "rival", 0.5, 2.0, None, 40.0, 7)]
    write_csv(rows, tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open() as file:
        (found,) = csv.DictReader(file)
    assert list(found) == [field.name for field in dataclasses.fields(Row)]
    values = ["helper", "10", "rival", "0.5", "2.0", "", "40.0", "7"]
    assert list(found.values()) == values


def test_the_command_prints_one_table_and_writes_it_and_a_figure(tmp_path):
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "benchmarks", "--quick", "--only", "examples"]
    environment = os.environ | {"PYTHONPATH": path}
    run = subprocess.run(
        [*command, "--out", tmp_path / "out"], env=environment, text=True, capture_output=True
    )
    assert run.returncode == 0, run.stderr
    with (tmp_path / "out" / "benchmarks.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = run.stdout.splitlines()[
        3 : 3 + len(rows)
    ]  # after what was measured where, and a header
    for row, printed in zip(rows, table, strict=True):
        assert printed.startswith(row["helper"])
        assert row["run"] in printed
    measured = [row for row in rows if row["seconds"]]
    assert all(math.isfinite(float(row["ratio"])) for row in measured)
    assert {row["run"] for row in measured} >= {OURS, EXPERT}
    assert (tmp_path / "out" / "benchmarks.png").is_file()


def test_a_folder_that_cannot_be_made_is_refused_before_anything_is_measured(
    monkeypatch, tmp_path, capsys
):
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--out", str(tmp_path / "taken")])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "--out: " in capsys.readouterr().err
