/** Text on a wall: every run of it in the size that its characters need to be read from afar. */
import { h } from "../page/dom.ts";
import type { Lang } from "../words/i18n.ts";
import { hasLatin } from "./scale.ts";

// Runs that stay on one line: Han characters, or digits and letters with what belongs to them.
const RUNS = /[\p{Script=Han}（）《》、，。：；“”·\s–]+|[^\p{Script=Han}（）《》、，。：；“”·\s–]+/gu;

/** Small raised digits cannot be read from afar: "个/km²" is written in words. */
export function unraised(text: string, lang: Lang): string {
  return lang === "zh"
    ? text.replace(/\bkm²/g, "平方公里").replace(/\bm²/g, "平方米")
    : text.replace(/\b(k?m)²/g, "sq $1");
}

/** A span of class `latin` where it has digits or letters, else of class `han`. */
export function run(given: string): HTMLElement {
  const text = unraised(given, document.documentElement.lang === "en" ? "en" : "zh");
  return h("span", { class: hasLatin(text) ? "latin" : "han" }, text);
}

/** A line of text, each run in its size. */
export function line(name: string, text: string): HTMLElement {
  return h("p", { class: name }, ...(text.match(RUNS) ?? []).map(run));
}
