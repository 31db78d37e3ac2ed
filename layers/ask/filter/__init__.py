"""CQL2 filters: parsed with bounds, checked against what a layer declares, compiled to bound SQLAlchemy."""

from layers.ask.filter.condition import FUNCTIONS, condition
from layers.ask.filter.parse import Filter, Language, parse
from layers.ask.filter.queryables import Queryable, queryables
from layers.errors import BadFilter

__all__ = ["FUNCTIONS", "BadFilter", "Filter", "Language", "Queryable", "condition", "parse", "queryables"]
