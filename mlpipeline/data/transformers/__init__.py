"""The transformers, each imported when it is first used."""

from __future__ import annotations

from mlpipeline import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mlpipeline.data.transformers.age import Age
    from mlpipeline.data.transformers.area_code import AreaCode
    from mlpipeline.data.transformers.date_time import DateTime
    from mlpipeline.data.transformers.distance import Distance
    from mlpipeline.data.transformers.email_domain import EmailDomain
    from mlpipeline.data.transformers.first_name import NameAge, NameFamilial, NamePopulation, NameSex
    from mlpipeline.data.transformers.geo_ip import GeoIP
    from mlpipeline.data.transformers.is_null import IsNull
    from mlpipeline.data.transformers.log import Log, LogPlusOne
    from mlpipeline.data.transformers.mapping import Map
    from mlpipeline.data.transformers.period import Period
    from mlpipeline.data.transformers.string import Extract, Length, String

__all__ = [
    "Age",
    "AreaCode",
    "DateTime",
    "Distance",
    "EmailDomain",
    "Extract",
    "GeoIP",
    "IsNull",
    "Length",
    "Log",
    "LogPlusOne",
    "Map",
    "NameAge",
    "NameFamilial",
    "NamePopulation",
    "NameSex",
    "Period",
    "String",
]

_HOMES = {
    "Age": "age",
    "AreaCode": "area_code",
    "DateTime": "date_time",
    "Distance": "distance",
    "EmailDomain": "email_domain",
    "Extract": "string",
    "GeoIP": "geo_ip",
    "IsNull": "is_null",
    "Length": "string",
    "Log": "log",
    "LogPlusOne": "log",
    "Map": "mapping",
    "NameAge": "first_name",
    "NameFamilial": "first_name",
    "NamePopulation": "first_name",
    "NameSex": "first_name",
    "Period": "period",
    "String": "string",
}

__getattr__, __dir__ = lazily.names(__name__, _HOMES, extra="transform")
