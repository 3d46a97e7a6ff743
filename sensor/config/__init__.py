"""The configuration: read from YAML with line and column, validated, and handed to whoever needs a part of it."""

from sensor.config.engine import InterfaceSettings, engine_settings, keeps_history
from sensor.config.errors import ConfigError, Problem
from sensor.config.load import load
from sensor.config.models import Config
from sensor.config.render import dump

__all__ = ["Config", "ConfigError", "InterfaceSettings", "Problem", "dump", "engine_settings", "keeps_history", "load"]
