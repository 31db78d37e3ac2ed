/** Why the server does not take a file or a wish, in the language of the page. */
import { Refused } from "../city/api.ts";
import type { App } from "../page/app.ts";
import { ownWord, why } from "../page/why.ts";
import { number } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";

/** What the choices of an upload are called on the page. */
const CHOICES: Record<string, Word> = {
  layer: "dataLayer",
  new_layer: "dataLayerName",
  title: "dataLayerTitle",
  source: "dataSource",
  table: "dataTable",
  encoding: "dataEncoding",
  frame: "dataFrame",
  extent: "dataExtent",
  meanings: "dataColumns",
  constants: "dataConstants",
  corrections: "dataContent",
};

/** What went wrong as a sentence; a cause of files has its own, anything else those of every page. */
export function whyNot(app: App, error: unknown): string {
  if (!(error instanceof Refused)) return why(app, error);
  const { lang } = app.store.get();
  const own = ownWord(error, "dataNo");
  if (own === null) return why(app, error);
  const facts = Object.entries(error.told.facts ?? {}).map(([name, fact]) => [
    name,
    typeof fact === "number" ? number(lang, fact) : fact,
  ]);
  const names = Object.keys(error.told.problems ?? {}).map((name) => {
    const called = CHOICES[name.split(".")[0] ?? ""];
    return called === undefined ? name : app.t(called);
  });
  const listed = [...new Set(names)].join(lang === "zh" ? "、" : ", ");
  return app.t(own, { ...Object.fromEntries(facts), names: listed });
}
