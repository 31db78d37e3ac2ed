/** Values as people read them: numbers, dates, ages, and codes in words. */
import type { Field, LayerDetail } from "../city/api.ts";
import { type Lang, unitWord, word } from "./i18n.ts";

const LOCALE: Record<Lang, string> = { zh: "zh-CN", en: "en-GB" };
const STEPS: [unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export const number = (lang: Lang, value: number, digits = 0): string =>
  value.toLocaleString(LOCALE[lang], { maximumFractionDigits: digits });

/** "2026-11-22 10:46", in the time of the city. */
export const moment = (text: string): string => inTheCity(text, "short");

/** The same to the second, where minutes do not tell one from another. */
export const second = (text: string): string => inTheCity(text, "medium");

function inTheCity(text: string, timeStyle: "short" | "medium"): string {
  const when = new Date(text);
  if (Number.isNaN(when.getTime())) return text;
  return when.toLocaleString("sv-SE", { timeZone: "Asia/Shanghai", dateStyle: "short", timeStyle });
}

/** "3 小时前". */
export function age(lang: Lang, text: string, now: number = Date.now()): string {
  const seconds = (now - new Date(text).getTime()) / 1000;
  const step = STEPS.find(([, size]) => seconds >= size);
  if (step === undefined) return word(lang, "justNow");
  const relative = new Intl.RelativeTimeFormat(LOCALE[lang], { numeric: "always" });
  return relative.format(-Math.floor(seconds / step[1]), step[0]);
}

/** Who delivered: offices are called what they call themselves; the demonstration has a word. */
export const sourceWord = (lang: Lang, source: string): string =>
  source === "synthetic" ? word(lang, "synthetic") : source;

/** What a delivery is called: the name of its file; the one of the demonstration has words. */
export const deliveryWord = (lang: Lang, { source, title }: { source: string; title: string }): string =>
  source === "synthetic" && title === "synthetic demo city" ? word(lang, "syntheticCity") : title;

/** A code in words by the books of its layer; the code itself where no book knows it. */
export function inWords(lang: Lang, layer: LayerDetail, column: string | null, code: string): string {
  const book = layer.fields.find((field) => field.name === column)?.book;
  return (book && layer.books[book]?.[code]?.[lang]) || code;
}

/** A recorded value of a field in words, with its unit. */
export function fact(lang: Lang, layer: LayerDetail, field: Field, value: string | number | boolean): string {
  if (typeof value === "boolean") return word(lang, value ? "yes" : "no");
  if (field.kind === "time") return moment(String(value));
  if (typeof value === "number") {
    const unit = field.unit === null ? "" : unitWord(lang, field.unit);
    return `${number(lang, value, 2)}${unit === "" || unit === "°" ? unit : ` ${unit}`}`;
  }
  return inWords(lang, layer, field.name, value);
}
