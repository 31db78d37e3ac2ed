/** What an examination noticed, and why a file cannot be loaded as it is — with the way out as a button. */
import type { Why } from "../city/intake.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { action } from "./desk.ts";
import { remedy } from "./draft.ts";
import { frameName } from "./options.ts";
import type { Bench } from "./upload.ts";

/** Why something was not done: what is wrong, what to do next, and behind a fold what the program said itself. */
export function whyPart(app: App, { next, detail, ...what }: Why): HTMLElement[] {
  const parts: HTMLElement[] = [h("p", {}, h("b", {}, app.title(what)))];
  if (next) parts.push(h("p", {}, app.title(next)));
  if (detail)
    parts.push(h("details", {}, h("summary", {}, app.t("dataDetail")), h("p", { lang: "en", class: "raw" }, detail)));
  return parts;
}

export function refusalPart(bench: Bench): HTMLElement | null {
  const { app, report } = bench;
  if (report.refusal === undefined) return null;
  const { text, next = null, detail = null, help, kind } = report.refusal;
  const buttons = help.flatMap(({ option, value }) => {
    const change = remedy(option, value);
    return change === null ? [] : [action(remedyWord(bench, option, value), () => bench.apply(change))];
  });
  const tables = kind === "ChoiceNeeded" ? (report.tables ?? []) : [];
  const choices = tables.map((name) => action(name, () => bench.apply({ table: name })));
  return h(
    "section",
    { class: "refusal", role: "alert" },
    ...whyPart(app, { ...text, next, detail }),
    h("div", { class: "buttons" }, ...buttons, ...choices),
  );
}

function remedyWord({ app }: Bench, option: string, value: string | null): string {
  if (option === "frame") return app.t("dataReadAs", { frame: frameName(app, value ?? "") });
  if (option === "swap") return app.t(value === "no" ? "dataSwapNot" : "dataSwap");
  return app.t("dataOnlyPart");
}

const MARKS = { note: "·", warning: "!", refusal: "×" } as const;

export function findingsPart({ app, report }: Bench): HTMLElement | null {
  const found = report.findings ?? [];
  if (found.length === 0) return null;
  const lines = found.map(({ text, severity }) =>
    h("li", { class: severity }, h("span", { aria: { hidden: "true" } }, MARKS[severity]), app.title(text)),
  );
  return h("section", {}, h("h3", {}, app.t("dataFindings")), h("ul", { class: "findings" }, ...lines));
}
