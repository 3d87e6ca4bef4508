"""A frozen study for each test, copied from one that is made once."""

import shutil

import pytest
from reading_pages import served
from turing_studies import freeze, protocol

from cowgan.turing.study.study import Study


@pytest.fixture(scope="session")
def frozen(tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("served")
    return freeze(folder, protocol(cases=10, repeats=0, practice=2, impressions=2))


@pytest.fixture
def study(frozen, tmp_path) -> Study:
    folder = tmp_path / "study"
    shutil.copytree(frozen.folder, folder)
    return Study.open(folder)


@pytest.fixture
def port(study):
    with served(study.folder) as port:
        yield port
