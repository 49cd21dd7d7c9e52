"""The commands that import files of other programs."""

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.commands import Refused


@pytest.fixture
def run(database_url, monkeypatch):
    """Runs a command of ``hailong responses``; its exit code and what it printed."""
    monkeypatch.setenv("HAILONG_DATABASE_URL", database_url)

    def command(*arguments):
        result = CliRunner().invoke(cli, ["responses", *map(str, arguments)])
        if isinstance(result.exception, Refused):
            return 1, result.output + str(result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.output
        return result.exit_code, result.output

    return command
