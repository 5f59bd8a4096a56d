"""The package as a whole: its names, what importing it costs, its wheel, its README."""

import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gradlab

ROOT = Path(__file__).parent.parent
MODULES = [
    m.name for m in pkgutil.walk_packages(gradlab.__path__, "gradlab.") if "__main__" not in m.name
]


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def readme_signatures():
    """Return {name: (module, signature)} of the README's table; a class has just its name."""
    rows = re.findall(
        r"^\| (?:`(\w+)`)? ?\| `((\w+)(?:\(.*?\))?)` \|", (ROOT / "README.md").read_text(), re.M
    )
    signatures, module = {}, ""
    for named, signature, name in rows:
        module = named or module
        signatures[name] = (module, signature)
    return signatures


def test_readme_and_package_name_the_same_things():
    assert sorted(readme_signatures()) == sorted(gradlab.__all__)
    assert gradlab.__all__ == sorted(gradlab.__all__)


@pytest.mark.parametrize("name", gradlab.__all__)
def test_readme_shows_the_module_and_the_signature(name):
    assert name in readme_signatures(), f"no row for {name} in the README's table"
    module, signature = readme_signatures()[name]
    function = getattr(gradlab, name)
    assert f"{function.__module__}.".startswith(f"gradlab.{module}.")
    if inspect.isclass(function):
        assert name == signature
        return
    parameters = [
        p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()
    ]
    actual = str(inspect.Signature(parameters))
    actual = re.sub(r"<function (\w+) at \w+>", r"\1", actual).replace("'", '"')
    assert name + actual == signature


def test_readme_names_every_plot():
    plots = importlib.import_module("gradlab.plots")
    assert set(re.findall(r"`(\w+)`", (ROOT / "README.md").read_text())) >= set(plots.__all__)


def test_readme_classifiers_and_workflow_name_the_same_pythons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = "\n".join(project["classifiers"])
    pythons = re.findall(r"Python :: (3\.\d+)", names)
    assert project["requires-python"] == f">={pythons[0]}"
    readme = (ROOT / "README.md").read_text()
    (tested,) = re.findall(r"pip chooses JAX by (.*?)\n\n", readme, re.S)
    assert re.findall(r"\b3\.\d+", tested) == pythons
    (oldest_jax,) = re.findall(r"^jax>=(.*)$", "\n".join(project["dependencies"]), re.M)
    assert f"JAX {oldest_jax}, the oldest" in tested
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text()
    assert f'python: "{pythons[0]}", command: check' in workflow


