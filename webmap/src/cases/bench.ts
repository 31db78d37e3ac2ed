/** What the parts of the desk share: the city's words, what is open, and the way to say what happened. */
import type { LayerDetail } from "../city/api.ts";
import type { Department } from "../city/departments.ts";
import type { Choice, Rules } from "../city/incidents.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { inWords } from "../words/format.ts";
import type { Place } from "./place.ts";

export interface Bench {
  app: App;
  /** The layer of incidents, with its books. */
  layer: LayerDetail;
  departments: readonly Department[];
  /** Steps, reasons and needs in words. */
  rules: Rules;
  place(): Place;
  go(to: Partial<Place>): void;
  /** Call back whenever another place is shown. */
  onPlace(listener: (now: Place, before: Place) => void): void;
  /** Say politely what was done. */
  say(text: string): void;
  /** Say at the top what went wrong, or nothing any more. */
  complain(text: string | null): void;
}

export const LIGHT_SIGNS: Readonly<Record<string, string>> = { red: "■", yellow: "▲", green: "●", none: "○" };

/** A code of an incident in words. */
export const codeWord = ({ app, layer }: Bench, column: string, code: string): string =>
  inWords(app.store.get().lang, layer, column, code);

export function departmentWord({ app, departments }: Bench, code: string | null): string {
  if (code === null) return "";
  const found = departments.find((each) => each.code === code);
  return found === undefined ? code : app.title(found.title);
}

const wordIn = ({ app }: Bench, choices: readonly Choice[], code: string): string => {
  const found = choices.find((each) => each.code === code);
  return found === undefined ? code : app.title(found.title);
};
export const needWord = (bench: Bench, need: string): string => wordIn(bench, bench.rules.needs, need);
export const reasonWord = (bench: Bench, reason: string): string => wordIn(bench, bench.rules.reasons, reason);
export const findingWord = (bench: Bench, finding: string): string => wordIn(bench, bench.rules.findings, finding);
/** A step in words; the code of one that the table does not know. */
export const stepWord = ({ app, rules }: Bench, step: string): string => {
  const found = rules.steps.find((each) => each.step === step);
  return found === undefined ? step : app.title(found.title);
};

/** The sign of a time limit: a shape and a colour, and its words for those who see neither. */
export function lightSign(bench: Bench, light: string): HTMLElement {
  const words = codeWord(bench, "light", light);
  return h(
    "i",
    { class: "light", title: words, role: "img", data: { light }, aria: { label: words } },
    LIGHT_SIGNS[light] ?? "○",
  );
}

/** Do something; what goes wrong is said at the top. */
export async function attempt(bench: Bench, work: () => Promise<void>): Promise<void> {
  try {
    bench.complain(null);
    await work();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    bench.complain(why(bench.app, error));
    if (!(error instanceof Error)) throw error;
  }
}

export const button = (text: string, onclick: () => void, className = "outlined"): HTMLButtonElement =>
  h("button", { type: "button", class: className, onclick }, text);
