"""Run a notebook in a fresh kernel of this Python, and put it into the form that is committed."""

import base64
import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib.font_manager  # noqa: F401  # writes its cache, or the first kernel would warn
import nbformat
import numpy as np
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbformat import NotebookNode
from PIL import Image

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))

FIRST_LINES = {  # of a cell whose source is hidden: JupyterLab shows this line, so it tells nothing
    "check": "# Marks your answer",
    "answer": "# Answers your guess",
    "guard": "# Asserts what the lesson says",
}
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
LANGUAGE = {"file_extension": ".py", "name": "python", "pygments_lexer": "ipython3"}
SHOWN = ("text/plain", "text/html", "image/png", "image/gif")
HIDDEN = {  # what JupyterLab hides of a cell with this tag, until it is asked for
    "answer": {"outputs_hidden": True},
    "check": {"source_hidden": True},
    "guard": {"source_hidden": True},
    "folded": {"source_hidden": True},
}
FORGET = f"""\
import matplotlib, matplotlib_inline.config, numpy
matplotlib.rcdefaults()
numpy.set_printoptions(**{np.get_printoptions()})
small = dict(dpi=20, bbox_inches=None)
matplotlib_inline.config.InlineBackend.instance(parent=get_ipython()).print_figure_kwargs = small
get_ipython().reset(new_session=False)
"""


def read(path: Path) -> NotebookNode:
    """Return the notebook in the file."""
    return nbformat.read(path, as_version=4)


def write(notebook: NotebookNode, path: Path) -> None:
    """Write the notebook, its keys sorted and its letters readable in a diff."""
    nbformat.validate(notebook)
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")


class Kernel:
    """A kernel in which the cells of one notebook run, and then others."""

    def __init__(self, client: BlockingKernelClient):
        self._client = client

    def forget(self) -> None:
        """Forget what has run, not what JAX has compiled, and draw small figures from now on."""
        self.run(nbformat.v4.new_code_cell(FORGET))

    def run(self, cell: NotebookNode) -> str:
        """Run the cell, keep its outputs in it, and return what it printed.

        Raises:
            AssertionError: If the cell raises, or writes to stderr, as every warning does.
            TimeoutError: If it is not done in five minutes.
        """
        messages: list[dict[str, Any]] = []
        self._client.execute_interactive(
            cell.source, allow_stdin=False, timeout=300, output_hook=messages.append
        )
        cell.outputs = [
            nbformat.v4.output_from_msg(message)
            for message in messages
            if message["msg_type"] in ("stream", "display_data", "execute_result", "error")
        ]
        printed = {"stdout": "", "stderr": ""}
        for output in cell.outputs:
            if output.output_type == "error":
                traceback = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(output.traceback))
                raise AssertionError(f"{cell.source}\nraised:\n{traceback}")
            if output.output_type == "stream":
                printed[output.name] += output.text
        assert not printed["stderr"], f"{cell.source}\nwrote to stderr:\n{printed['stderr']}"
        return printed["stdout"]


@contextmanager
def fresh_kernel() -> Iterator[Kernel]:
    """Start the kernel that a reader of a notebook has, in an empty folder of its own.

    It runs this very Python, whatever kernels the user has installed, without the settings of
    JAX and Matplotlib that `tests/conftest.py` makes, and leaves no file behind.
    """
    with tempfile.TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True) as folder:
        manager = KernelManager(
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),
            connection_file=f"{folder}/connection.json",
            transport="ipc",  # sockets in the folder: no port that another test might take
            ip=f"{folder}/socket",
        )
        ours = ("XLA_FLAGS", "MPLBACKEND")
        environment = {name: value for name, value in os.environ.items() if name not in ours}
        manager.start_kernel(cwd=folder, env={**environment, "IPYTHONDIR": folder})
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=60)
            yield Kernel(client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def executed(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of the notebook as a fresh kernel leaves it, in the form to commit."""
    notebook = nbformat.from_dict(notebook)
    with fresh_kernel() as kernel:
        run_all(notebook, kernel)
    return as_committed(notebook)


def run_all(notebook: NotebookNode, kernel: Kernel) -> None:
    """Run the code cells of the notebook in their order."""
    for cell in code_cells(notebook):
        kernel.run(cell)


def as_committed(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook with nothing in it that differs from one run to the next."""
    cells = []
    for number, old in enumerate(notebook.cells, start=1):
        cell = nbformat.from_dict({**old, "id": f"cell-{number:02}"})
        cell.metadata = _metadata(old)
        cell.source = _source(cell)
        if cell.cell_type == "code":
            cell.outputs = [] if has_tag(cell, "no-output") else _shown(cell.outputs)
            count = sum(other.cell_type == "code" for other in cells) + 1
            cell.execution_count = count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = count
        cells.append(cell)
    metadata = {"kernelspec": KERNEL, "language_info": LANGUAGE}
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def _metadata(cell: NotebookNode) -> dict[str, Any]:
    """Return the cell's tags, and what follows from them for JupyterLab."""
    tags = sorted(cell.metadata.get("tags", []))
    hidden: dict[str, bool] = {}
    if cell.cell_type == "code":
        for tag in tags:
            hidden |= HIDDEN.get(tag, {})
        if answers_a_guess(cell):  # the call itself gives the answer away
            hidden["source_hidden"] = True
    return ({"tags": tags} if tags else {}) | ({"jupyter": hidden} if hidden else {})


def _source(cell: NotebookNode) -> str:
    """Return the source of a cell, with a comment in front of one that is hidden."""
    if cell.metadata.get("jupyter", {}).get("source_hidden"):
        for tag, line in FIRST_LINES.items():
            if has_tag(cell, tag):
                return f"{line}\n{cell.source.removeprefix(line).lstrip()}"
    return cell.source


def _shown(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return what is to be seen of the outputs: texts, tables and figures."""
    shown: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if shown and shown[-1].get("name") == output.name:  # one text may come in two pieces
                shown[-1].text += output.text
            else:
                shown.append(nbformat.from_dict(output))
        elif data := {kind: output.data[kind] for kind in SHOWN if kind in output.get("data", {})}:
            if "image/png" in data:
                data["image/png"] = _with_few_colors(data["image/png"])
            shown.append(nbformat.from_dict({**output, "data": data, "metadata": {}}))
    return shown


def _with_few_colors(png: str) -> str:
    """Return the figure with a palette of 64 colours, a third of the size; at most once."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        if image.mode == "P":
            return png
        flat = Image.new("RGB", image.size, "white")
        flat.paste(image, mask=image.getchannel("A"))
    few = flat.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.putpalette([255 if level >= 250 else level for level in few.getpalette()])  # white is white
    small = io.BytesIO()
    few.save(small, "png", optimize=True)
    return base64.b64encode(small.getvalue()).decode()


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells of the notebook."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def has_tag(cell: NotebookNode, tag: str) -> bool:
    """Return whether the cell has the tag."""
    return tag in cell.metadata.get("tags", [])


def answers_a_guess(cell: NotebookNode) -> bool:
    """Return whether the cell compares a guess with the answer."""
    return has_tag(cell, "answer") and "reveal(" in cell.source
