"""`simnet report`: the page is written whole, and a folder that is not of a study is one line and status 2."""

import shutil

import pytest

from simnet import cli


@pytest.fixture
def command(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["simnet", "report", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def copy(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "copy")


def test_one_study_and_a_folder_of_studies(command, copy, tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert command(copy, "--open")[0] == 0
    assert opened == [(copy / "report.html").resolve().as_uri()]
    assert (copy / "report.html").read_text().startswith("<!DOCTYPE html>")
    (tmp_path / "animations").mkdir()
    status, out, _ = command(tmp_path, "-o", tmp_path / "all.html", "--figures")
    assert status == 0
    assert "1 study" in out
    assert (copy / "figures" / "figure-2.pdf").is_file()
    assert (tmp_path / "all.html").read_text().endswith("</html>")
    assert not list(tmp_path.glob("*.partial"))


DAMAGES = {
    "no summary": lambda place: (place / "summary.csv").unlink(),
    "an empty summary": lambda place: (place / "summary.csv").write_text(""),
    "another summary": lambda place: (place / "summary.csv").write_text("a,b\n1,2\n"),
    "half a table": lambda place: (place / "trials.parquet").write_bytes(b"PAR1 and then nothing"),
    "no provenance": lambda place: (place / "provenance.json").unlink(),
    "provenance that is a list": lambda place: (place / "provenance.json").write_text("[1]"),
    "provenance that is cut off": lambda place: (place / "provenance.json").write_text("{"),
    "another toml": lambda place: (place / "study.toml").write_text("[tool]\nname = 'x'\n"),
    "no toml": lambda place: (place / "study.toml").write_bytes(b"\x00\xff"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_folder_is_one_line_and_leaves_no_page(command, copy, damage):
    DAMAGES[damage](copy)
    status, _, error = command(copy)
    assert status == 2
    assert error.startswith("simnet: error: ")
    assert str(copy) in error
    assert error.count("\n") == 1
    assert not (copy / "report.html").exists()
