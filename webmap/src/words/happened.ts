/** When something was done that arrived later than it was done: both times, and whether the phone's clock was wrong. */
import { moment } from "./format.ts";
import { type Lang, word } from "./i18n.ts";

/** The same of what a step of a case carries. */
export function carriedTime(lang: Lang, at: string, carries: Readonly<Record<string, unknown>>): string {
  const { happened_at: happened, clock_skew_s: skew_s } = carries;
  return happenedText(
    lang,
    typeof happened === "string" ? happened : null,
    at,
    typeof skew_s === "number" ? skew_s : null,
  );
}

/** After so long between doing and arriving both are told. */
const LATE_MS = 120_000;

/** "（发生于 …，上传于 …，手机时钟快 3 分钟）" of what arrived later than it was done; nothing otherwise. */
export function happenedText(lang: Lang, happened: string | null, at: string, skew_s: number | null): string {
  if (happened === null || Math.abs(Date.parse(at) - Date.parse(happened)) <= LATE_MS) return "";
  const told = word(lang, "careHappened", { happened: moment(lang, happened), at: moment(lang, at) });
  const minutes = Math.round(Math.abs(skew_s ?? 0) / 60);
  const clock = word(lang, (skew_s ?? 0) > 0 ? "careSkewAhead" : "careSkewBehind", { n: minutes });
  const text = minutes === 0 ? told : `${told}${lang === "zh" ? "，" : ", "}${clock}`;
  return lang === "zh" ? `（${text}）` : ` (${text})`;
}
