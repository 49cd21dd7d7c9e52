"""Every setting of the service, typed and documented; each is read from ``HAILONG_<NAME>``."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from app.settings.audit import AuditSettings
from app.settings.backup import BackupSettings
from app.settings.cases import CaseSettings
from app.settings.database import DatabaseSettings
from app.settings.demonstration import DemonstrationSettings
from app.settings.export import ExportSettings
from app.settings.figures import FigureSettings
from app.settings.forms import FormSettings
from app.settings.intake import IntakeSettings
from app.settings.load import LoadSettings
from app.settings.reading import Remembered
from app.settings.reports import ReportSettings
from app.settings.retention import RetentionSettings
from app.settings.sending import SendingSettings
from app.settings.server import ServerSettings
from app.settings.signing_in import SigningInSettings
from app.settings.targets import Targets

__all__ = ["AREAS", "Settings", "Targets"]


class Settings(
    DatabaseSettings,
    ServerSettings,
    LoadSettings,
    IntakeSettings,
    FormSettings,
    SigningInSettings,
    SendingSettings,
    FigureSettings,
    ReportSettings,
    ExportSettings,
    CaseSettings,
    AuditSettings,
    BackupSettings,
    RetentionSettings,
    DemonstrationSettings,
    BaseSettings,
):
    """The service's settings, from the environment or a ``.env`` file in the working directory."""

    model_config = SettingsConfigDict(env_prefix="HAILONG_", env_file=".env", extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The usual sources; of those that are alike for many settings it is remembered what they
        said.
        """
        return tuple(
            Remembered(source) if isinstance(source, EnvSettingsSource) else source
            for source in (init_settings, env_settings, dotenv_settings, file_secret_settings)
        )


#: The areas that the settings are told in, in this order. None of them reads the environment alone.
AREAS: tuple[type[BaseModel], ...] = tuple(
    area for area in Settings.__bases__ if area is not BaseSettings
)
