"""Check the field's families with gradlab, and print where its verdict is not the expected one.

    PYTHONPATH=tests python -m benchmarks.field_table [NAME ...] [--all] [--kind KIND] [--first N]

A NAME is that of a family, of a section such as `A1`, or how the name of a case begins. `--all`
prints every case as a row: family, member, truth, expected verdict, verdict, cause.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jax

sys.path.insert(0, str(Path(__file__).parents[1]))

from gallery.case import Case
from gallery.family import Family
from gallery.field import FAMILIES
from gallery.outcome import EXPECTED, outcome, truth


def chosen(options: argparse.Namespace) -> Iterator[tuple[Family, Case]]:
    """Yield the cases that the command line names."""
    for family in FAMILIES:
        whole = not options.names or family.name in options.names or family.section in options.names
        cases = [
            case
            for case in family.cases
            if (whole or any(case.name.startswith(name) for name in options.names))
            and options.kind in (None, case.kind)
        ]
        yield from ((family, case) for case in cases[: options.first])


def row(family: Family, case: Case, dtype: str, verdict: str, cause: str) -> str:
    """Return a case as a row of the table."""
    expected = "/".join(EXPECTED[case.kind])
    name = f"{family.section:3} {family.name:12} {case.name[6:]:40} {dtype:8}"
    return f"{name} {truth(case, dtype):34.34} {expected:17} {verdict:11} {cause:.90}"


def main() -> None:
    """Run the families and print what deviates, and a count of each family."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="print every case")
    parser.add_argument("--kind", choices=tuple(EXPECTED))
    parser.add_argument("--first", type=int, help="only so many cases of a family")
    parser.add_argument("--dtype", help="only in this dtype")
    parser.add_argument("--report", action="store_true", help="print the reports of what deviates")
    options = parser.parse_args()
    jax.config.update("jax_numpy_dtype_promotion", "strict")
    jax.config.update("jax_numpy_rank_promotion", "raise")

    counts: dict[str, Counter[str]] = {}
    for family, case in chosen(options):
        count = counts.setdefault(f"{family.section} {family.name}", Counter())
        for dtype in case.dtypes:
            if options.dtype not in (None, dtype):
                continue
            begun = time.perf_counter()
            found = outcome(case, dtype)
            said = "; ".join(found.faults)
            if found.faults or options.all:
                cause = f"[{said}] {found.cause}" if said else found.cause
                print(row(family, case, dtype, found.verdict, cause), flush=True)
            if found.faults and options.report:
                print(found.report)
            if time.perf_counter() - begun > 20:
                print(f"{time.perf_counter() - begun:.0f} s for {dtype} {case.name}", flush=True)
            result = "off" if found.faults else "weak" if found.weak else "as expected"
            count["crash" if found.verdict == "crash" else result] += 1
    results = ("as expected", "weak", "off", "crash")
    print(f"\n{'family':20}" + "".join(f"{result:>13}" for result in results))
    for name, count in counts.items():
        print(f"{name:20}" + "".join(f"{count[result]:13}" for result in results))
    total = sum(counts.values(), Counter())
    print(f"{'all':20}" + "".join(f"{total[result]:13}" for result in results))


if __name__ == "__main__":
    main()
