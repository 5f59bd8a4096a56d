"""Compare what two runs of a notebook show: words exactly, numbers to their last printed digit.

A cell tagged `jax-text` shows what JAX itself wrote, such as an error message, in words that differ
between its versions: there only the kind of output is compared, and the cell asserts what the text
must contain. Of a figure or a film it is only seen that it is there.
"""

import re

from nbformat import NotebookNode

from lessons.execution import code_cells, has_tag

NUMBER = re.compile(r"[-+−]?\d+\.?\d*(?:[eE][-+]?\d+)?")
UNCERTAINTY = re.compile(rf"± {NUMBER.pattern}")


def differences(committed: NotebookNode, fresh: NotebookNode) -> list[str]:
    """Return, one line each, where the text outputs of two runs of the same cells differ."""
    found = []
    for old, new in zip(code_cells(committed), code_cells(fresh), strict=True):
        if has_tag(old, "no-output"):
            continue
        was, shown = _outputs(old), _outputs(new)
        if [kind for kind, _ in was] != [kind for kind, _ in shown]:
            found.append(f"{old.id}: other outputs than committed: {was} became {shown}")
            continue
        if has_tag(old, "jax-text"):
            continue
        for (_, text), (_, now) in zip(was, shown, strict=True):
            found += [f"{old.id}: {difference}" for difference in text_differences(text, now)]
    return found


def _outputs(cell: NotebookNode) -> list[tuple[str, str]]:
    """Return kind and text of every output, a figure or a film without its content."""
    texts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            texts.append((output.name, output.text))
        else:
            for kind, data in sorted(output.data.items()):
                texts.append((kind, "" if kind.startswith("image/") else data))
    return texts


def text_differences(committed: str, fresh: str) -> list[str]:
    """Return which words or numbers of two texts differ, or nothing.

    The spaces between them are not compared: tables align to the widest number. A number may
    differ by one unit of its last printed digit, a whole number not at all; and the uncertainty of
    a finite difference, which is itself only estimated, as it likes.
    """
    committed, fresh = (UNCERTAINTY.sub("± its uncertainty", text) for text in (committed, fresh))
    words, other_words = (NUMBER.sub(" # ", text).split() for text in (committed, fresh))
    if words != other_words:
        return [f"the words differ:\n{committed}\nbecame\n{fresh}"]
    pairs = zip(NUMBER.findall(committed), NUMBER.findall(fresh), strict=True)
    return [f"{old} became {new}, in\n{fresh}" for old, new in pairs if not _close(old, new)]


def _close(old: str, new: str) -> bool:
    value, other = (float(text.replace("−", "-")) for text in (old, new))
    return abs(value - other) <= 1.01 * max(_last_digit(old), _last_digit(new))  # 1.2 − 1.1 > 0.1


def _last_digit(number: str) -> float:
    """Return one unit of the last printed digit, 0 for a whole number."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 10.0 ** (int(exponent or 0) - decimals) if decimals or exponent else 0.0
