"""Settings: every key is checked, every error names it, and secrets are files nobody else may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest

from hub import config
from hub.cli.init import DEFAULTS, configuration_text
from hub.domain import limits
from hub.errors import ConfigError


def settings(data: Path, toml: str = "", **env: str) -> config.Settings:
    (data / "hub.toml").write_text(toml)
    return config.load(data, env)


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    loaded = config.load(tmp_path, {})
    assert loaded.data == tmp_path
    assert loaded.database_url == f"sqlite:///{tmp_path}/hub.sqlite3"
    assert loaded.embedded
    assert loaded.database_file == tmp_path / "hub.sqlite3"
    assert loaded.server.host == "127.0.0.1"
    assert loaded.server.trusted_proxies == ()
    assert loaded.server.client_certificate_header == "none"
    assert loaded.limits.max_content_length == limits.MAX_CONTENT_LENGTH
    assert loaded.tls_files is None


def test_the_data_directory_is_the_argument_else_the_variable_else_a_folder_here(tmp_path: Path) -> None:
    assert config.load(tmp_path, {"CYBEX_DATA": "/elsewhere"}).data == tmp_path
    assert config.load(None, {"CYBEX_DATA": str(tmp_path)}).data == tmp_path
    assert config.data_directory(None, {}) == Path.cwd() / "cybex-data"


def test_the_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    toml = 'public_url = "https://a.example/"\n[server]\nport = 1\nhost = "::1"\n'
    loaded = settings(tmp_path, toml, CYBEX_PORT="2", CYBEX_TRUSTED_PROXIES="10.0.0.1/32, ::1/128")
    assert (loaded.public_url, loaded.server.host, loaded.server.port) == ("https://a.example/", "::1", 2)
    assert loaded.server.trusted_proxies == ("10.0.0.1/32", "::1/128")


def test_every_variable_sets_what_it_names(tmp_path: Path) -> None:
    values = {"integer": "4096", "boolean": "true", "list": "10.0.0.0/8", "text": "x"}
    special = {
        "CYBEX_PUBLIC_URL": "https://hub.example/",
        "CYBEX_CLIENT_CERTIFICATE_HEADER": "client-cert",
        "CYBEX_LOG_FORMAT": "console",
        "CYBEX_LOG_LEVEL": "debug",
        "CYBEX_WORKERS": "3",
        "CYBEX_THREADS": "5",
    }
    env = {name: special.get(name, values[kind]) for name, (_, kind) in config.ENVIRONMENT.items()}
    loaded = msgspec.to_builtins(config.load(tmp_path, env), enc_hook=str)
    for name, (path, kind) in config.ENVIRONMENT.items():
        value = loaded
        for part in path.split("."):
            value = value[part]
        text = ",".join(value) if kind == "list" else str(value).lower() if kind == "boolean" else str(value)
        assert text == env[name], name


def test_an_empty_variable_is_unset(tmp_path: Path) -> None:
    assert config.load(tmp_path, {"CYBEX_PORT": ""}).server.port == config.Server().port


@pytest.mark.parametrize(
    ("toml", "field"),
    [
        ("nonsense = 1", None),
        ("[server]\nprot = 1", "server"),
        ('[server]\nport = "80"', "server.port"),
        ("[server]\nport = 0", "server.port"),
        ("[server]\nworkers = 0", "server.workers"),
        ('[server]\ntrusted_proxies = ["everyone"]', "server"),
        ('[server]\nclient_certificate_header = "client-cert"', "server"),
        ('[server]\nclient_certificate_header = "x-ssl"', "server.client_certificate_header"),
        ('[tls]\ncertificate = "a"', "tls"),
        ("[limits]\nmax_content_length = 99999999999", "limits.max_content_length"),
        ("[limits]\npage_objects_default = 10\npage_objects_max = 5", "limits"),
        ('[log]\nformat = "xml"', "log.format"),
        ('public_url = "hub.example.org"', None),
        ('public_url = "https://hub.example.org"', None),
        ('data = "/elsewhere"', "data"),
        ('database_url = "postgresql://cybex:hunter2@db/cybex"', "database_url"),
        ("[server", None),
        ("server = 3", "server"),
    ],
)
def test_what_is_wrong_in_the_file_is_an_error_that_names_it(tmp_path: Path, toml: str, field: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, toml)
    assert caught.value.field == field
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CYBEX_PROT", "1"),
        ("CYBEX_PORT", "eighty"),
        ("CYBEX_BEHIND_PROXY", "perhaps"),
        ("CYBEX_DATABASE_URL_FILE", "/does/not/exist"),
        ("CYBEX_CLIENT_CERTIFCATE_HEADER", "client-cert"),
    ],
)
def test_what_is_wrong_in_the_environment_is_an_error_that_names_it(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path, {name: value})
    assert caught.value.field == name


def test_the_variables_of_others_are_left_alone(tmp_path: Path) -> None:
    config.load(tmp_path, {"CYBEX_TEST_PG_URL": "x", "CYBEX_CLIENT_TOKEN": "x", "CYBEX_DOMAIN": "x"})


def test_the_database_url_can_come_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://cybex:hunter2@db/cybex\n")
    loaded = config.load(tmp_path, {"CYBEX_DATABASE_URL_FILE": str(secret)})
    assert loaded.database_url == "postgresql://cybex:hunter2@db/cybex"
    assert not loaded.embedded
    assert loaded.database_file is None


def test_tls_files_start_at_the_data_directory(tmp_path: Path) -> None:
    loaded = settings(tmp_path, '[tls]\ncertificate = "chain.pem"\nkey = "/etc/key.pem"')
    assert loaded.tls_files == (tmp_path / "chain.pem", Path("/etc/key.pem"))


def test_the_file_that_init_writes_is_valid_with_and_without_its_comments(tmp_path: Path) -> None:
    text = configuration_text({"server.port": 99, "public_url": "https://hub.example.org/"})
    loaded = settings(tmp_path, text)
    assert (loaded.server.port, loaded.public_url) == (99, "https://hub.example.org/")
    names = {key.rpartition(".")[2] for key, _, _ in DEFAULTS}
    switched_on = "\n".join(
        line.removeprefix("# ") if line.removeprefix("# ").split(" = ")[0] in names else line
        for line in configuration_text({}).splitlines()
    )
    assert settings(tmp_path, switched_on).tls_files is not None


def test_the_file_that_init_writes_shows_every_setting_and_its_true_default(tmp_path: Path) -> None:
    defaults = msgspec.to_builtins(config.load(tmp_path, {}), enc_hook=str)
    examples = {"public_url", "database_url", "server.trusted_proxies", "tls.certificate", "tls.key"}
    shown = {key: default for key, default, _ in DEFAULTS}
    flat = {
        f"{table}.{name}": value
        for table, values in defaults.items()
        if isinstance(values, dict)
        for name, value in values.items()
    }
    assert set(shown) == set(flat) | {"public_url", "database_url"}
    assert {key: value for key, value in shown.items() if key not in examples} == {
        key: list(value) if isinstance(value, tuple) else value for key, value in flat.items() if key not in examples
    }


def test_secrets_are_made_once_and_are_their_owners_only(tmp_path: Path) -> None:
    loaded = config.load(tmp_path, {})
    first = config.ensure_secrets(loaded)
    assert config.ensure_secrets(loaded) == first == config.load_secrets(loaded)
    assert len(first.cursor_key) == 32
    assert b"PRIVATE KEY" in first.signing_key
    assert stat.S_IMODE(loaded.secrets.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in loaded.secrets.iterdir()] == [0o600] * 3


def test_two_hubs_have_different_secrets_and_show_none(tmp_path: Path) -> None:
    one, two = (config.ensure_secrets(config.load(tmp_path / name, {})) for name in ("one", "two"))
    assert one.cursor_key != two.cursor_key
    assert len({one.signing_key, one.log_key, two.signing_key, two.log_key}) == 4
    assert one.cursor_key.hex() not in repr(one)
    assert repr(one) == "Secrets(...)"


@pytest.mark.parametrize("name", [config.CURSOR_KEY, config.SIGNING_KEY, config.LOG_KEY])
def test_a_secret_that_others_may_read_or_that_is_gone_is_refused(tmp_path: Path, name: str) -> None:
    loaded = config.load(tmp_path, {})
    config.ensure_secrets(loaded)
    (loaded.secrets / name).chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        config.load_secrets(loaded)
    (loaded.secrets / name).unlink()
    with pytest.raises(ConfigError, match="cybex init"):
        config.load_secrets(loaded)


@pytest.mark.parametrize("content", ["", "zz", "00" * 16])
def test_a_damaged_cursor_key_is_refused(tmp_path: Path, content: str) -> None:
    loaded = config.load(tmp_path, {})
    config.ensure_secrets(loaded)
    (loaded.secrets / config.CURSOR_KEY).write_text(content)
    with pytest.raises(ConfigError, match="cursor key"):
        config.load_secrets(loaded)


def test_variables_that_look_like_request_headers_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_CLIENT_CERT", ":forged:")
    monkeypatch.setenv("CYBEX_DATABASE_URL", "postgresql://x")
    names = config.forget_header_names()
    assert "HTTP_CLIENT_CERT" not in os.environ
    assert "HTTP_CLIENT_CERT" not in names
    assert "CYBEX_DATABASE_URL" in names