def python_that_says(folder, name, version):
    """Write a program that stands for a Python of a version, or for pyenv's where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    says = f"echo {version.replace('.', ' ')} {folder / name}" if version else "exit 127"
    (folder / name).write_text(f"#!/bin/sh\n{says}\n")
    (folder / name).chmod(0o755)


def newest_python(path, **variables):
    script = ROOT / ".ci" / "newest_python.py"
    return run(sys.executable, script, env={"PATH": str(path), **variables}).strip()


def test_the_newest_python_is_found_on_path_and_where_pyenv_keeps_its_own(tmp_path):
    on_path, root = tmp_path / "bin with spaces", tmp_path / "pyenv"
    assert newest_python(on_path) == ""
    python_that_says(on_path, "python3.9", "")
    python_that_says(on_path, "python3.99-config", "3.99.0")
    assert newest_python(on_path) == ""
    python_that_says(on_path, "python3.12", "3.12.10")
    assert newest_python(on_path) == str(on_path / "python3.12")
    python_that_says(root / "versions" / "3.13.0" / "bin", "python3", "3.13.0")
    assert newest_python(on_path) == str(on_path / "python3.12")
    in_pyenv = str(root / "versions" / "3.13.0" / "bin" / "python3")
    assert newest_python(on_path, PYENV_ROOT=str(root)) == in_pyenv
    (on_path / "pyenv").write_text(f"#!/bin/sh\necho {root}\n")
    (on_path / "pyenv").chmod(0o755)
    assert newest_python(on_path) == in_pyenv


def test_a_real_python_is_asked_for_its_version(tmp_path):
    (tmp_path / "python3").symlink_to(sys.executable)
    found = newest_python(tmp_path)
    assert bool(found) == (sys.version_info >= (3, 12))


def test_what_the_readme_links_to_exists():
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []


@pytest.mark.parametrize("module", MODULES)
def test_public_functions_are_documented_and_helpers_have_an_example(module):
    for name, thing in vars(importlib.import_module(module)).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module:
            continue
        assert thing.__doc__, name
        if name in gradlab.__all__:
            returns = () if inspect.isclass(thing) else ("Returns:",)
            for section in (*returns, "Example:", ">>> "):
                assert section in thing.__doc__, f"{name} has no {section}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gradlab").glob("*.py")), ids=lambda path: path.name
)
def test_every_module_has_its_tests(path):
    name = "package" if path.stem == "__init__" else path.stem.lstrip("_")
    assert (ROOT / "tests" / f"test_{name}.py").is_file()


@pytest.mark.parametrize(
    "path", sorted((ROOT / "gradlab").rglob("*.py")), ids=lambda path: path.name
)
def test_modules_are_short_enough_for_one_sitting(path):
    assert len(path.read_text().splitlines()) <= 250


def imported_from_gradlab(path):
    return set(re.findall(r"^\s*(?:from|import) (gradlab[\w.]*)", path.read_text(), re.M))


def test_helpers_know_only_jax_and_the_checks_of_arguments():
    """Imports go one way: nobody but the demo knows the plots, and nobody knows the demo."""
    for path in (ROOT / "gradlab").glob("*.py"):
        if path.stem != "__init__":
            assert imported_from_gradlab(path) <= {"gradlab._arguments"}, path.name
    for path in (ROOT / "gradlab" / "checking").glob("*.py"):
        allowed = {"gradlab._arguments", "gradlab.differences"}
        outside = {m for m in imported_from_gradlab(path) if not m.startswith("gradlab.checking")}
        assert outside <= allowed, path.name
    for path in (ROOT / "gradlab" / "plots").glob("*.py"):
        assert "gradlab.demo" not in path.read_text(), path.name


def test_importing_gradlab_imports_nothing_large():
    large = {
        "gradlab.checking": "gradlab.check_grads",
        "pandas": "gradlab.load_penguins()",
        "matplotlib": "gradlab.check_grads(abs, (1.0,)).plot()",
    }
    code = "import sys, gradlab"
    for module, what_imports_it in large.items():
        asked = f"print({module!r} in sys.modules)"
        code += f"; {asked}; {what_imports_it}; {asked}"
    assert run(sys.executable, "-c", code).split() == ["False", "True"] * len(large)


def test_nothing_imports_more_of_jax_than_importing_jax():
    # What lowers a program, in jaxlib.mlir, is imported by the first one of any kind.
    new = "sorted(m for m in set(sys.modules) - known if m.startswith('jax'))"
    more = f"[m for m in {new} if 'jaxlib.mlir' not in m]"
    code = "import sys, jax; known = set(sys.modules)"
    for imports in (
        "import gradlab",
        "gradlab.check_grads(abs, (1.0,))",
        "import jax.extend.core",  # negative control
    ):
        code += f"; {imports}; print({more})"
    package, check, control = run(sys.executable, "-c", code).splitlines()
    assert package == check == "[]"
    assert "'jax.extend.core'" in control


def test_the_wheel_runs_the_demo_without_the_repository(tmp_path):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT]
    run(*build)
    (wheel,) = tmp_path.glob("jax_gradlab-*.whl")
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--target", site, wheel)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    cache = {name: value for name, value in os.environ.items() if "CACHE" in name}
    in_the_wheel = {"cwd": elsewhere, "env": {"PYTHONPATH": str(site), "PATH": "", **cache}}
    where = run(sys.executable, "-c", "import gradlab; print(gradlab.__file__)", **in_the_wheel)
    assert Path(where.strip()).is_relative_to(site)
    shown = run(sys.executable, "-m", "gradlab.demo", "logistic", "--quick", **in_the_wheel)
    assert "logistic  passed" in shown
    assert (elsewhere / "gradlab-demo" / "index.html").is_file()
