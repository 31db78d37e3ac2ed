/** Periods of whole days in the city's time, and the weeks of its bulletins. */

export const PERIODS = ["week", "lastWeek", "month", "thirty"] as const;
export type PeriodName = (typeof PERIODS)[number];

export interface Days {
  from: string;
  to: string;
}

const DAY_MS = 86_400_000;
const CITY_MS = 8 * 3_600_000;

/** Midnight UTC of the day that it is in the city. */
const today = (now: number): number => Math.floor((now + CITY_MS) / DAY_MS) * DAY_MS;
const text = (at: number): string => new Date(at).toISOString().slice(0, 10);
/** Monday is 0. */
const weekday = (at: number): number => (new Date(at).getUTCDay() + 6) % 7;

/** The first and the last day of a period that is named as people name them. */
export function daysOf(name: PeriodName, now: number): Days {
  const last = today(now);
  const monday = last - weekday(last) * DAY_MS;
  switch (name) {
    case "week":
      return { from: text(monday), to: text(last) };
    case "lastWeek":
      return { from: text(monday - 7 * DAY_MS), to: text(monday - DAY_MS) };
    case "month":
      return { from: `${text(last).slice(0, 8)}01`, to: text(last) };
    case "thirty":
      return { from: text(last - 29 * DAY_MS), to: text(last) };
  }
}

/** From the first midnight of whole days of the city to the one after their last, RFC 3339. */
export function spanOf({ from, to }: Days): { start: string; end: string } {
  const midnight = (day: string, later = 0): string => new Date(Date.parse(day) + later - CITY_MS).toISOString();
  return { start: midnight(from), end: midnight(to, DAY_MS) };
}

/** The week of a moment, so many weeks earlier or later, as "2026-W47" (ISO 8601: the week of its Thursday). */
export function weekOf(now: number, by = 0): string {
  const at = today(now) + by * 7 * DAY_MS;
  const thursday = at + (3 - weekday(at)) * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1;
  return `${year}-W${String(week).padStart(2, "0")}`;
}
