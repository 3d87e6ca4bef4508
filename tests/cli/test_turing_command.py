"""``cowgan turing`` as a script sees it."""

import json
import re
from pathlib import Path

import pytest
from command_line import cowgan
from turing_readers import observer, play, read_all
from turing_studies import freeze, protocol, write_model, write_volumes
from typer.testing import CliRunner

from cowgan.cli.app import app
from cowgan.turing.reading.package import Package
from cowgan.turing.reading.receipt import read_receipt
from cowgan.turing.study.start_codes import start_of
from cowgan.turing.study.study import Study


@pytest.fixture
def sources(tmp_path: Path) -> tuple[object, ...]:
    real = write_volumes(tmp_path / "real", 13)
    generated = write_volumes(tmp_path / "generated", 13, power=2)
    return "--real", real, "--generated", generated, "--cases", 20


def test_new_makes_a_study_with_a_package_for_each_reader(tmp_path, sources):
    model = write_model(tmp_path / "model.safetensors")
    result = cowgan(
        "turing",
        *("new", tmp_path / "study", *sources, "--generated", model),
        *("--readers", 3, "--seed", 7, "--json"),
    )
    assert result.returncode == 0, result.stderr
    output = json.loads(result.stdout)
    assert list(output["packages"]) == ["sub-R01", "sub-R02", "sub-R03"]
    study = Study.open(tmp_path / "study")
    assert (study.protocol.seed, study.protocol.cases, study.protocol.readers) == (7, 20, 3)
    for folder in sorted((tmp_path / "study" / "packages").iterdir()):
        package = Package.open(folder)
        assert package.manifest.key_commitment == output["key_commitment"]
        assert output["packages"][folder.name] == str(folder)


def test_new_takes_a_folder_as_generated_volumes_too(tmp_path, sources):
    options = ("--readers", 1, "--design", "2afc", "--cases", 24, "--crop", "1,2,2")
    result = cowgan("turing", "new", tmp_path / "study", *sources, *options)
    assert result.returncode == 0, result.stderr
    assert "24 cases and 2 to practise, 13 trials for each reader" in " ".join(
        result.stdout.split()
    )
    package = Study.open(tmp_path / "study").package("sub-R01")
    assert package.manifest.display.shape == (6, 12, 12)
    assert len(package.manifest.trials[0].cases) == 2


def test_a_study_with_a_leak_is_frozen_only_with_a_reason(tmp_path, sources):
    study = tmp_path / "study"
    made = cowgan("turing", "new", study, *sources, "--readers", 1, "--json")
    assert made.returncode == 0
    assert json.loads(made.stdout)["frozen"] is False
    assert "grey levels tell the classes apart" in " ".join(made.stderr.split())
    refused = cowgan("turing", "audit", study)
    assert refused.returncode == 2
    assert "B  grey levels   AUC 1.00" in refused.stdout
    assert "in generated volumes (AUC" in refused.stdout
    assert "is not frozen" in " ".join(refused.stderr.split())
    assert not Study.open(study).frozen
    accepted = cowgan("turing", "audit", study, "--accept-leak", "A toy model", "--json")
    assert accepted.returncode == 0
    assert json.loads(accepted.stdout)["grey"]["auc"] == 1.0
    assert Study.open(study).accepted_leak == "A toy model"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--cases", 26, "--practice", 6), "needs 16 volumes"),
        (("--crop", "1,2"), "three numbers"),
        (("--generated", "nowhere.safetensors"), "There is no file"),
        (("--cases", 12, "--repeats", 4), "There is no order"),
    ],
)
def test_impossible_requests_are_reported_in_one_sentence_and_leave_nothing(
    tmp_path, sources, options, words
):
    result = cowgan("turing", "new", tmp_path / "study", *sources, *options)
    assert result.returncode == 2, result.stdout
    assert words in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("*study*"))


@pytest.fixture
def read_study(tmp_path) -> Study:
    study = freeze(tmp_path, protocol(readers=3, impressions=0))
    read_all(study, (2.0, 1.0, 0.0))
    return study


def test_from_returned_packages_to_the_report(tmp_path, read_study):
    study = read_study.folder
    packages = [read_study.package_folder(reader) for reader in read_study.readers]
    collected = cowgan("turing", "collect", study, *packages[:2])
    assert collected.returncode == 0, collected.stderr
    lines = collected.stdout.splitlines()
    assert "finished" in lines[0]
    assert "finish code" in lines[0]
    assert "not returned" in lines[2]
    refused = cowgan("turing", "analyse", study)
    assert refused.returncode == 2
    assert "sub-R03 has not finished" in " ".join(refused.stderr.split())
    assert not (study / "unblinded.json").exists()
    states = json.loads(cowgan("turing", "collect", study, packages[2], "--json").stdout)
    assert {reader["state"] for reader in states} == {"finished"}
    analysed = cowgan("turing", "analyse", study, "--by", "Dr Kaya", "--json")
    assert analysed.returncode == 0, analysed.stderr
    summary = json.loads(analysed.stdout)
    assert summary["unblinded"]["by"] == "Dr Kaya"
    assert (study / "derivatives" / "trials.csv").exists()
    reported = cowgan("turing", "report", study, "--out", tmp_path / "report.html")
    assert reported.returncode == 0, reported.stderr
    verdict = summary["verdicts"][0]["sentences"][0]
    assert verdict in reported.stdout
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not (tmp_path / "report.pdf").exists()


