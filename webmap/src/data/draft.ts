/** What the person is about to ask for: the choices of an upload, changed one by one. */
import type { Choices, Correction, Meanings, Report } from "../city/intake.ts";

export const COORDINATES = ["lon", "lat", "x", "y", "pair", "wkt"] as const;
export const CLUES = ["grid", "component", "admin", "unit", "place", "address"] as const;
export const ROLES = ["id", ...COORDINATES, ...CLUES] as const;
export type Role = (typeof ROLES)[number];

/** What one column means: a field, a role, or nothing. */
export type Meaning = { field: string } | { role: Role } | null;

const without = (words: Record<string, string>, header: string): Record<string, string> =>
  Object.fromEntries(Object.entries(words).filter(([, each]) => each !== header));

/** The meanings with another one for a column; whatever had that meaning loses it. */
export function withMeaning(meanings: Meanings, header: string, meaning: Meaning): Meanings {
  const fields = without(meanings.fields, header);
  const roles = without(meanings.roles, header);
  if (meaning === null) return { ...meanings, fields, roles };
  if ("field" in meaning) return { ...meanings, fields: { ...fields, [meaning.field]: header }, roles };
  return { ...meanings, fields, roles: { ...roles, [meaning.role]: header } };
}

/** What a column means first of all: an id or a coordinate, else a field, else a clue to a place. */
export function meaningOf(meanings: Meanings, header: string): Meaning {
  const roles = ROLES.filter((role) => meanings.roles[role] === header);
  const strong = roles.find((role) => !(CLUES as readonly string[]).includes(role));
  if (strong !== undefined) return { role: strong };
  const field = Object.entries(meanings.fields).find(([, each]) => each === header)?.[0];
  if (field !== undefined) return { field };
  return roles[0] === undefined ? null : { role: roles[0] };
}

/** The corrections with one more; one that gives back what the file says falls away. */
export function withCorrection(
  corrections: readonly Correction[],
  { row, column, value }: Correction,
  before: string | null,
): Correction[] {
  const others = corrections.filter((each) => each.row !== row || each.column !== column);
  const held = others.length < corrections.length;
  return !held && value === before ? others : [...others, { row, column, value }];
}

/** The corrections with all cells of a row that had not those of the header; with none (null) it stays refused. */
export function withRow(
  corrections: readonly Correction[],
  row: number,
  cells: readonly { column: string; value: string | null }[] | null,
): Correction[] {
  const others = corrections.filter((each) => each.row !== row);
  return cells === null ? others : [...others, ...cells.map(({ column, value }) => ({ row, column, value }))];
}

/** A row with two neighbouring cells made one, since a separator in a text had parted them; what follows moves left. */
export function joined(cells: readonly (string | null)[], at: number): (string | null)[] {
  const one = [cells[at], cells[at + 1]].map((each) => each ?? "").join(",");
  return [...cells.slice(0, at), one, ...cells.slice(at + 2)];
}

/** A row with an empty cell where one was forgotten; what follows moves right. */
export const parted = (cells: readonly (string | null)[], at: number): (string | null)[] => [
  ...cells.slice(0, at),
  null,
  ...cells.slice(at),
];

/** Choosing a layer or a table makes what was said of columns void. */
export function withChoice(choices: Choices, change: Partial<Choices>): Choices {
  const anew = ["layer", "new_layer", "table", "encoding"].some((key) => key in change);
  return {
    ...choices,
    ...change,
    ...(anew ? { meanings: null } : {}),
    ...("table" in change ? { corrections: [] } : {}),
  };
}

/** The option that a text of the loader names, as a change of choices; null for one that is chosen otherwise. */
export function remedy(option: string, value: string | null): Partial<Choices> | null {
  if (option === "frame") return value === null ? null : { frame: value };
  if (option === "swap") return { swap: value !== "no" };
  return option === "partial" ? { partial: true } : null;
}

/** Fields for which the examination missed a value that all rows may share. */
export function lacking(report: Report): string[] {
  const refused = (report.kinds ?? []).flatMap(({ code, field }) =>
    code === "missing_required" && field ? [field] : [],
  );
  const hinted = (report.findings ?? []).flatMap(({ help }) =>
    help.flatMap(({ option, value }) => (option === "set" && value !== null ? [value] : [])),
  );
  return [...new Set([...refused, ...hinted])];
}

export const same = (a: Choices, b: Choices): boolean => JSON.stringify(ordered(a)) === JSON.stringify(ordered(b));

function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, each]) => [key, ordered(each)]));
}
