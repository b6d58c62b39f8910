from pathlib import Path

import pytest

from optimizer.config import PREFIX, ROOT, SETTINGS, Config
from optimizer.errors import BadInput


def test_nothing_needs_to_be_set() -> None:
    config = Config.load({"HOME": "/somewhere"})
    assert config.data_dir == ROOT / "data/local"
    assert config.samples_dir == ROOT / "data/samples"
    assert config.database_url.startswith("sqlite:///")
    assert config.max_upload_bytes == 64 * 1024 * 1024
    defaults = {setting.name: setting.default for setting in SETTINGS}
    assert str(config.min_view_ms) == defaults["MIN_VIEW_MS"]


def test_settings_come_from_the_environment(tmp_path: Path) -> None:
    config = Config.load(
        {
            "PROMPT_DUEL_DATA_DIR": str(tmp_path),
            "PROMPT_DUEL_MAX_UPLOAD_MB": " 3 ",
            "PROMPT_DUEL_MIN_VIEW_MS": "0",
        }
    )
    assert config.data_dir == tmp_path
    assert config.database_url == f"sqlite:///{tmp_path / 'prompt-duel.db'}"
    assert (config.max_upload_bytes, config.min_view_ms) == (3 * 1024 * 1024, 0)


def test_a_relative_folder_starts_at_the_project() -> None:
    assert Config.load({"PROMPT_DUEL_DATA_DIR": "elsewhere"}).data_dir == ROOT / "elsewhere"


def test_an_empty_value_means_the_default() -> None:
    assert Config.load({"PROMPT_DUEL_DATA_DIR": ""}).data_dir == ROOT / "data/local"


def test_a_misspelt_setting_is_an_error_that_suggests_the_right_one() -> None:
    with pytest.raises(BadInput, match=r"PROMPT_DUEL_DATADIR\. Did you mean PROMPT_DUEL_DATA_DIR\?"):
        Config.load({"PROMPT_DUEL_DATADIR": "x"})


def test_a_setting_like_no_other_lists_them_all() -> None:
    with pytest.raises(BadInput, match="Known are DATA_DIR, DATABASE_URL"):
        Config.load({"PROMPT_DUEL_QQQ": "x"})


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "many", "٣"])
def test_a_number_must_be_one(value: str) -> None:
    with pytest.raises(
        BadInput, match=f"PROMPT_DUEL_MAX_UPLOAD_MB must be a whole number from 1, not '{value}'"
    ):
        Config.load({"PROMPT_DUEL_MAX_UPLOAD_MB": value})


def test_every_setting_is_explained() -> None:
    assert all(setting.about.endswith(".") for setting in SETTINGS)
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    assert PREFIX == "PROMPT_DUEL_"


def test_who_hosts_and_where_raters_go() -> None:
    config = Config.load(
        {
            "PROMPT_DUEL_HOSTS": " Ann@Example.org, bob@example.org,",
            "PROMPT_DUEL_PUBLIC_URL": "https://d.example/",
        }
    )
    assert config.hosts == {"ann@example.org", "bob@example.org"}
    assert config.public_url == "https://d.example"
    assert "secret" not in repr(Config.load({"PROMPT_DUEL_HOST_PASSWORD": "a secret password"}))
    with pytest.raises(BadInput, match="PUBLIC_URL"):
        Config.load({"PROMPT_DUEL_PUBLIC_URL": "d.example"})


def test_work_for_workers_needs_a_database_that_keeps_their_queue() -> None:
    url = "postgresql://duel@db/duel"
    assert not Config.load({"PROMPT_DUEL_DATABASE_URL": url}).queued
    assert "duel@db" not in repr(Config.load({"PROMPT_DUEL_DATABASE_URL": url}))
    assert Config.load({"PROMPT_DUEL_DATABASE_URL": url, "PROMPT_DUEL_WORK": "queue"}).queued
    with pytest.raises(BadInput, match="DATABASE_URL=postgresql"):
        Config.load({"PROMPT_DUEL_WORK": "queue"})
    with pytest.raises(BadInput, match="one of here, queue, not 'elsewhere'"):
        Config.load({"PROMPT_DUEL_WORK": "elsewhere"})


def test_logs_are_text_or_json() -> None:
    assert not Config.load({}).json_logs
    assert Config.load({"PROMPT_DUEL_LOG_FORMAT": "json"}).json_logs
    with pytest.raises(BadInput, match="one of text, json"):
        Config.load({"PROMPT_DUEL_LOG_FORMAT": "xml"})
