"""A study is checked before anything runs: every mistake is a line, with the nearest name that would have been right."""

import json
import re
from pathlib import Path

import pytest

from simnet.claims import CLAIMS, STUDY_CLAIMS
from simnet.study import FigureSpec, StudyError, load_study, run_study

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))

GOOD = {
    "title": "T",
    "question": "Q?",
    "claim": "attribute_recovery",
    "trials": 3,
    "grid": {"sketch_dim": [64, 128], "matrices": ["trig", "gaussian"]},
}


def text(**changes):
    """A study as TOML, which takes JSON's numbers, texts and lists; tables are written out."""

    def value(x):
        if isinstance(x, dict):
            return "{" + ", ".join(f'"{key}" = {value(inner)}' for key, inner in x.items()) + "}"
        return "[" + ", ".join(map(value, x)) + "]" if isinstance(x, list) else json.dumps(x, ensure_ascii=False)

    return "\n".join(f"{key} = {value(x)}" for key, x in (GOOD | changes).items() if x is not None)


@pytest.fixture
def load(tmp_path):
    def load(**changes):
        path = tmp_path / "mine.toml"
        path.write_text(text(**changes))
        return load_study(path)

    return load


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_shipped_studies_are_right_and_have_a_figure(path):
    study = load_study(path)
    assert study.question.endswith("?")
    assert study.figures
    assert study.timeout is not None


@pytest.mark.parametrize("claim", [*CLAIMS.values(), *STUDY_CLAIMS.values()], ids=lambda claim: claim.name)
def test_what_a_claim_declares_is_what_its_own_cases_use(claim):
    declared = claim.declared()
    used = [(name, parameter.default) for name, parameter in declared.items()]
    used += [pair for quick in (True, False) for case in claim.cases(quick=quick) for pair in case.parameters.items()]
    for name, value in used:
        if value is not None:
            declared[name].check(name, value)


def test_a_grid_is_every_combination_of_lists_ranges_and_lists_that_vary_together(load):
    study = load(
        parameters={"network": {"family": "tree", "attribute_dim": 4}},
        grid={"sketch_dim": {"powers_of_two": [6, 8]}, "network": {"height": [1, 2]}},
        zip=[{"matrices": ["trig", {"family": "block", "density": 0.25}], "label": ["a", "b"]}],
    )
    assert len(study.points) == 3 * 2 * 2
    first, last = study.points[0].parameters, study.points[-1].parameters
    assert first["network"] == {"family": "tree", "attribute_dim": 4, "height": 1}
    assert (first["sketch_dim"], first["matrices"], first["label"]) == (64, "trig", "a")
    assert (last["sketch_dim"], last["matrices"]["density"], last["network"]["height"]) == (256, 0.25, 2)
    assert first["runs"] == 4, "defaults are filled in"
    assert study.varying == ("label", "sketch_dim", "network.height", "matrices", "matrices.family", "matrices.density")


def test_the_seeds_of_a_point_do_not_depend_on_what_is_written_down_or_its_label(load):
    study = load()
    spelt = load(parameters={"runs": 4, "label": "so called"})
    other = load(parameters={"runs": 5})
    seeds = [[s.trial_seed(point, 0) for point in s.points] for s in (study, spelt, other)]
    assert seeds[0] == seeds[1]
    assert len({*seeds[0], *seeds[2]}) == 8
    assert load(seed=1).trial_seed(study.points[0], 0) not in seeds[0]


def test_figures_are_read(load):
    study = load(figure=[{"x": "sketch_dim", "quantity": "MSE*", "panel": "matrices", "x_scale": "log2", "caption": "C"}])
    assert study.figures == (FigureSpec("sketch_dim", ("MSE*",), panel="matrices", x_scale="log2", caption="C"),)


