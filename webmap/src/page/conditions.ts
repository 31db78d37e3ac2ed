/** What a layer's records must meet to be shown, counted or listed: chosen values, periods and areas, column by column. */

/** Values of a column (null: none recorded), a period or range (inclusive), or the beginning of a code. */
export type Clause = { in: readonly (string | null)[] } | { from?: string; to?: string } | { starts: string };
/** All clauses hold at once; their keys are the columns that `/ogc/collections/{layer}/queryables` names. */
export type Conditions = Readonly<Record<string, Clause>>;

const COLUMN = /^[a-z][a-z0-9_]{0,62}$/;
// RFC 3339 dates and times are written as such; numbers without quotes; anything else is a text.
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME = /^\d{4}-\d{2}-\d{2}T[\d:.]+(Z|[+-]\d{2}:\d{2})$/;
const NUMBER = /^-?\d+(\.\d+)?$/;

/** The conditions as CQL2 text, in an order that is always the same; null when there are none. */
export function toCql2(conditions: Conditions | undefined): string | null {
  const parts = Object.entries(conditions ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([column, clause]) => clauseText(column, clause));
  return parts.length === 0 ? null : parts.join(" AND ");
}

function clauseText(column: string, clause: Clause): string[] {
  if ("in" in clause) return valuesText(column, clause.in);
  if ("starts" in clause) return [`${column} LIKE ${quoted(`${likeEscaped(clause.starts)}%`)}`];
  return [
    ...(clause.from === undefined ? [] : [`${column} >= ${scalar(clause.from)}`]),
    ...(clause.to === undefined ? [] : [`${column} <= ${scalar(clause.to)}`]),
  ];
}

function valuesText(column: string, values: readonly (string | null)[]): string[] {
  const texts = values.filter((value) => value !== null).sort();
  const among = texts.length === 0 ? [] : [`${column} IN (${texts.map(quoted).join(", ")})`];
  const either = values.includes(null) ? [...among, `${column} IS NULL`] : among;
  if (either.length === 0) return ["id IS NULL"]; // none of no values: every record has an id
  return either.length === 1 ? either : [`(${either.join(" OR ")})`];
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const likeEscaped = (text: string): string => text.replace(/[\\%_]/g, "\\$&");

function scalar(text: string): string {
  if (DATE.test(text)) return `DATE('${text}')`;
  if (TIME.test(text)) return `TIMESTAMP('${text}')`;
  return NUMBER.test(text) ? text : quoted(text);
}

/** The same conditions with a clause put in place of a column's own; null takes it away. */
export function withClause(conditions: Conditions | undefined, column: string, clause: Clause | null): Conditions {
  const { [column]: _, ...rest } = conditions ?? {};
  return clause === null ? rest : { ...rest, [column]: clause };
}

export const sameConditions = (a: Conditions | undefined, b: Conditions | undefined): boolean =>
  toCql2(a) === toCql2(b);

/** Conditions as they were written to a URL; what makes no sense is left out. */
export function conditionsFrom(value: unknown): Conditions {
  if (typeof value !== "object" || value === null) return {};
  const found: Record<string, Clause> = {};
  for (const [column, clause] of Object.entries(value)) {
    const known = clauseFrom(clause);
    if (COLUMN.test(column) && known !== null) found[column] = known;
  }
  return found;
}

function clauseFrom(value: unknown): Clause | null {
  if (typeof value !== "object" || value === null) return null;
  const given = value as Record<string, unknown>;
  if (Array.isArray(given.in) && given.in.every((each) => each === null || typeof each === "string"))
    return { in: given.in as (string | null)[] };
  if (typeof given.starts === "string") return { starts: given.starts };
  const range = Object.fromEntries(
    Object.entries(given).filter(([key, each]) => (key === "from" || key === "to") && typeof each === "string"),
  );
  return Object.keys(range).length === 0 ? null : range;
}
