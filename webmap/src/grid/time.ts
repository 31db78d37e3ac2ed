/** Times as a worker needs them: how much is left, or how long it is over. */
import type { Lang } from "../words/i18n.ts";
import { word } from "../words/i18n.ts";

/** "剩 3 小时", "超期 20 分钟"; what has no due time says so. */
export function dueText(lang: Lang, due: string | null, now: number = Date.now()): string {
  if (due === null) return word(lang, "gridNoDue");
  const left_min = Math.round((Date.parse(due) - now) / 60_000);
  return word(lang, left_min < 0 ? "gridOverdue" : "gridDueIn", { time: span(lang, Math.abs(left_min)) });
}

function span(lang: Lang, minutes: number): string {
  if (minutes < 60) return word(lang, "gridMinutes", { n: minutes });
  if (minutes < 48 * 60) return word(lang, "gridHours", { n: Math.round(minutes / 60) });
  return word(lang, "gridDays", { n: Math.round(minutes / 1_440) });
}
