"""What every group of keys has in common."""

from pydantic import BaseModel, ConfigDict, model_validator

LATER = "Accepted; without effect in this version."


class Section(BaseModel):
    """A group of keys. A group that is left empty has its defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_is_default(cls, value: object) -> object:
        return {} if value is None else value