MISTAKES = {
    "an unknown key": ({"trails": 3}, ["key = 'trails'", "did you mean 'trials'?"]),
    "no title": ({"title": None}, ["title = 'missing'", "must be a text"]),
    "an unknown claim": (
        {"claim": "atribute_recovery"},
        ["claim = 'atribute_recovery'", "'attribute_recovery'?"],
    ),
    "no trials": ({"trials": 0}, ["trials = 0", "between 1 and 1000000"]),
    "a seed below 0": ({"seed": -1}, ["seed = -1", ">= 0"]),
    "a probability": ({"failure_probability": 1.5}, ["failure_probability = 1.5", "(0, 1)"]),
    "a timeout": ({"timeout": -2}, ["timeout = -2"]),
    "an unknown parameter": ({"grid": {"sketch_dims": [64]}}, ["'sketch_dims'", "did you mean 'sketch_dim'?"]),
    "a parameter of another claim": ({"parameters": {"size_ratio": 1.0}}, ["'size_ratio'", "must be one of"]),
    "an unknown family": ({"grid": {"matrices": ["gausian"]}}, ["matrices = 'gausian'", "did you mean 'gaussian'?"]),
    "a size": ({"grid": {"sketch_dim": [64, 0]}}, ["sketch_dim = 0", ">= 1"]),
    "no list": ({"grid": {"sketch_dim": 64}}, ["grid.sketch_dim = 64", "must be a list", "[parameters]"]),
    "an empty list": ({"grid": {"sketch_dim": []}}, ["grid.sketch_dim = []"]),
    "a range upside down": (
        {"grid": {"sketch_dim": {"powers_of_two": [8, 6]}}},
        ["powers_of_two[1] = 6", "8 and 53"],
    ),
    "half a range": ({"grid": {"sketch_dim": {"powers_of_two": [8]}}}, ["powers_of_two = [8, 12]"]),
    "lists of two lengths": ({"zip": [{"runs": [1, 2], "mean": [True]}]}, ["zip[0]", "one length"]),
    "twice": ({"zip": [{"sketch_dim": [64]}]}, ["sketch_dim: varies in [grid] or [[zip]] twice"]),
    "a network family": (
        {"parameters": {"network": {"family": "treee"}}},
        ["network.family = 'treee'", "did you mean 'tree'?"],
    ),
    "an option of a network": (
        {"parameters": {"network": {"family": "tree", "hight": 3}}},
        ["option of network 'tree' = 'hight'", "did you mean 'height'?"],
    ),
    "a value of a network": ({"parameters": {"network": {"family": "tree", "height": 0}}}, ["network.height = 0"]),
    "no table for a network": ({"parameters": {"network": "tree"}}, ["network = 'tree'", "must be a table"]),
    "an option of a family": (
        {"grid": {"matrices": [{"family": "block", "densty": 0.5}]}},
        ["option of matrices 'block' = 'densty'", "did you mean 'density'?"],
    ),
    "a recipe": ({"parameters": {"recipe": "recursiv"}}, ["recipe = 'recursiv'", "did you mean 'recursive'?"]),
    "a constant of a recipe": ({"parameters": {"recipe": {"mixin": 0.5}}}, ["'mixin'", "did you mean 'mixing'?"]),
    "into no table": (
        {"parameters": {"recipe": "recursive"}, "grid": {"recipe": {"mixing": [0.1]}}},
        ["recipe.mixing", "'recursive' is not a table"],
    ),
    "a defect": ({"parameters": {"defect": "one roud"}}, ["defect = 'one roud'", "did you mean 'one round'?"]),
    "what does not go together": ({"grid": {"sketch_dim": [4]}}, ["sketch_dim = 4", "attribute_dim"]),
    "a figure without x": ({"figure": [{"quantity": "*"}]}, ["figure[0].x", "missing"]),
    "a scale": ({"figure": [{"x": "sketch_dim", "quantity": "*", "x_scale": "log3"}]}, ["x_scale = 'log3'", "'log2'"]),
    "x of a figure": ({"figure": [{"x": "sketchdim", "quantity": "*"}]}, ["figure[0].x = 'sketchdim'", "'sketch_dim'?"]),
    "a key of a figure": ({"figure": [{"x": "sketch_dim", "quantity": "*", "colour": "y"}]}, ["'colour'"]),
    "a series": ({"figure": [{"x": "sketch_dim", "quantity": "*", "series": "matrix"}]}, ["'matrix'", "'matrices'?"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_that_names_it(load, name):
    changes, parts = MISTAKES[name]
    with pytest.raises(StudyError) as error:
        load(**changes)
    (line,) = error.value.mistakes
    assert "\n" not in line
    assert "mine.toml: " in line
    assert all(part in line for part in parts), line


def test_all_mistakes_are_told_at_once(load):
    with pytest.raises(ValueError, match="trials") as error:
        load(trials="many", seed=-1, grid={"matrices": ["gausian", "trigg"], "sketch_dim": [0]}, typo=1)
    assert len(str(error.value).splitlines()) == 6


def test_what_is_no_toml_is_one_line(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text("title = ")
    with pytest.raises(StudyError, match="is not TOML") as error:
        load_study(path)
    assert len(error.value.mistakes) == 1


CLAIM_FILES = {
    "no file": ("other.py:A", "there is no file"),
    "no class": ("claim.py:Fsat", "did you mean 'Fast'?"),
    "what does not run": ("broken.py:A", "NameError"),
    "no name": ("nameless.py:Nameless", "must have a name"),
}


@pytest.mark.parametrize("name", CLAIM_FILES)
def test_a_claim_of_a_file_that_is_not_right(place, name):
    claim, part = CLAIM_FILES[name]
    (place.folder / "broken.py").write_text("nonsense\n")
    without = (place.folder / "claim.py").read_text().replace('name = "fast"', "").replace("class Fast", "class Nameless")
    (place.folder / "nameless.py").write_text(without)
    path = place.write()
    path.write_text(path.read_text().replace("claim.py:Fast", claim))
    with pytest.raises(StudyError) as error:
        load_study(path)
    (line,) = error.value.mistakes
    assert part in line


def test_a_claim_of_a_file_says_what_it_takes(place):
    load_study(place.write(grid="truth = [1.0, 2.0]"))
    with pytest.raises(StudyError, match="did you mean 'pause'") as error:
        load_study(place.write(grid="paus = [1.0]"))
    assert len(error.value.mistakes) == 1
    with pytest.raises(StudyError, match="how = 'badly'"):
        load_study(place.write(grid='how = ["badly"]'))


def test_a_parameter_cannot_be_called_like_a_column(place):
    claim = place.folder / "claim.py"
    claim.write_text(claim.read_text().replace('"pause": 0.0', '"pause": 0.0, "ratio": 1.0'))
    with pytest.raises(StudyError, match="'ratio'"):
        load_study(place.write())


def test_the_law_of_ones_own_in_the_guide_runs(tmp_path):
    guide = (EXPERIMENTS[0].parent / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "my_law.py").write_text(code)
    described = dict(GOOD, claim="my_law.py:MyLaw", trials=20, grid={"matrices": ["trig", "gaussian"]})
    (tmp_path / "mine.toml").write_text(text(**described))
    results = run_study(load_study(tmp_path / "mine.toml"), output=tmp_path / "out", cache=tmp_path / "cache")
    assert len(results.summary) == 2
    assert results.unexpected.empty


def test_the_file_in_the_guide_is_right(tmp_path):
    guide = (EXPERIMENTS[0].parent / "README.md").read_text()
    (described,) = re.findall(r"```toml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "study.toml").write_text(described)
    assert len(load_study(tmp_path / "study.toml").points) == 2 * 5 * 2 * 2


def test_every_study_is_in_the_guide_with_its_question():
    guide = (EXPERIMENTS[0].parent / "README.md").read_text()
    named = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert named == {path.stem for path in EXPERIMENTS}
