"""The core tables, beside those of the layers: what changed, what was, what was delivered, cells, search terms.

The migrations make them; these values are for building queries. A test compares the two.
"""

from __future__ import annotations

import sqlalchemy as sa
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSTZRANGE

from layers.store.types import XID8

METADATA = sa.MetaData(schema="core")
_time = sa.DateTime(timezone=True)


def _any_geometry(srid: int = 4326) -> Geometry:
    return Geometry("GEOMETRY", srid, spatial_index=False)


CHANGE = sa.Table(
    "change",
    METADATA,
    sa.Column("seq", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("xid", XID8, nullable=False, server_default=sa.text("pg_current_xact_id()")),
    sa.Column("at", _time, nullable=False, server_default=sa.text("clock_timestamp()")),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("op", sa.Text, nullable=False),
    sa.Column("id", sa.Text),
    sa.Column("records", sa.BigInteger, nullable=False),
    sa.Column("before", _any_geometry()),
    sa.Column("after", _any_geometry()),
    sa.Column("cell_before", sa.BigInteger),
    sa.Column("cell_after", sa.BigInteger),
    sa.Column("delivery", sa.BigInteger),
    sa.Column("scenario", sa.Text),
    sa.Column("digest", sa.Text),
    # Who saw the record before and who sees it after, where not all see the same: the values that the rule asks for.
    sa.Column("scope_before", JSONB),
    sa.Column("scope_after", JSONB),
    sa.Index("change_xid", "xid"),
    sa.Index("change_item", "layer", "id"),
)

HISTORY = sa.Table(
    "history",
    METADATA,
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("id", sa.Text(collation="C"), nullable=False),
    sa.Column("valid", TSTZRANGE, nullable=False),
    sa.Column("row", JSONB, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("delivery", sa.BigInteger),
    sa.Column("ended_by", sa.BigInteger),
    sa.Column("scenario", sa.Text),
    sa.Index("history_item", "layer", "id"),
    sa.Index("history_ended_by", "ended_by"),
)

DELIVERY = sa.Table(
    "delivery",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
    sa.Column("inserted", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("updated", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("unchanged", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("retired", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("undone_at", _time),
    sa.Index("delivery_source", "layer", "source"),
)

REJECT = sa.Table(
    "reject",
    METADATA,
    sa.Column("delivery", sa.BigInteger, sa.ForeignKey("core.delivery.id"), nullable=False),
    sa.Column("row", sa.BigInteger, nullable=False),
    sa.Column("field", sa.Text),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("raw", sa.Text),
    sa.Column("whole", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Index("reject_delivery", "delivery"),
)

DEFINITION = sa.Table(
    "layer_definition",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("spec", JSONB, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
)

CELL = sa.Table(
    "cell",
    METADATA,
    sa.Column("h3", sa.BigInteger, primary_key=True),
    sa.Column("res", sa.SmallInteger, nullable=False),
    sa.Column("area_km2", sa.Double, nullable=False),
    sa.Column("geom3857", Geometry("POLYGON", 3857, spatial_index=False), nullable=False),
    sa.Index("cell_geom3857", "geom3857", postgresql_using="gist"),
)

# Deltas, not totals: an edit appends −1 and +1 and never waits for another edit; a job folds them.
CELL_COUNT = sa.Table(
    "cell_count",
    METADATA,
    sa.Column("layer", sa.Text, nullable=False),
    sa.Column("res", sa.SmallInteger, nullable=False),
    sa.Column("cell", sa.BigInteger, nullable=False),
    sa.Column("class", sa.Text, nullable=False),
    sa.Column("n", sa.BigInteger, nullable=False),
    sa.Index("cell_count_cell", "layer", "res", "cell"),
)

TERM = sa.Table(
    "term",
    METADATA,
    sa.Column("layer", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("text", sa.Text, primary_key=True),
    sa.Column("folded", sa.Text, nullable=False),
    sa.Column("grams", ARRAY(sa.Text), nullable=False),
    sa.Column("pinyin", sa.Text, nullable=False),
    sa.Column("initials", sa.Text, nullable=False),
    sa.Index("term_grams", "grams", postgresql_using="gin", postgresql_with={"fastupdate": "on"}),
    sa.Index("term_folded", "folded", postgresql_ops={"folded": "text_pattern_ops"}),
    sa.Index("term_pinyin", "pinyin", postgresql_using="gin", postgresql_ops={"pinyin": "gin_trgm_ops"}),
    sa.Index("term_initials", "initials", postgresql_ops={"initials": "text_pattern_ops"}),
    sa.Index("term_initials_trgm", "initials", postgresql_using="gin", postgresql_ops={"initials": "gin_trgm_ops"}),
)

GRAM = sa.Table(
    "gram",
    METADATA,
    sa.Column("gram", sa.Text, primary_key=True),
    sa.Column("n", sa.BigInteger, nullable=False),
)

SETTING = sa.Table(
    "setting",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", JSONB, nullable=False),
)

IDEMPOTENCY = sa.Table(
    "idempotency",
    METADATA,
    sa.Column("actor", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("answer", JSONB, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
)

# Sums of what indicators are made of (layers/ask/indicator): by grid, and by town and the value of a column.
FIGURE = sa.Table(
    "figure",
    METADATA,
    sa.Column("measure", sa.Text, nullable=False),
    sa.Column("admin_code", sa.Text),
    sa.Column("grid_id", sa.Text),
    sa.Column("n", sa.Double, nullable=False),
    sa.Index("figure_place", "measure", "grid_id"),
)

FIGURE_BY = sa.Table(
    "figure_by",
    METADATA,
    sa.Column("measure", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("admin_code", sa.Text),
    sa.Column("value", sa.Text),
    sa.Column("n", sa.Double, nullable=False),
    sa.Index("figure_by_place", "measure", "field", "admin_code"),
)

# Up to which position of the change log a layer's sums hold, and which sums these are.
FIGURE_LAYER = sa.Table(
    "figure_layer",
    METADATA,
    sa.Column("layer", sa.Text, primary_key=True),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("position", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False),
    sa.Column("changed_at", _time, nullable=False, server_default=sa.text("clock_timestamp()")),
)

# An indicator's figures on a day: a list of [key, numerator, denominator].
FIGURE_DAY = sa.Table(
    "figure_day",
    METADATA,
    sa.Column("indicator", sa.Text, primary_key=True),
    sa.Column("by", sa.Text, primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("at", _time, nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("figures", JSONB, nullable=False),
)

KEPT_QUESTION = sa.Table(
    "kept_question",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("question", JSONB, nullable=False),
    sa.Column("layers", ARRAY(sa.Text), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
)

# Runs of ready questions are kept, too: those stand in files, so there is no foreign key.
QUESTION_RUN = sa.Table(
    "question_run",
    METADATA,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at", _time, nullable=False, server_default=sa.func.now()),
    sa.Column("layers", ARRAY(sa.Text), nullable=False),
    sa.Column("statement", JSONB, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("truncated", sa.Boolean, nullable=False),
    sa.Column("synthetic", sa.Boolean, nullable=False),
    sa.Column("summary", JSONB, nullable=False),
    sa.Index("question_run_question", "question", "id"),
)
