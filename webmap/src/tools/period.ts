/** Days, months and years in a row, as the time slider counts them. Dates are YYYY-MM-DD. */
import type { Clause } from "../page/conditions.ts";

export const UNITS = ["day", "month", "year"] as const;
export type Unit = (typeof UNITS)[number];

/** The time of the city has no summer. */
const OFFSET = "+08:00";
const DAY_MS = 86_400_000;
const days = (date: string): number => Date.parse(`${date}T00:00:00Z`) / DAY_MS;
const date = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
const months = (text: string): number => Number(text.slice(0, 4)) * 12 + Number(text.slice(5, 7)) - 1;

/** The number of the period that holds a date, counted from that of `first`. */
export function indexOf(unit: Unit, first: string, day: string): number {
  if (unit === "day") return days(day) - days(first);
  if (unit === "month") return months(day) - months(first);
  return Number(day.slice(0, 4)) - Number(first.slice(0, 4));
}

/** The first day of the period with this number. */
export function startOf(unit: Unit, first: string, index: number): string {
  if (unit === "day") return date(days(first) + index);
  const month = unit === "month" ? months(first) + index : (Number(first.slice(0, 4)) + index) * 12;
  return `${String(Math.floor(month / 12)).padStart(4, "0")}-${String((month % 12) + 1).padStart(2, "0")}-01`;
}

/** The last day of it. */
export const endOf = (unit: Unit, first: string, index: number): string =>
  date(days(startOf(unit, first, index + 1)) - 1);

/** "2024", "2024-05", "2024-05-17". */
export const periodText = (unit: Unit, start: string): string => start.slice(0, { year: 4, month: 7, day: 10 }[unit]);

/** Steps that make a slider of some dozens of positions. */
export function unitFor([first, last]: readonly [string, string]): Unit {
  const span = days(last) - days(first);
  return span > 3650 ? "year" : span > 90 ? "month" : "day";
}

/** What records must meet to fall into the periods from one to another; null: into any. */
export function clauseOf(column: { moment: boolean }, from: string | null, to: string | null): Clause | null {
  if (from === null && to === null) return null;
  return {
    ...(from === null ? {} : { from: column.moment ? `${from}T00:00:00${OFFSET}` : from }),
    ...(to === null ? {} : { to: column.moment ? `${to}T23:59:59.999${OFFSET}` : to }),
  };
}

/** The days that a clause of ours stands for; null where it says nothing of a period. */
export function daysOf(clause: Clause | undefined): { from: string | null; to: string | null } | null {
  if (clause === undefined || "in" in clause || "starts" in clause) return null;
  return { from: clause.from?.slice(0, 10) ?? null, to: clause.to?.slice(0, 10) ?? null };
}
