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

type Style = Intl.DateTimeFormatOptions;
const DAY: Style = { dateStyle: "medium" };
const MINUTE: Style = { timeStyle: "short" };
const SECOND: Style = { timeStyle: "medium" };

/** A moment in the time of the city: "2026-11-22 10:46" as GB/T 7408 writes it, "22 Nov 2026, 10:46" in English. */
export const moment = (lang: Lang, text: string): string => inTheCity(lang, text, { ...DAY, ...MINUTE });

/** The same to the second, where minutes do not tell one from another. */
export const second = (lang: Lang, text: string): string => inTheCity(lang, text, { ...DAY, ...SECOND });

/** "10:46", in the time of the city. */
export const timeOfDay = (text: string): string => inTheCity("zh", text, MINUTE);

/** The day of a moment in the city, or a day as it was recorded, without its year: "11-22", "22 Nov". */
export const dayOfYear = (lang: Lang, text: string): string =>
  lang === "zh"
    ? inTheCity(lang, text, { dateStyle: "short" }).slice(5)
    : inTheCity(lang, text, { day: "numeric", month: "short" });

/** A moment of these days without its year: "11-22 10:46", "22 Nov 10:46". */
export const shortMoment = (lang: Lang, text: string): string => `${dayOfYear(lang, text)} ${timeOfDay(text)}`;

/** A day that was recorded: "2026-06-30", "30 Jun 2026". */
export function day(lang: Lang, text: string): string {
  const noon = `${text}T12:00:00+08:00`;
  return Number.isNaN(Date.parse(noon)) ? text : inTheCity(lang, noon, DAY);
}

function inTheCity(lang: Lang, text: string, style: Style): string {
  const when = new Date(text);
  if (Number.isNaN(when.getTime())) return text;
  // Swedes write dates as the Chinese standard does; browsers' own Chinese is 2026/11/22 or 2026年11月22日.
  const [locale, dated] = lang === "zh" ? ["sv-SE", style.dateStyle && { dateStyle: "short" as const }] : ["en-GB", {}];
  return when.toLocaleString(locale, { timeZone: "Asia/Shanghai", ...style, ...dated });
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
  if (field.kind === "time") return moment(lang, String(value));
  if (field.kind === "date") return day(lang, String(value));
  if (typeof value === "number") {
    const unit = field.unit === null ? "" : unitWord(lang, field.unit);
    return `${number(lang, value, 2)}${unit === "" || unit === "°" ? unit : ` ${unit}`}`;
  }
  return inWords(lang, layer, field.name, value);
}
