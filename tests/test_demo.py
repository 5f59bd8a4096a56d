"""The demo as its users meet it: its labs, its exit code, its files, and what stops it."""

import ast
import errno
import html
import importlib
import inspect
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import gradlab
from gradlab.demo.__main__ import main
from gradlab.demo.files import write_whole
from gradlab.demo.findings import Check, Findings, Report, Settings
from gradlab.demo.labs import LABS, particles, walks
from gradlab.demo.page import page
from gradlab.demo.runner import shown_code
from gradlab.demo.self_checks import check_below, check_close, check_gradient
from gradlab.demo.terminal import GREEN, paint

DEMO = [sys.executable, "-m", "gradlab.demo"]


def demo(*arguments, **options):
    return subprocess.run([*DEMO, *map(str, arguments)], capture_output=True, text=True, **options)


@pytest.fixture(scope="module")
def whole_demo(tmp_path_factory):
    """The whole demo, run once as a process, with its folder."""
    folder = tmp_path_factory.mktemp("whole") / "new" / "folder"
    return demo("--out", folder), folder


def test_whole_demo_passes_and_leaves_its_figures_and_its_page(whole_demo):
    process, folder = whole_demo
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stderr == ""
    shown = re.findall(r"^  figure (.+)$", process.stdout, re.M)
    files = sorted(path.name for path in folder.iterdir())
    assert files == sorted(["index.html", *(Path(name).name for name in shown)])
    assert len(shown) >= len(LABS)
    for name in shown:
        with Image.open(name) as image:
            image.load()
            assert image.width >= 600
    assert str(folder / "index.html") in process.stdout.splitlines()[-1]


def test_every_lab_says_what_to_notice_and_is_in_the_summary(whole_demo):
    process, _ = whole_demo
    assert process.stdout.count("  Notice: ") == len(LABS)
    for name, title in LABS.items():
        assert f"{name}: {title}" in process.stdout
        assert re.search(rf"^  {name} +passed  (\d+) of \1 checks held$", process.stdout, re.M)


def test_output_is_plain_where_no_terminal_reads_it(whole_demo):
    assert "\033" not in whole_demo[0].stdout


class Page(HTMLParser):
    """The parts of a page that its test asks for; void elements need no end."""

    def __init__(self, text):
        super().__init__()
        self.images, self.sections, self.links, self.open, self.references = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag not in ("meta", "img", "link", "br", "input"):
            self.open.append(tag)
        if tag == "img":
            self.images.append(values)
        if tag == "section":
            self.sections.append(values["id"])
        if tag == "a":
            self.links.append(values["href"])
        self.references += [values[key] for key in ("src", "href") if key in values]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_well_formed_and_needs_nothing_else(whole_demo):
    process, folder = whole_demo
    text = (folder / "index.html").read_text(encoding="utf-8")
    parsed = Page(text)
    assert parsed.open == []
    assert parsed.sections == list(LABS)
    assert parsed.links == [f"#{name}" for name in LABS]
    assert all(reference.startswith(("#", "data:image/")) for reference in parsed.references)
    assert all(image["alt"] for image in parsed.images)
    assert len(parsed.images) == process.stdout.count("  figure ")
    assert not re.search(r"url\(|@import|<script[^>]* src|<link|fetch\(|import\(|https?://", text)
    assert "Every lab passed its self-checks." in text


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
MEASURE = """
<script>addEventListener("load", () => {
  const inside = document.querySelector("iframe").contentDocument;
  const look = () => ["d", "d", null].map((name, i) => {
    const part = inside.querySelector([".trail", ".now", "output"][i]);
    return name ? part.getAttribute(name) : part.textContent;
  });
  const slider = inside.querySelector("input[type=range]"), before = look();
  slider.value = slider.max;
  slider.dispatchEvent(new Event("input"));
  const changed = look().filter((part, i) => part !== before[i]).length;
  inside.querySelectorAll("details").forEach((folded) => (folded.open = true));
  const measured = [
    inside.documentElement.scrollWidth - inside.documentElement.clientWidth,
    [...inside.images].filter((image) => !image.complete || !image.naturalWidth).length,
    inside.images.length, inside.querySelectorAll("section").length,
    Math.round(parseFloat(inside.defaultView.getComputedStyle(inside.body).fontSize)),
    changed,
  ];
  document.title = "measured " + measured.join(" ");
});</script>
"""


@pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here; the page is checked as parsed, above"
)
@pytest.mark.parametrize("width", [1366, 390])
def test_page_fits_a_laptop_and_a_phone_in_a_browser(whole_demo, tmp_path, width):
    _, folder = whole_demo
    text = (
        (folder / "index.html")
        .read_text(encoding="utf-8")
        .replace("&", "&amp;")
        .replace('"', "&quot;")
    )
    frame = f'<iframe srcdoc="{text}" width="{width}" height="900"></iframe>'
    (tmp_path / "frame.html").write_text(
        f'<!doctype html><meta charset="utf-8">{frame}{MEASURE}', encoding="utf-8"
    )
    quiet = (
        "--disable-background-networking --disable-component-update --disable-sync --no-first-run"
    )
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", *quiet.split()]
    command += [
        f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=20000",
        "--dump-dom",
    ]
    command += [f"file://{tmp_path / 'frame.html'}"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    measured = re.search(r"<title>measured (\d+) (\d+) (\d+) (\d+) (\d+) (\d)</title>", shown)
    assert measured, shown[-2000:]
    overflow, broken, images, sections, font_size, changed = map(int, measured.groups())
    assert overflow == 0
    assert broken == 0
    assert images >= len(LABS)
    assert sections == len(LABS)
    assert font_size >= 16
    assert changed == 3, "the slider moves the trails, the particles and what it says"


def test_page_shows_under_each_lab_the_code_that_makes_its_numbers(whole_demo):
    text = (whole_demo[1] / "index.html").read_text(encoding="utf-8")
    for name in LABS:
        lab = importlib.import_module(f"gradlab.demo.labs.{name}")
        code = shown_code(lab)
        assert 3 <= len(code.splitlines()) <= 40
        ast.parse(code)
        assert "gradlab." in code
        source = [line.strip() for line in inspect.getsource(lab).splitlines()]
        assert [line for line in code.splitlines() if line and line.strip() not in source] == []
        (section,) = re.findall(rf'<section id="{name}">(.*?)</section>', text, re.S)
        assert "<details><summary>The code" in section
        assert html.escape(code) in section


def test_slider_shows_where_jax_says_that_the_particles_are(whole_demo):
    text = (whole_demo[1] / "index.html").read_text(encoding="utf-8")
    (choices,) = re.findall(r'<script type="application/json">(.*?)</script>', text)
    choices = json.loads(choices)
    assert len(choices) == len(particles.STEP_SIZES)
    samples = jax.random.uniform(jax.random.key(1), (10,), minval=-10, maxval=10)
    curve = gradlab.wavy_bowl(jnp.linspace(-11.0, 11.0, 200))
    for step_size, choice in zip(particles.STEP_SIZES, choices, strict=True):
        path = gradlab.descent_path(gradlab.wavy_bowl, samples, step_size, 20)
        x, y = np.array(re.findall(r"M([-.\d]+),([-.\d]+)h0", choice["now"]), float).T
        np.testing.assert_allclose((x - 30) / 640 * 22 - 11, path[-1], atol=0.01)
        height = (390 - y) / 360 * (curve.max() - curve.min()) + curve.min()
        np.testing.assert_allclose(height, gradlab.wavy_bowl(path[-1]), atol=0.02)
        assert choice["trail"].count("M") == 10
        assert choice["trail"].count("L") == 10 * 20
        mean = gradlab.wavy_bowl(path[-1]).mean()
        assert choice["says"].startswith(f"{step_size:g}: in 20 steps")
        assert choice["says"].endswith(f"to {mean:.2f}")


def twice(f):
    return lambda *args, **kwargs: 2 * f(*args, **kwargs)


def shifted(f):
    return lambda *args, **kwargs: f(*args, **kwargs) + 0.01


def with_slope(f, slope):
    """Return `f` with a derivative that is not its own."""
    wrong = jax.custom_jvp(f)
    wrong.defjvp(lambda x, dx: (f(*x), slope(*x) * dx[0]))
    return wrong


BROKEN = [
    ("derivatives", "nth_derivative", lambda f, n: gradlab.derivatives.nth_derivative(f, n + 1)),
    ("derivatives", "sine_squared", with_slope(gradlab.sine_squared, lambda x: jnp.cos(2 * x))),
    ("walks", "random_walk", twice(gradlab.random_walk)),
    (
        "walks",
        "random_walk",
        lambda m, s, k, n: gradlab.walks.random_walk(m, jax.lax.stop_gradient(s), k, n),
    ),
    ("particles", "move_samples", lambda g, x, s: x + s * jax.vmap(g)(x)),
    ("particles", "descend", shifted(gradlab.descend)),
    (
        "particles",
        "descent_path",
        lambda f, x, s, n: gradlab.particles.descent_path(f, x, 1.1 * s, n),
    ),
    ("logistic", "logistic_loss", shifted(gradlab.logistic_loss)),
    ("logistic", "predict", lambda W, b, x: 1 - gradlab.logistic.predict(W, b, x)),
    ("td", "td_error", twice(gradlab.td_error)),
    ("td", "td_loss", lambda *args, **_: gradlab.td.td_loss(*args, stop_target=False)),
    ("surrogates", "straight_through", lambda f, backward=None: f),
    (
        "surrogates",
        "straight_through",
        lambda f, backward=None: lambda x: x + jax.lax.stop_gradient(f(x) - x),
    ),
    (
        "per_example",
        "per_example_grads",
        lambda f, argnums=0: (
            lambda *args: jax.tree.map(
                twice(jnp.array), gradlab.per_example.per_example_grads(f, argnums)(*args)
            )
        ),
    ),
    ("jacobians", "paraboloid", twice(gradlab.paraboloid)),
    ("particles", "wavy_bowl", with_slope(gradlab.wavy_bowl, lambda x: jnp.sin(2 * x))),
    (
        "logistic",
        "load_penguins",
        lambda: gradlab.logistic.load_penguins().assign(species="Adelie"),
    ),
    ("td", "linear_value", twice(gradlab.linear_value)),
    (
        "differences",
        "step_sweep",
        lambda f, x: gradlab.differences.step_sweep(f, x, steps=[1e-2, 1e-3, 1e-5]),
    ),
    ("differences", "central_difference", lambda f, x, step=0.1: (f(x + step) - f(x)) / step),
]


@pytest.mark.parametrize(
    ("lab", "name", "broken"), BROKEN, ids=[f"{lab}-{i}" for i, (lab, *_) in enumerate(BROKEN)]
)
def test_a_broken_helper_fails_its_lab_and_the_demo(
    monkeypatch, capsys, tmp_path, lab, name, broken
):
    monkeypatch.setattr(gradlab, name, broken)
    assert main([lab, "--quick", "--no-figures", "--out", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "  FAILED " in shown
    assert re.search(rf"^  {lab} +FAILED  \d of \d checks held$", shown, re.M)
    assert "1 of 1 labs failed" in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("lab", LABS)
def test_a_lab_passes_where_nothing_is_broken(capsys, tmp_path, lab):
    """The other half of the test above, with other random numbers and sizes."""
    assert main([lab, "--quick", "--seed", "7", "--no-figures", "--out", str(tmp_path)]) == 0
    assert "FAILED" not in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_lab_that_raises_does_not_stop_the_others(monkeypatch, capsys, tmp_path):
    def explode(*args):
        raise RuntimeError("no such luck")

    monkeypatch.setattr(gradlab, "random_walk", explode)
    assert main(["walks", "surrogates", "--quick", "--out", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "RuntimeError: no such luck" in shown
    assert re.search(r"^  walks +FAILED  did not finish$", shown, re.M)
    assert re.search(r"^  surrogates +passed", shown, re.M)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "RuntimeError: no such luck" in text
    assert 'id="surrogates"' in text


def test_twice_into_the_same_folder_gives_the_same_files(tmp_path):
    outcomes = []
    for _ in range(2):
        assert main(["surrogates", "td", "--quick", "--out", str(tmp_path)]) == 0
        outcomes.append({path.name: path.read_bytes() for path in tmp_path.iterdir()})
    assert outcomes[0] == outcomes[1]


def test_accuracy_is_on_rows_that_training_did_not_see(whole_demo):
    seen, unseen = (
        re.search(rf"^ +{rows} +(\d+) .* ([01][.\d]*)$", whole_demo[0].stdout, re.M).groups()
        for rows in ("training", "unseen")
    )
    assert (int(seen[0]), int(unseen[0])) == (273, 69)
    # A share of 69 rows, which no share of the 273 equals.
    right = float(unseen[1]) * 69
    assert abs(right - round(right)) < 1e-3
    assert 62 <= right < 69


def test_quick_is_smaller(whole_demo, tmp_path, capsys):
    assert main(["walks", "--quick", "--no-figures", "--out", str(tmp_path)]) == 0
    assert "200 walks" in capsys.readouterr().out
    assert "2000 walks" in whole_demo[0].stdout


def test_the_same_lab_twice_is_run_once(tmp_path, capsys):
    assert main(["td", "td", "--quick", "--no-figures", "--out", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("gradlab demo: 1 lab,")
    assert (tmp_path / "index.html").read_text(encoding="utf-8").count('id="td"') == 1


def test_another_seed_gives_other_numbers(tmp_path, capsys):
    shown = []
    for seed in ("0", "1"):
        assert (
            main(["walks", "--quick", "--seed", seed, "--no-figures", "--out", str(tmp_path)]) == 0
        )
        shown.append(capsys.readouterr().out)
    assert shown[0] != shown[1]


def test_interrupted_it_leaves_only_whole_files_and_says_so(tmp_path):
    (tmp_path / "index.html").write_text("of an earlier run")
    # Where tests run in the background, SIGINT may be ignored, and children inherit that.
    heed = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    heed += "runpy.run_module('gradlab.demo', run_name='__main__', alter_sys=True)"
    command = [sys.executable, "-c", heed, "--out", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "figure" in line:
            break
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)  # an impatient second one disturbs nothing
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().endswith("are whole")
    assert len(said.splitlines()) == 1
    assert (tmp_path / "index.html").read_text() == "of an earlier run"
    for path in tmp_path.iterdir():
        assert not path.name.startswith(".")
        if path.suffix == ".png":
            Image.open(path).load()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("figures", [[], ["--no-figures"]])
def test_what_cannot_be_written_is_one_line_after_all_that_is_known(
    monkeypatch, capsys, tmp_path, number, figures
):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", refuse)
    assert main(["surrogates", "td", "--quick", *figures, "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert re.search(r"^  td +passed", said.out, re.M)
    assert said.err == (
        f"gradlab.demo: cannot write in {tmp_path}: {os.strerror(number)}; choose another folder "
        "with --out DIR\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_away_in_the_middle_is_one_line(monkeypatch, capsys, tmp_path):
    def go_away(*args):
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        return gradlab.td.td_error(*args)

    monkeypatch.setattr(gradlab, "td_error", go_away)
    assert main(["td", "--quick", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert "  td  passed" in said.out
    assert said.err.startswith("gradlab.demo: cannot write in ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(("into", "why"), [("/dev/full", "No space left"), ("&-", "is closed")])
def test_standard_output_that_takes_nothing_is_one_line(into, why):
    command = f"'{sys.executable}' -m gradlab.demo --list >{into}"
    process = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert process.returncode == 2
    assert process.stderr.startswith("gradlab.demo: cannot print: ")
    assert why in process.stderr
    assert len(process.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["JAX_PLATFORMS", "MPLBACKEND"])
def test_what_does_not_start_is_one_line_that_says_how_to_start_it(tmp_path, name):
    environment = {**os.environ, name: "nonsense"}
    process = demo("td", "--quick", "--no-figures", "--out", tmp_path, env=environment)
    assert process.returncode == 2
    assert re.fullmatch(
        rf"gradlab.demo: \w+ cannot start with {name}='nonsense' .*; unset it, or write {name}=\w+",
        process.stderr.rstrip("\n"),
    )


@pytest.mark.parametrize("error", [RuntimeError("no device"), AssertionError()])
def test_a_device_that_is_not_there_is_one_line(monkeypatch, capsys, tmp_path, error):
    def fail():
        raise error

    monkeypatch.setattr(jax, "default_backend", fail)
    assert main(["td", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("gradlab.demo: JAX cannot start with JAX_PLATFORMS='")
    assert len(said.err.splitlines()) == 1


def test_no_key_is_used_twice():
    with jax.debug_key_reuse(True):  # holds in this thread, so the lab is run here
        findings = walks.run(Settings(quick=True))
        assert all(check.holds for check in findings.checks)
        key = jax.random.key(0)
        jax.random.normal(key)
        with pytest.raises(jax.errors.KeyReuseError):  # the negative control
            jax.random.normal(key)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_a_file_is_written_whole_or_not_at_all(tmp_path, error):
    target = tmp_path / "figure.png"
    target.write_text("old")

    def write_half(path):
        path.write_text("ne")
        raise error

    with pytest.raises(error):
        write_whole(target, write_half)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"figure.png": "old"}
    write_whole(target, lambda path: path.write_text("new"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"figure.png": "new"}


@pytest.mark.parametrize("seed", ["-1", "2147483648", "one"])
def test_a_seed_out_of_range_is_refused(capsys, seed):
    with pytest.raises(SystemExit) as stopped:
        main(["--seed", seed])
    assert stopped.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(f"--seed: got {seed}, expected a whole number from 0 to 2³¹ − 1")


def test_a_reader_that_leaves_does_not_make_it_crash(tmp_path):
    command = (
        f"'{sys.executable}' -m gradlab.demo td --quick --no-figures --out '{tmp_path}' | head -n 1"
    )
    process = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert process.stdout.startswith("gradlab demo: 1 lab")
    assert process.stderr == ""


def test_a_terminal_that_lacks_letters_still_shows_the_rest(monkeypatch, tmp_path):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    with pytest.raises(UnicodeEncodeError):  # the negative control
        print("√")
    assert main(["td", "--quick", "--no-figures", "--out", str(tmp_path)]) == 0
    terminal.flush()
    shown = terminal.buffer.getvalue()
    assert b"Summary" in shown
    assert b"?" in shown


def test_colour_is_for_terminals_that_want_it(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert paint("passed", GREEN) == "\033[32mpassed\033[0m"
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as context:
            context.setenv(name, value)
            assert paint("passed", GREEN) == "passed"


def test_a_page_that_is_a_folder_is_refused(capsys, tmp_path):
    (tmp_path / "index.html").mkdir()
    assert main(["td", "--out", str(tmp_path)]) == 2
    assert "its index.html is a folder" in capsys.readouterr().err


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(capsys, tmp_path, out):
    (tmp_path / "file").write_text("in the way")
    assert main(["--out", str(tmp_path / out)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"gradlab.demo: cannot write in {tmp_path / out}: ")
    assert said.err.endswith("; choose another folder with --out DIR\n")
    assert len(said.err.splitlines()) == 1


def test_an_unknown_lab_is_refused_with_the_names_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["particle"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(f"error: no lab is named particle; there are {', '.join(LABS)}")


def test_list_names_every_lab_with_its_title(capsys):
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1) for line in lines] == [
        [name, title] for name, title in LABS.items()
    ]


def test_show_without_a_screen_says_where_the_figures_are(monkeypatch, capsys, tmp_path):
    assert main(["td", "--quick", "--show", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert f"--show: there is no screen to open windows on; the figures are in {tmp_path}" in shown
    assert (tmp_path / "td-a-split.png").is_file()


@pytest.mark.parametrize("backend", ["agg", "pdf", "svg"])
def test_show_without_a_screen_or_figures_says_so(monkeypatch, capsys, tmp_path, backend):
    monkeypatch.setattr(plt, "get_backend", lambda: backend)
    assert main(["td", "--quick", "--show", "--no-figures", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out.splitlines()[-1]
    assert shown == (
        "--show: there is no screen to open windows on; and with --no-figures none is written"
    )


def test_the_first_line_comes_before_all_that_takes_time(tmp_path):
    command = [sys.executable, "-X", "importtime", *DEMO[1:], "td", "--quick", "--no-figures"]
    logged = os.environ | {"JAX_LOG_COMPILES": "1"}
    shown = subprocess.run(
        [*command, "--out", tmp_path], text=True, env=logged, stdout=-1, stderr=subprocess.STDOUT
    ).stdout
    line = f"gradlab demo: 1 lab, JAX {jax.__version__} on {jax.default_backend()}, seed 0\n"
    before, after = shown.split(line)
    for costly in ("matplotlib", "pandas", "Compiling jit"):
        assert costly not in before
        assert costly in after  # the negative control


@pytest.mark.parametrize(
    ("got", "expected", "within", "holds"),
    [
        (1.0, 1.0, 0.0, True),
        (1.0, 1.1, 0.05, False),
        ([1.0, 2.0], [1.0, 2.5], 0.4, False),
        (float("nan"), 1.0, 1e9, False),
        ([1.0, 2.0], 1.0, 1e9, False),
    ],
)
def test_a_number_is_close_or_it_is_not(got, expected, within, holds):
    assert check_close("claim", got, expected, within).holds is holds


@pytest.mark.parametrize(("got", "holds"), [(0.9, True), (1.0, False), (float("nan"), False)])
def test_a_number_is_below_its_limit_or_it_is_not(got, holds):
    assert check_below("claim", got, 1.0).holds is holds


@pytest.mark.parametrize("factor", [1.0, 1.0001, -1.0, 0.0, float("nan")])
def test_a_gradient_agrees_with_differences_only_if_it_is_right(factor):
    @jax.custom_jvp
    def cube(x):
        return x**3

    cube.defjvp(lambda x, dx: (x[0] ** 3, factor * 3 * x[0] ** 2 * dx[0]))
    assert check_gradient("claim", cube, (2.0,)).holds is (factor == 1.0)
    assert not jax.config.jax_enable_x64


def test_page_shows_text_as_text():
    findings = Findings({}, "<b>1 < 2</b>", [Check("a & b", False, '"quoted"')])
    text = page([Report("lab", "<title>", findings)], "1 > 0")
    for escaped in (
        "&lt;b&gt;1 &lt; 2&lt;/b&gt;",
        "a &amp; b",
        "&quot;quoted&quot;",
        "&lt;title&gt;",
    ):
        assert escaped in text
    assert Page(text).open == []
