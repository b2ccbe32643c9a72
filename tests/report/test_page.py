"""The page holds what the results say, is valid, refers to nothing outside itself, and escapes what a study says."""

import dataclasses
import html.parser
import itertools
import re
from pathlib import Path

import pandas as pd
import pytest

from simnet.claims import CLAIMS, STUDY_CLAIMS
from simnet.report.page import page, result_folders, write_figures
from tests.report.browser import CHROMIUM, Browser

VOID = {"meta", "link", "br"}


class Reader(html.parser.HTMLParser):
    """Elements, text and attributes of a page; a tag that is not closed in its turn is a mistake."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.scripts, self.mistakes = [], [], [], []
        self.feed(text)
        self.close()
        self.mistakes += [f"{tag} is not closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) < len(names):
            self.mistakes.append(f"{tag}: an attribute twice")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.mistakes.append(f"</{tag}> closes something else")

    def handle_data(self, data):
        if self.open and self.open[-1] == "script":
            self.scripts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def text(folder, results):
    return page([(folder, results)])


@pytest.fixture(scope="module")
def plain(results):
    """The results without figures, which take the time."""
    return dataclasses.replace(results, study=dataclasses.replace(results.study, figures=()))


@pytest.fixture(scope="module")
def read(text):
    return Reader(text)


def test_the_page_is_well_formed_and_says_what_a_browser_and_a_reader_need(text, read):
    assert text.startswith("<!DOCTYPE html>")
    assert read.mistakes == []
    assert read.all("html") == [{"lang": "en"}]
    assert "width=device-width" in str(read.all("meta"))
    names = [attributes["id"] for _, attributes in read.elements if "id" in attributes]
    assert len(set(names)) == len(names)
    assert [attributes["scope"] for attributes in read.all("th")].count("col") == len(read.all("th"))
    assert len(read.all("caption")) == len(read.all("table")) == 1
    levels = [int(tag[1]) for tag, _ in read.elements if tag in ("h1", "h2", "h3")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for svg in read.all("svg"):
        assert svg["role"] == "img"
        assert svg["aria-labelledby"] in names


@pytest.mark.parametrize("broken", ["<p><b></p>", "<p", "<i></b></i>", '<a x="1" x="2"></a>'])
def test_the_reader_sees_a_mistake(broken):
    assert Reader(f"<!DOCTYPE html><html>{broken}</html>").mistakes


def test_every_name_that_a_figure_refers_to_is_in_the_page(text, read):
    names = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    wanted = set(re.findall(r'(?:href="|url\()#([^")]+)', text))
    assert wanted
    assert wanted <= names


def test_nothing_outside_the_page_is_referred_to(text, read):
    assert "http:" not in text
    assert "https:" not in text
    references = [v for _, attributes in read.elements for k, v in attributes.items() if k in ("src", "href", "srcset")]
    assert all(reference.startswith(("#", "data:,")) for reference in references)
    assert "@import" not in text
    assert "default-src 'none'" in str(read.all("meta"))


def test_what_a_study_says_is_escaped(text, read):
    assert len(read.scripts) == 1
    assert "alert" not in read.scripts[0]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; size" in text
    assert "Is &lt;b&gt;c&lt;/b&gt; &lt; d?" in text
    assert "<i>at</i>" not in text
    assert not {"b", "i"} & {tag for tag, _ in read.elements}


def test_every_row_and_every_figure_is_there(text, read, results):
    table = text[text.index("<tbody>") : text.index("</tbody>")]
    assert table.count("<tr>") == len(results.summary)
    assert table.count("✓ holds") == int(results.summary.holds.sum()) == len(results.summary)
    for value in results.summary.measured:
        assert f'data-value="{value:.9g}"' in table
    # two widths of the figure with panels, one of the other
    assert len(read.all("svg")) == 3
    assert len(read.all("figure")) == 2
    assert "all 12 rows hold" in text


def test_the_law_the_commands_and_the_provenance_are_there(text, folder, results):
    assert CLAIMS["attribute_recovery"].statement[:30] in text
    assert "MSE<sub>j</sub> = (K(s,s) − c²‖x‖²)" in text
    assert f"simnet report {folder.as_posix()} --figures" in text
    assert f"<dt>seed</dt><dd>{results.study.seed}</dd>" in text


def test_every_claim_has_a_statement_and_a_formula_of_one_line():
    for name, claim in (CLAIMS | STUDY_CLAIMS).items():
        assert claim.statement.endswith("."), name
        assert claim.formula, name
        assert "\n" not in claim.statement + claim.formula, name


def test_a_row_that_fails_shows_and_so_does_its_study(folder, plain):
    summary = plain.summary.copy()
    summary.loc[3, "holds"] = False
    text = page([(folder, plain), (Path("results/other"), dataclasses.replace(plain, summary=summary))])
    assert Reader(text).mistakes == []
    assert "1 of 2 studies fail" in text
    assert "1 of 12 rows are not as they should be" in text
    assert text.count("✗ fails") == 2  # the row, and its study in the overview
    assert 'href="#study-2"' in text


def test_a_planted_defect_must_be_caught(folder, plain):
    summary = plain.summary.assign(expected="fails")
    caught = page([(folder, dataclasses.replace(plain, summary=summary.assign(holds=pd.array([False] * 12, "boolean"))))])
    assert caught.count("✓ fails, as it must") == 12
    assert "12 rows are as they should be" in caught
    missed = page([(folder, dataclasses.replace(plain, summary=summary))])
    assert "✗ holds" in missed
    assert "12 of 12 rows are not as they should be" in missed


def test_trials_without_a_result_are_listed(folder, plain):
    lost = plain.trials.iloc[:1].assign(status="failed", error="RuntimeError: <img src=x>")
    trials = pd.concat([lost, plain.trials.iloc[1:]])
    text = page([(folder, dataclasses.replace(plain, trials=trials, summary=plain.summary.assign(failed=1)))])
    assert Reader(text).mistakes == []
    assert "RuntimeError: &lt;img src=x&gt;" in text
    assert "6 trials without a result" in text


def test_a_claim_of_a_users_own_is_named_and_not_run(folder, plain):
    text = page([(folder, dataclasses.replace(plain, study=dataclasses.replace(plain.study, claim="mine.py:Law")))])
    assert "<strong>mine.py:Law</strong></p>" in text


def test_figures_as_files(folder, results):
    names = [path.relative_to(folder).as_posix() for path in write_figures(folder, results)]
    assert names == [f"figures/figure-{i}.{ending}" for i in (1, 2) for ending in ("svg", "pdf", "png")]
    assert all((folder / name).stat().st_size > 1000 for name in names)


def test_folders_are_found_by_what_is_in_them(folder, tmp_path):
    assert result_folders(folder) == [folder]
    assert result_folders(folder.parent) == [folder]
    for wrong in (tmp_path, tmp_path / "missing", folder / "summary.csv"):
        with pytest.raises(ValueError, match=str(wrong)):
            result_folders(wrong)


@pytest.mark.parametrize("column", ["law", "holds", "expected"])
def test_a_table_that_lacks_a_column_is_one_line_with_the_folder(folder, plain, column):
    with pytest.raises(ValueError, match=column) as caught:
        page([(folder, dataclasses.replace(plain, summary=plain.summary.drop(columns=column)))])
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on the path")
    with Browser() as one:
        yield one


@pytest.fixture
def shown(browser, text, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(text)

    def show(**options):
        browser.open(file, **options)
        assert browser.requested() == [file.resolve().as_uri()]
        assert browser.complaints() == []

    return show


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_its_window(browser, shown, width):
    shown(width=width)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    wide = "document.querySelector('.wide').checkVisibility()"
    assert browser.evaluate(wide) is (width > 768)
    # the table is wider than a phone, and moves inside its own frame
    assert browser.evaluate("(s => s.scrollWidth > s.clientWidth)(document.querySelector('.scroll'))") or width > 768


@pytest.mark.parametrize("dark", [False, True])
def test_text_stands_out_from_its_background_in_light_and_dark(browser, shown, dark):
    shown(dark=dark)
    ratios = browser.evaluate(
        """
        (() => {
          const light = text => {
            const [r, g, b] = text.match(/[\\d.]+/g).map(Number)
              .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ground = element => {
            for (let e = element; e; e = e.parentElement) {
              const colour = getComputedStyle(e).backgroundColor;
              if (!colour.includes("rgba")) return light(colour);
            }
          };
          return [...document.querySelectorAll("p, td, th, caption, dt, dd, a, code, .verdict, figcaption, svg")].map(e => {
            const [a, b] = [light(getComputedStyle(e).color), ground(e)].sort();
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
          });
        })()
        """
    )
    assert len(ratios) > 100
    assert min(ratios) >= 4.5
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is not dark


def test_a_table_sorts_by_keyboard_up_and_down_and_by_number(browser, shown, results):
    shown()
    browser.evaluate("[...document.querySelectorAll('th button')].find(b => b.textContent == 'measured').focus()")
    place = "[...document.querySelectorAll('th')].findIndex(h => h.hasAttribute('aria-sort'))"
    values = "[...document.querySelectorAll('tbody tr')].map(r => Number(r.cells[%s].dataset.value))"
    expected = sorted(float(f"{value:.9g}") for value in results.summary.measured)
    for direction, order in (("ascending", expected), ("descending", expected[::-1])):
        browser.press("Enter")
        assert browser.evaluate("document.querySelector('[aria-sort]').ariaSort") == direction
        assert browser.evaluate(values % place) == order


def test_no_other_script_runs(browser, text, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(text.replace("</main>", "</main><script>document.title = 'changed'</script>"))
    browser.open(file)
    assert browser.evaluate("document.title") != "changed"
    assert browser.complaints()