def test_an_invalid_report_name_does_not_unblind(tmp_path, read_study):
    packages = [read_study.package_folder(reader) for reader in read_study.readers]
    cowgan("turing", "collect", read_study.folder, *packages)
    result = cowgan("turing", "report", read_study.folder, "--out", tmp_path / "report.docx")
    assert result.returncode == 2
    assert not (read_study.folder / "unblinded.json").exists()


def test_power_prints_the_power_of_a_study():
    options = ("--readers", "3,5", "--cases", "40", "--replicates", 20)
    result = cowgan("turing", "power", *options)
    assert result.returncode == 0, result.stderr
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:3]] == [
        ["3", "40"],
        ["5", "40"],
    ]
    table = json.loads(cowgan("turing", "power", *options, "--json").stdout)
    assert [cell["readers"] for cell in table["cells"]] == [3, 5]
    assert cowgan("turing", "power", "--readers", "two").returncode == 2
    assert "needs 3 or more" in cowgan("turing", "power", "--readers", "2", "--cases", "40").stderr


def test_verify_reports_what_fits_and_what_does_not(tmp_path, read_study):
    study = read_study.folder
    collected = cowgan(
        "turing",
        "collect",
        study,
        *(read_study.package_folder(reader) for reader in read_study.readers),
    )
    assert "PUBLISH THIS LINE before the study is unblinded" in collected.stdout
    published = re.search(r"SHA-256 (\w{64})", collected.stdout).group(1)
    code = re.search(r"finish code (\S+)", collected.stdout).group(1)
    assert cowgan("turing", "analyse", study).returncode == 0
    fits = cowgan("turing", "verify", study, code, "--published", published)
    assert fits.returncode == 0, fits.stdout + fits.stderr
    assert f"The finish code {code} fits" in " ".join(fits.stdout.split())
    assert "Not covered by a receipt" in fits.stdout
    (study / "unblinded.json").unlink()
    broken = cowgan("turing", "verify", study, code, "--json")
    assert broken.returncode == 2
    assert "does not fit" in broken.stderr
    (fault,) = json.loads(broken.stdout)["faults"]
    assert "unblinded.json is missing" in fault


def test_new_prints_a_line_to_publish(tmp_path, sources):
    options = ("--readers", 1, "--accept-leak", "A toy", "--json")
    output = json.loads(cowgan("turing", "new", tmp_path / "json", *sources, *options).stdout)
    assert output["study_sha256"] == Study.open(tmp_path / "json").sha256
    made = cowgan("turing", "new", tmp_path / "study", *sources, *options[:-1])
    assert "PUBLISH THIS LINE before anybody reads" in made.stdout
    assert Study.open(tmp_path / "study").sha256 in made.stdout
    assert "Whoever has the real scans can recognise them" in " ".join(made.stdout.split())


def test_started_notes_the_code_of_a_reader(tmp_path):
    study = freeze(tmp_path, protocol(readers=1, impressions=0))
    noted = cowgan("turing", "started", study.folder, "sub-R01", "7kqf 2m9x 0a3t vb61")
    assert noted.returncode == 0, noted.stderr
    assert "7KQF-2M9X-0A3T-VB61" in noted.stdout
    assert start_of(study, "sub-R01").told[0].code == "7KQF-2M9X-0A3T-VB61"
    refused = cowgan("turing", "started", study.folder, "sub-R02", "7KQF-2M9X-0A3T-VB61")
    assert refused.returncode == 2
    assert "no reader sub-R02" in refused.stderr


def test_read_prints_the_finish_code_and_saves_the_receipt(tmp_path, monkeypatch):
    study = freeze(tmp_path, protocol(readers=1, impressions=0))
    package = study.package_folder("sub-R01")
    trials = [5, 1000]

    class Window:
        """Stands for the reading window, with somebody who reads in it."""

        @staticmethod
        def launch(folder: Path, copy: Path | None) -> int:
            play(folder, observer(study, "sub-R01", 1), trials.pop(0))
            return 0

    monkeypatch.setattr("cowgan.cli.turing.plugin_module", lambda *_: Window)
    target = tmp_path / "mine.json"
    arguments = ["turing", "read", str(package), "--receipt", str(target)]
    begun = CliRunner().invoke(app, arguments)
    assert begun.exit_code == 0, begun.output
    assert "no receipt yet" in begun.output
    assert "the key of the study lies beside this package" in begun.output
    assert not target.exists()
    finished = CliRunner().invoke(app, arguments)
    code = read_receipt(target).finish_code
    assert f"Finish code: {code}" in finished.output
    assert str(target) in finished.output
