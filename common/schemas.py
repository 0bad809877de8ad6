"""The base of what the API reads and writes: camelCase outside, our own names inside, both understood coming in."""

from ninja import Schema
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel


class ApiSchema(Schema):
    """Fields are written ``camelCase`` (operations need ``by_alias=True``) and read in either spelling."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
