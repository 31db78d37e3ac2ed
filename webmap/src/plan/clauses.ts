/** Filters that the form wrote, read back into its clauses; what someone else wrote stays text. */
import { type Clause, type Conditions, toCql2 } from "../page/conditions.ts";

const COLUMN = "([a-z][a-z0-9_]{0,62})";
const TEXT = "'((?:[^']|'')*)'";
const SCALAR = "(?:DATE\\('([^']*)'\\)|TIMESTAMP\\('([^']*)'\\)|(-?\\d+(?:\\.\\d+)?)|'((?:[^']|'')*)')";
const IN = new RegExp(`^${COLUMN} IN \\((${TEXT}(?:, ${TEXT})*)\\)$`);
const NULL = new RegExp(`^${COLUMN} IS NULL$`);
const EQUALS = new RegExp(`^${COLUMN} = ${TEXT}$`);
const STARTS = new RegExp(`^${COLUMN} LIKE ${TEXT}$`);
const RANGE = new RegExp(`^${COLUMN} (>=|<=) ${SCALAR}$`);

/** The clauses of a filter, or null where it says more, or says it otherwise, than clauses can. */
export function clausesOf(filter: string | undefined): Conditions | null {
  if (filter === undefined || filter.trim() === "") return {};
  const found: Record<string, Clause> = {};
  for (const part of conjuncts(filter)) {
    const read = clauseOf(part);
    if (read === null) return null;
    const [column, clause] = read;
    const before = found[column];
    if (before !== undefined && !(isRange(before) && isRange(clause))) return null;
    found[column] = before === undefined ? clause : { ...before, ...clause };
  }
  return found;
}

/** The filter that clauses stand for; one without any value says nothing; undefined where nothing is left. */
export function filterOf(clauses: Conditions): string | undefined {
  const said = Object.entries(clauses).filter(([, clause]) => !("in" in clause && clause.in.length === 0));
  return toCql2(Object.fromEntries(said)) ?? undefined;
}

const isRange = (clause: Clause): clause is { from?: string; to?: string } => "from" in clause || "to" in clause;
const plain = (text: string): string => text.replaceAll("''", "'");

function clauseOf(part: string): [string, Clause] | null {
  const either = /^\((.*)\)$/.exec(part);
  if (either?.[1] !== undefined) return eitherOf(either[1]);
  const listed = IN.exec(part);
  if (listed?.[1] && listed[2]) return [listed[1], { in: valuesOf(listed[2]) }];
  const equal = EQUALS.exec(part);
  if (equal?.[1] && equal[2] !== undefined) return [equal[1], { in: [plain(equal[2])] }];
  const none = NULL.exec(part);
  if (none?.[1]) return none[1] === "id" ? null : [none[1], { in: [null] }];
  const starts = STARTS.exec(part);
  if (starts?.[1] && starts[2] !== undefined) return startsOf(starts[1], plain(starts[2]));
  const range = RANGE.exec(part);
  if (!range?.[1]) return null;
  const value = range.slice(3).find((each) => each !== undefined);
  if (value === undefined) return null;
  return [range[1], range[2] === ">=" ? { from: plain(value) } : { to: plain(value) }];
}

/** `column IN (…) OR column IS NULL`. */
function eitherOf(text: string): [string, Clause] | null {
  const [first, second, ...more] = text.split(" OR ");
  const values = first === undefined ? null : clauseOf(first);
  const none = second === undefined || more.length > 0 ? null : NULL.exec(second);
  if (values === null || none?.[1] !== values[0] || !("in" in values[1])) return null;
  return [values[0], { in: [...values[1].in, null] }];
}

function startsOf(column: string, pattern: string): [string, Clause] | null {
  const body = pattern.endsWith("%") ? pattern.slice(0, -1) : null;
  if (body === null || /(?<!\\)[%_]/.test(body)) return null;
  return [column, { starts: body.replace(/\\([\\%_])/g, "$1") }];
}

const valuesOf = (list: string): string[] =>
  [...list.matchAll(/'((?:[^']|'')*)'/g)].map((each) => plain(each[1] ?? ""));

/** The parts that AND joins, outside of quotes and parentheses. */
function conjuncts(filter: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let at = 0; at < filter.length; at += 1) {
    const char = filter[at];
    if (char === "'") quoted = !quoted;
    else if (!quoted && char === "(") depth += 1;
    else if (!quoted && char === ")") depth -= 1;
    else if (!quoted && depth === 0 && filter.startsWith(" AND ", at)) {
      parts.push(filter.slice(from, at).trim());
      from = at + 5;
    }
  }
  return [...parts, filter.slice(from).trim()];
}
