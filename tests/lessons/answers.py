"""Two typical wrong answers to every exercise, by notebook and number, that its check must reject.

Each replaces the cell tagged `exercise` and must run without an error.
"""

WRONG: dict[str, dict[int, list[str]]] = {}
