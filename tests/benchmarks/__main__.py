"""`python -m benchmarks`: measure, print one table, write it as CSV and draw cost against size."""

import argparse
import csv
import dataclasses
import datetime
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import jax

from benchmarks import ablation, checks, cold, examples, overhead, particles, walks
from benchmarks.contest import Row, measure
from benchmarks.figure import draw
from benchmarks.timing import FULL, QUICK

SUBJECTS = {
    module.__name__.split(".")[-1]: module
    for module in (walks, particles, examples, checks, cold, overhead)
}
ABLATION = "ablation"  # a table of its own: which cases change without each rule of the checker
MOST, MOST_QUICK = 10**8, 10**2  # elements
HEADER = (
    f"{'helper':37} {'size':>11} {'what':29} {'time':>8} {'ratio':>9} {'at most':>9} "
    f"{'memory':>8} {'rounds':>6}"
)


def main() -> None:
    """Run the contests that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    subjects = ", ".join((*SUBJECTS, ABLATION))
    parser.add_argument(
        "--only", nargs="+", choices=(*SUBJECTS, ABLATION), default=list(SUBJECTS),
        metavar="SUBJECT",
        help=f"what to measure, of {subjects}; all but the last by default",
    )  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="small sizes, one round, no limits")
    parser.add_argument(
        "--out", type=Path, default=Path("gradlab-benchmarks"), metavar="FOLDER",
        help="where the table and the figure go; %(default)s by default",
    )  # fmt: skip
    options = parser.parse_args()
    if ABLATION in options.only:
        ablation.main()
        options.only.remove(ABLATION)
        if not options.only:
            return
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"--out: {error.strerror}: {options.out}; write a folder, new or not")
    jax.config.update("jax_enable_compilation_cache", False)  # compiling is part of what is timed

    effort, most = (QUICK, MOST_QUICK) if options.quick else (FULL, MOST)
    rows: list[Row] = []
    print(f"{about()}; medians of rounds; ratio: gradlab's time over this one's\n\n{HEADER}")
    try:
        for subject in options.only:
            for contest in SUBJECTS[subject].contests(most):
                if options.quick:  # one round is not enough to hold a time to anything
                    contest = dataclasses.replace(contest, at_most={})
                for row in measure(contest, effort):
                    print(line(row), flush=True)
                    rows.append(row)
    finally:
        write_csv(rows, options.out / "benchmarks.csv")
        draw(rows, about(), options.out / "benchmarks.png")
    print(f"\n{summary(rows)}\nThe table and a figure: {options.out.resolve()}")


def about() -> str:
    """Name the date, the machine and the versions."""
    device = jax.devices()[0]
    processor = f"{platform.machine()}, {os.cpu_count()} cores"
    machine = processor if device.platform == "cpu" else device.device_kind
    versions = f"Python {platform.python_version()}, JAX {jax.__version__}"
    return f"{datetime.date.today()}, {machine}, {versions}"


def line(row: Row) -> str:
    """Return a row of the printed table."""
    start = f"{row.helper:37} {row.size:>11,} {row.run:29}"
    if row.seconds is None:
        return f"{start} not installed"
    limit = "" if row.at_most is None else f"{row.at_most:.3g}{' OVER' if row.over else ''}"
    memory = "" if row.bytes is None else in_units(row.bytes, ("B", "kB", "MB", "GB"))
    time = in_units(row.seconds * 1e9, ("ns", "µs", "ms", "s"))
    return f"{start} {time:>8} {row.ratio:>9.3g} {limit:>9} {memory:>8} {row.rounds:>6}"


def in_units(number: float, units: Sequence[str]) -> str:
    """Return a number with three digits, in the largest of the units that it reaches."""
    power = 0
    while number >= 999.5 and power < len(units) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.3g} {units[power]}"


def summary(rows: Sequence[Row]) -> str:
    """Say how many of the limits hold, and which do not."""
    limited = [row for row in rows if row.at_most is not None and row.ratio is not None]
    if not limited:
        return "nothing here is held to a limit"
    over = [row for row in limited if row.over]
    held = f"{len(limited) - len(over)} of {len(limited)} limits held"
    names = [f"  {row.helper}, size {row.size:,}: {row.ratio:.3g} of {row.run}" for row in over]
    return "\n".join([held, *names])


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write the rows, one column for each of their fields."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in dataclasses.fields(Row)])
        writer.writeheader()
        writer.writerows(map(dataclasses.asdict, rows))


if __name__ == "__main__":
    main()
