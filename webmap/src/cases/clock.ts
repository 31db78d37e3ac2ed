/** How much time a case has left, in words. */
import type { Brief } from "../city/incidents.ts";
import { type Lang, word } from "../words/i18n.ts";
import { OPEN } from "./place.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface Clock {
  words: string;
  kind: "none" | "paused" | "ahead" | "over";
}

/** The time that runs: that of the stage, else that of the whole. */
export const dueOf = ({ stage_due_at, due_at }: Brief): string | null => stage_due_at ?? due_at;

/** What stands in a row: "剩 3 小时", "超期 2 天", "挂账"; nothing where no clock runs, as in a case that is over. */
export function clockOf(lang: Lang, brief: Brief, now: number): Clock {
  if (brief.suspended) return { words: word(lang, "casePaused"), kind: "paused" };
  const due = dueOf(brief);
  if (due === null || !OPEN.includes(brief.state)) return { words: "", kind: "none" };
  const left = new Date(due).getTime() - now;
  const kind = left >= 0 ? "ahead" : "over";
  return { words: word(lang, kind === "ahead" ? "caseLeft" : "caseOver", { time: span(lang, Math.abs(left)) }), kind };
}

/** A span of time in its largest unit, rounded down; below an hour in minutes. */
export function span(lang: Lang, ms: number): string {
  if (ms >= 2 * DAY) return word(lang, "caseDays", { n: Math.floor(ms / DAY) });
  if (ms >= HOUR) return word(lang, "caseHours", { n: Math.floor(ms / HOUR) });
  return word(lang, "caseMinutes", { n: Math.floor(ms / MINUTE) });
}
