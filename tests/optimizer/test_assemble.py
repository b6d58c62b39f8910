from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from optimizer.assemble import build, forget_services, services
from optimizer.config import Config
from optimizer.errors import StorageError


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config.load({"PROMPT_DUEL_DATA_DIR": str(tmp_path / "not" / "there")})


def test_a_first_start_makes_the_folder_and_loads_the_samples(config: Config) -> None:
    made = build(config)
    assert (config.data_dir / "prompt-duel.db").is_file()
    studies = made.store.studies()
    assert len(studies) >= 2
    assert all(made.store.output_index(study.id) for study in studies)
    made.close()


def test_a_second_start_finds_what_the_first_left(config: Config) -> None:
    first = build(config)
    samples = [study.id for study in first.store.studies()]
    mine = first.studies.create("Mine")
    first.close()
    second = build(config)
    assert [study.id for study in second.store.studies()] == [*samples, mine.id]
    second.close()


def test_archived_samples_do_not_come_back_by_themselves(config: Config) -> None:
    first = build(config)
    for study in first.store.studies():
        first.studies.archive(study.id)
    first.close()
    second = build(config)
    assert all(study.archived_at is not None for study in second.store.studies())
    second.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        build(Config.load({"PROMPT_DUEL_DATA_DIR": str(tmp_path / "file" / "data")}))


def test_a_process_has_one_set_of_services(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPT_DUEL_DATA_DIR", str(tmp_path / "data"))
    forget_services()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: services(), range(16)))
    assert len({id(one) for one in found}) == 1
    samples = len(found[0].store.studies())
    forget_services()
    again = services()
    assert again is not found[0]
    assert len(again.store.studies()) == samples
    forget_services()


def test_a_database_elsewhere_is_used(tmp_path: Path) -> None:
    config = Config.load({"PROMPT_DUEL_DATA_DIR": str(tmp_path), "PROMPT_DUEL_DATABASE_URL": "memory://"})
    made = build(config)
    assert made.store.studies()
    assert list(tmp_path.iterdir()) == []
