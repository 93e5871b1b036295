"""One model, trained once for all the tests of the ear."""

from pathlib import Path

import pytest

from tagging.places import Places
from tagging.tagger import Tagger
from tagging.training import TrainingResult, train


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("model")


@pytest.fixture(scope="session")
def trained(model_folder: Path) -> TrainingResult:
    return train(model_folder)


@pytest.fixture(scope="session")
def tagger(trained: TrainingResult, model_folder: Path) -> Tagger:
    return Tagger.load(model_folder)


@pytest.fixture(scope="session")
def places(trained: TrainingResult, model_folder: Path) -> Places:
    return Places.load(model_folder)
