"""The pages of the lessons: complete, offline, and used in a real browser."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lessons.browser import browser, executable
from lessons.execution import FOLDER, NOTEBOOKS, read
from lessons.length import length
from lessons.structure import CHOICE, CORE, glossary

NAMES = [path.stem for path in NOTEBOOKS]
in_a_browser = pytest.mark.skipif(executable() is None, reason="no Chromium or Chrome on the PATH")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site") / "new" / "folder"
    command = [sys.executable, FOLDER / "write_site.py", folder]
    process = subprocess.run(command, capture_output=True, text=True, check=True)
    assert process.stderr == ""
    assert str(folder / "index.html") in process.stdout
    return folder


@pytest.fixture(scope="module")
def tab():
    with browser() as tab:
        yield tab


class Page(HTMLParser):
    """The text of a page, its links, and what it would load."""

    def __init__(self, file: Path):
        super().__init__()
        self.links, self.loads, self.text, self.alts = [], [], "", []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "a":
            self.links.append(attrs["href"])
        elif "src" in attrs or tag in ("link", "iframe"):
            self.loads.append(attrs.get("src", tag))
        if tag == "img":
            self.alts.append(attrs.get("alt", ""))

    def handle_data(self, data):
        self.text += data


# What is on the pages


def test_there_is_a_page_for_every_notebook_an_index_and_a_glossary(site):
    expected = {"index.html", "glossary.html", *(f"{name}.html" for name in NAMES)}
    assert {path.name for path in site.glob("*.html")} == expected
    assert {path.stem for path in site.glob("*.ipynb")} == set(NAMES)


def test_pages_load_nothing_and_link_to_what_is_there(site):
    for file in site.glob("*.html"):
        page = Page(file)
        for source in page.loads:
            assert source.startswith(("data:image/png", "data:image/gif")), file.name
        assert all(len(alt) > 20 for alt in page.alts), file.name
        local = [link for link in page.links if not link.startswith(("https:", "#"))]
        assert [link for link in local if not (site / link.partition("#")[0]).is_file()] == []


def test_index_has_the_core_the_electives_and_their_lengths(site):
    index = Page(site / "index.html")
    core, _, electives = index.text.partition("The core")[2].partition("Electives")
    for path in NOTEBOOKS:
        notebook = read(path)
        title = notebook.cells[0].source.partition("\n")[0].removeprefix("# ")
        part = core if path.stem[:2] in CORE else electives
        assert f"{title} about {length(notebook).minutes} minutes" in " ".join(part.split())
        assert f"{path.stem}.html" in index.links
        assert title in Page(site / f"{path.stem}.html").text


def test_a_fold_says_whether_a_figure_or_an_answer_is_behind_it(site):
    page = (site / "11_when_gradients_lie.html").read_text(encoding="utf-8")
    folds = page.split('<details class="answer"><summary>')[1:]
    for fold in folds:
        figure = "<img " in fold.partition("</details>")[0]
        assert fold.startswith("Show the figure" if figure else "Show the answer")
    assert len(folds) == 6


def test_glossary_has_every_word_of_every_lesson(site):
    page = Page(site / "glossary.html")
    for path in NOTEBOOKS:
        for word in glossary(read(path)):
            assert f"\n{word}\n" in page.text, word
        assert f"{path.stem}.html" in page.links


# In a browser


@in_a_browser
@pytest.mark.parametrize("name", NAMES)
def test_answers_are_seen_after_a_click_and_not_before(site, tab, name):
    notebook = read(FOLDER / f"{name}.ipynb")
    tab.open(site / f"{name}.html")
    answers = "[...document.querySelectorAll('details.answer')]"
    assert tab(f"{answers}.length") >= 2
    assert not tab(f"{answers}.some(it => it.querySelector('.output_area').checkVisibility())")
    seen = "document.body.innerText.split('The answer is').length - 1"
    assert tab(seen) == 0
    asked = [c for c in notebook.cells if c.cell_type == "markdown" and CHOICE.search(c.source)]
    assert tab("document.querySelectorAll('.choices').length") == len(asked) >= 1
    for number, cell in enumerate(asked):
        group = f"document.querySelectorAll('.choices')[{number}]"
        letters = CHOICE.findall(cell.source)
        assert tab(f"{group}.querySelectorAll('button').length") == len(letters)
        before = tab(seen)
        said = []
        for letter in range(1, len(letters) + 1):
            tab(f"{group}.setAttribute('id', 'asked')")
            tab.click(f"#asked button:nth-child({letter})")
            tab(f"{group}.removeAttribute('id')")
            said.append(tab(f"{group}.nextElementSibling.innerText"))
            assert tab(seen) == before + 1
            assert tab(f"{group}.querySelectorAll('[aria-pressed=true]').length") == 1
        assert sorted(text.startswith("Yes, ") for text in said)[-2:] == [False, True]
        assert len(set(said)) == len(said)
    tab.click("details.answer > summary")
    assert tab.errors == []


@in_a_browser
@pytest.mark.parametrize("name", ["index", "glossary", *NAMES])
def test_pages_fit_a_phone_and_have_no_errors(site, tab, name):
    tab.open(site / f"{name}.html", width=360, height=740)
    assert tab("document.documentElement.scrollWidth") <= 360
    assert tab.errors == []


WIDGETS = {  # id: (lesson, what is done, what the readout says then)
    "turn-arrow": ("03", {90: "slope along the arrow 0.300", 0: "slope along the arrow 0.909"}),
    "step-size": ("03", {9: "factor 0.00", 20: "factor -1.10"}),
}


@in_a_browser
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("widget", WIDGETS)
def test_a_slider_is_moved_and_the_readout_follows(site, tab, widget, width):
    number, positions = WIDGETS[widget]
    (name,) = [name for name in NAMES if name.startswith(number)]
    tab.open(site / f"{name}.html", width)
    slider, readout = f"#{widget} input[type=range]", f"#{widget} [data-role=readout]"
    assert tab.sees(slider)
    drawn = f"[...document.querySelectorAll('#{widget} svg')].map(it => it.innerHTML).join()"
    pictures = set()
    for position, said in positions.items():
        step = int(tab(f"document.querySelector('{slider}').step || 1"))
        beside = position - step if position else step
        tab(f"document.querySelector('{slider}').value = {beside}")
        tab(f"document.querySelector('{slider}').focus()")
        tab.press("ArrowRight" if position else "ArrowLeft")
        assert said in tab(f"document.querySelector('{readout}').innerText").replace("−", "-")
        pictures.add(tab(drawn))
    assert len(pictures) == len(positions)
    box = tab(f"document.querySelector('#{widget}').getBoundingClientRect().toJSON()")
    assert box["left"] >= 0
    assert box["right"] <= width
    assert tab.errors == []


@in_a_browser
def test_the_backward_pass_is_stepped_through(site, tab):
    (name,) = [name for name in NAMES if name.startswith("02")]
    tab.open(site / f"{name}.html")
    readout = "document.querySelector('#backward-pass [data-role=readout]').innerText"
    first = tab(readout)
    for _ in range(6):
        before = tab(readout)
        tab.click("#backward-pass [data-role=next]")
        assert tab(readout) != before
    assert "x: 36, y: 45" in tab(readout)
    assert tab("document.querySelector('#backward-pass [data-role=next]').disabled")
    tab.click("#backward-pass [data-role=again]")
    assert tab(readout) == first
    assert tab.errors == []


@in_a_browser
def test_the_browser_tells_an_error_and_what_is_not_seen(tab, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<p id='a' hidden>x</p><p id='b'>y</p><script>oops()</script>")
    tab.open(page)
    assert (tab.sees("#a"), tab.sees("#b")) == (False, True)
    assert "oops is not defined" in tab.errors[0]
    page.write_text("<img src='https://example.com/a.png'>")
    tab.open(page)
    assert "ERR_INTERNET_DISCONNECTED" in "".join(tab.errors)
