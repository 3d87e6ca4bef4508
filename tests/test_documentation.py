"""The documentation matches the program: its commands parse, its names exist, its code runs."""

import ast
import re
import runpy
import subprocess
import sys
from itertools import chain
from pathlib import Path

import documentation
import pytest
import typer.main

from cowgan.cli.app import app
from cowgan.errors import CowganError
from napari_cowgan.help import topics
from napari_cowgan.help.topics import Topic, page_of

COMMANDS = [
    pytest.param(words, id=f"{page.relative_to(documentation.CHECKOUT)}: {' '.join(words)}")
    for page in documentation.PAGES
    for words in documentation.commands(page)
]


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_is_understood_by_the_parser(words: list[str]) -> None:
    left_over = parse_remainder(words)
    assert not left_over


@pytest.mark.parametrize("words", [["nonesuch"], ["generate", "--nonesuch"], ["info", "a", "b"]])
def test_what_the_parser_does_not_know_is_noticed(words: list[str]) -> None:
    with pytest.raises(Exception, match=r"nonesuch|b"):
        assert not parse_remainder(words), "b"


def parse_remainder(words: list[str]) -> list[str]:
    """Return what a parser leaves over; files need not be there, nor all that is required."""
    command = typer.main.get_command(app)
    context = command.context_class(command)
    while hasattr(command, "commands"):
        # An option of the group, or the group itself where it does something.
        if words[0].startswith("-") if words else command.invoke_without_command:
            break
        name, *words = words
        command = command.commands[name]
        context = command.context_class(command, info_name=name, parent=context)
    _, left_over, _ = command.make_parser(context).parse_args(list(words))
    return left_over


def test_the_page_of_the_bundled_model_quotes_its_report() -> None:
    tables = runpy.run_path(str(documentation.DOCS / "quote_evaluation.py"))["tables"]
    page = (documentation.DOCS / "bundled_model.md").read_text(encoding="utf-8")
    quoted = list(tables(documentation.DOCS / "evaluation_of_bundled_model"))
    assert len(quoted) == 5
    for table in quoted:
        assert table in page


def test_the_page_of_the_bundled_model_quotes_what_truncation_costs() -> None:
    (table,) = runpy.run_path(str(documentation.DOCS / "compare_truncations.py"))["tables"]()
    assert table in (documentation.DOCS / "bundled_model.md").read_text(encoding="utf-8")


def test_the_page_on_segmentation_quotes_its_scores() -> None:
    tables = runpy.run_path(str(documentation.DOCS / "quote_segmentation.py"))["tables"]
    page = (documentation.DOCS / "segmentation.md").read_text(encoding="utf-8")
    quoted = list(tables())
    assert len(quoted) == 6
    for table in quoted:
        assert table in page


def test_the_page_on_attributes_quotes_those_of_the_bundled_model() -> None:
    tables = runpy.run_path(str(documentation.DOCS / "quote_attributes.py"))["tables"]
    page = (documentation.DOCS / "attributes.md").read_text(encoding="utf-8")
    quoted = list(tables())
    assert len(quoted) == 2
    for table in quoted:
        assert table in page


def test_the_page_on_projections_quotes_what_was_measured() -> None:
    tables = runpy.run_path(str(documentation.DOCS / "project_heldout.py"))["tables"]
    page = (documentation.DOCS / "projection.md").read_text(encoding="utf-8")
    quoted = list(tables())
    assert len(quoted) == 6
    for passage in quoted:
        assert " ".join(passage.split()) in " ".join(page.split())


