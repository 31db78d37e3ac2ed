"""Who answers for what, running clocks and their timers, notices, and the facts that the loop's figures count."""

import csv
from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_time = sa.DateTime(timezone=True)
_now = sa.text("clock_timestamp()")
# The duties that ship are put in once: those that a city takes out stay out.
_DUTIES = Path(__file__).parents[3] / "loop" / "data" / "duties.csv"

_MARK = """
create function core.mark_case() returns trigger language plpgsql as $$
begin
    insert into core.stale_case (incident) select distinct incident from nt;
    return null;
end $$
"""


def upgrade() -> None:
    duty = op.create_table(
        "duty",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("department", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("rank", sa.SmallInteger, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_to", sa.Date),
        sa.Column("source", sa.Text, nullable=False, server_default=""),
        sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False, server_default=_now),
        schema="core",
    )
    op.create_index("duty_matter", "duty", ["matter", "area"], schema="core")
    op.bulk_insert(duty, _duties())
    op.create_table(
        "stage_clock",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("begun_at", _time, nullable=False),
        sa.Column("amount", sa.Double, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("due_at", _time, nullable=False),
        sa.Column("deferred_to", _time),
        sa.Column("paused_at", _time),
        sa.Column("pauses", JSONB, nullable=False, server_default=sa.text("'[]'")),
        sa.Column("ended_at", _time),
        sa.Column("scenario", sa.Text),
        schema="core",
    )
    op.create_index("stage_clock_incident", "stage_clock", ["incident", "stage"], schema="core")
    _timers_and_notices()
    _facts()


def _timers_and_notices() -> None:
    op.create_table(
        "timer",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("clock", sa.BigInteger, nullable=False),
        sa.Column("incident", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", _time, nullable=False),
        sa.Column("fired_at", _time),
        sa.Column("cancelled_at", _time),
        sa.Column("scenario", sa.Text),
        schema="core",
    )
    op.create_index("timer_clock", "timer", ["clock"], schema="core")
    waiting = sa.text("fired_at is null and cancelled_at is null")
    op.create_index("timer_due", "timer", ["at"], schema="core", postgresql_where=waiting)
    op.create_table(
        "notice",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("incident", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("at", _time, nullable=False, server_default=_now),
        sa.Column("audience", JSONB, nullable=False),
        sa.Column("carries", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("scenario", sa.Text),
        schema="core",
    )
    op.create_index("notice_incident", "notice", ["incident"], schema="core")


def _facts() -> None:
    op.create_table(
        "stage_fact",
        sa.Column("incident", sa.Text, primary_key=True),
        sa.Column("stage", sa.Text, primary_key=True),
        sa.Column("n", sa.SmallInteger, primary_key=True),
        sa.Column("begun_at", _time, nullable=False),
        sa.Column("due_at", _time),
        sa.Column("done_at", _time),
        sa.Column("grid_id", sa.Text),
        sa.Column("admin_code", sa.Text),
        sa.Column("matter", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("department", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("marks", ARRAY(sa.Text), nullable=False),
        schema="core",
    )
    for name in ("due", "begun", "done"):
        op.create_index(f"stage_fact_{name}", "stage_fact", ["stage", f"{name}_at"], schema="core")
    op.create_table(
        "stale_case",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("incident", sa.Text, nullable=False),
        schema="core",
    )
    op.execute(_MARK)
    for table, events in (("step", ("insert",)), ("caller", ("insert", "update"))):
        for event in events:
            op.execute(
                f"create trigger mark_{event} after {event} on core.{table} referencing new table as nt "
                "for each statement execute function core.mark_case()"
            )
    op.execute("insert into core.stale_case (incident) select distinct incident from core.step")


def _duties() -> list[dict[str, object]]:
    with _DUTIES.open(encoding="utf-8", newline="") as file:
        return [
            {
                **{name: line[name] for name in ("matter", "area", "department", "role", "source")},
                "rank": int(line["rank"]),
                "valid_from": line["valid_from"] or None,
                "valid_to": line["valid_to"] or None,
                "actor": "system",
            }
            for line in csv.DictReader(file)
        ]


def downgrade() -> None:
    for table, event in (("step", "insert"), ("caller", "insert"), ("caller", "update")):
        op.execute(f"drop trigger mark_{event} on core.{table}")
    op.execute("drop function core.mark_case()")
    for name in ("stale_case", "stage_fact", "notice", "timer", "stage_clock", "duty"):
        op.drop_table(name, schema="core")
