/** Text on a wall: every run of it in the size that its characters need to be read from afar. */
import { h } from "../page/dom.ts";
import { hasLatin } from "./scale.ts";

// Runs that stay on one line: Han characters, or digits and letters with what belongs to them.
const RUNS = /[\p{Script=Han}（）《》、，。：；“”·\s–]+|[^\p{Script=Han}（）《》、，。：；“”·\s–]+/gu;

/** A span of class `latin` where it has digits or letters, else of class `han`. */
export function run(text: string): HTMLElement {
  return h("span", { class: hasLatin(text) ? "latin" : "han" }, text);
}

/** A line of text, each run in its size. */
export function line(name: string, text: string): HTMLElement {
  return h("p", { class: name }, ...(text.match(RUNS) ?? []).map(run));
}