@pytest.mark.parametrize("page", ["tutorials/python.md"])
def test_the_code_of_a_page_runs_from_top_to_bottom(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = documentation.blocks(documentation.DOCS / page, "python")
    exec("\n".join(code), {})
    assert {path.name for path in tmp_path.glob("*.nii.gz")} >= {"seed7.nii.gz", "walk2.nii.gz"}


@pytest.mark.slow
def test_practice_scans_become_a_bank_as_in_the_tutorial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = documentation.DOCS / "tutorials" / "own-scans.md"
    exec("\n".join(documentation.blocks(page, "python")), {})
    for words in documentation.steps(page):
        # Building a template takes minutes.
        if "template" not in " ".join(words):
            files = [
                sorted(map(str, tmp_path.glob(word))) if "*" in word else [word] for word in words
            ]
            command = [sys.executable, "-m", "cowgan.cli", *chain(*files)]
            done = subprocess.run(command, capture_output=True, encoding="utf-8")
            assert done.returncode == 0, done.stdout + done.stderr
    assert len((tmp_path / "vessels.csv").read_text(encoding="utf-8").splitlines()) == 7


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_links_outside_the_site_lead_somewhere(name: str) -> None:
    for target in documentation.links(documentation.CHECKOUT / name):
        assert target.exists(), target


@pytest.mark.parametrize(
    "page",
    [*documentation.PAGES, documentation.CHECKOUT / "CONTRIBUTING.md"],
    ids=lambda page: str(page.relative_to(documentation.CHECKOUT)),
)
def test_every_python_name_on_a_page_exists(page: Path) -> None:
    names = documentation.python_names(page)
    assert [name for name in sorted(names) if not documentation.is_defined(name)] == []


@pytest.mark.parametrize("name", ["cowgan.nonesuch", "cowgan.volume.nonesuch", "cowgan.text.none"])
def test_names_that_do_not_exist_are_noticed(name: str) -> None:
    assert not documentation.is_defined(name)


def test_every_path_in_the_contributing_guide_exists() -> None:
    text = (documentation.CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")
    paths = re.findall(r"`((?:tests|docs|src|\.ci)/[\w./-]+)`(?! \(new\))", text)
    assert [path for path in paths if not (documentation.CHECKOUT / path).exists()] == []
    assert paths


def test_the_architecture_describes_every_package_and_module() -> None:
    text = (documentation.DOCS / "architecture.md").read_text("utf-8")
    for root in (
        documentation.CHECKOUT / "src" / "cowgan",
        documentation.CHECKOUT / "napari_cowgan",
    ):
        packages = {path.parent.name for path in root.glob("*/__init__.py")}
        modules = {path.stem for path in root.glob("*.py")} - {"__init__", "_version"}
        expected = {f"**`{root.name}.{name}`**" for name in packages}
        expected |= {f"`{root.name}.{name}`" for name in modules}
        assert {name for name in expected if name not in text} == set()


def test_the_picture_of_the_architecture_is_current() -> None:
    script = documentation.DOCS / "draw_architecture.py"
    drawn = runpy.run_path(str(script))
    assert drawn["PICTURE"].read_text("utf-8") == drawn["picture"](), f"run python {script}"


def test_the_reference_lists_every_package_in_the_order_of_the_layers() -> None:
    index = (documentation.DOCS / "reference" / "python" / "index.md").read_text("utf-8")
    listed = re.findall(r"^\| \[`(cowgan\.\w+)`\]", index, re.MULTILINE)
    layers = runpy.run_path(str(documentation.DOCS / "draw_architecture.py"))["layers"]("cowgan")
    rank = {name: number for number, layer in enumerate(layers) for name in layer}
    assert [rank[name] for name in listed] == sorted(rank[name] for name in listed)
    packages = (documentation.CHECKOUT / "src" / "cowgan").glob("*/__init__.py")
    assert {"cowgan.cli", *listed} == {f"cowgan.{path.parent.name}" for path in packages}


def test_every_module_of_the_reference_exists() -> None:
    # Read rather than imported: MkDocs is no requirement of the tests.
    hooks = ast.parse((documentation.DOCS / "hooks.py").read_text("utf-8"))
    (rooms,) = (
        ast.literal_eval(node.value)
        for node in hooks.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "_ROOMS"
    )
    modules = [f"cowgan.{module}" for of_room in rooms.values() for module in of_room]
    assert [module for module in modules if not documentation.is_defined(module)] == []


@pytest.mark.parametrize("topic", Topic)
def test_there_is_a_page_on_every_topic(topic: Topic) -> None:
    assert (documentation.DOCS / f"{topic}.md").is_file()


def test_a_copy_without_pages_says_how_to_get_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topics, "PAGES", tmp_path)
    with pytest.raises(CowganError, match="make docs"):
        page_of(Topic.DATA)


def test_the_page_for_readers_reveals_no_purpose_and_has_no_link() -> None:
    text = (documentation.DOCS / f"{Topic.READING}.md").read_text("utf-8").lower()
    for word in ("](", "generat", "synth", "real ", "turing", "gan ", "artific", "model"):
        assert word not in text
