"""Settings of a function: read once from its environment, or a loud failure at cold start."""

from typing import Literal, TypeVar

from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from millrace.errors import ConfigError


class FunctionSettings(BaseSettings):
    """Base of each service's settings: a field `data_bucket` is the variable DATA_BUCKET.

    A field's docstring is its description in docs/configuration.md.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least level that is logged."""
    powertools_metrics_namespace: str = "Millrace"
    """Namespace of the metrics, which tells one stack from another; Powertools reads it."""


class ConsumerSettings(FunctionSettings):
    """Base of the settings of services that take messages from queues."""

    notes_table: str
    """Table in which consumers note why messages failed."""


S = TypeVar("S", bound=FunctionSettings)


def load_settings(model: type[S]) -> S:
    """Return the settings in the environment.

    Raises:
        ConfigError: names each variable that is missing or malformed.
    """
    try:
        return model()
    except ValidationError as err:
        faults = "; ".join(
            f"{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in err.errors(include_url=False)
        )
        raise ConfigError(f"the function's environment is incomplete: {faults}") from err
    except SettingsError as err:  # a list that is not JSON; the message names its field
        raise ConfigError(f"the function's environment is wrong: {err}") from err
