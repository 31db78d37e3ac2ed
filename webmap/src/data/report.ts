/** What an examination noticed, and why a file cannot be loaded as it is — with the way out as a button. */
import { h } from "../page/dom.ts";
import { action } from "./desk.ts";
import { remedy } from "./draft.ts";
import type { Bench } from "./upload.ts";

export function refusalPart(bench: Bench): HTMLElement | null {
  const { app, report } = bench;
  if (report.refusal === undefined) return null;
  const { text, help, kind } = report.refusal;
  const buttons = help.flatMap(({ option, value }) => {
    const change = remedy(option, value);
    return change === null ? [] : [action(remedyWord(bench, option, value), () => bench.apply(change))];
  });
  const tables = kind === "ChoiceNeeded" ? (report.tables ?? []) : [];
  const choices = tables.map((name) => action(name, () => bench.apply({ table: name })));
  return h(
    "section",
    { class: "refusal", role: "alert" },
    h("p", {}, h("b", {}, app.title(text))),
    app.store.get().lang === "zh" &&
      h("details", {}, h("summary", {}, app.t("dataDetail")), h("p", { lang: "en" }, text.en)),
    h("div", { class: "buttons" }, ...buttons, ...choices),
  );
}

function remedyWord({ app }: Bench, option: string, value: string | null): string {
  if (option === "frame") return app.t("dataReadAs", { frame: value ?? "" });
  if (option === "swap") return app.t(value === "no" ? "dataSwapNot" : "dataSwap");
  return app.t("dataOnlyPart");
}

const MARKS = { note: "·", warning: "!", refusal: "×" } as const;

export function findingsPart({ app, report }: Bench): HTMLElement | null {
  const found = report.findings ?? [];
  if (found.length === 0) return null;
  const lines = found.map(({ text, severity }) =>
    h(
      "li",
      { class: severity, title: text.en },
      h("span", { aria: { hidden: "true" } }, MARKS[severity]),
      app.title(text),
    ),
  );
  return h("section", {}, h("h3", {}, app.t("dataFindings")), h("ul", { class: "findings" }, ...lines));
}
