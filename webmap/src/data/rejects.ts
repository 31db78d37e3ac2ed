/** The rows and values that were refused: filtered by reason, corrected in place, or sent back as a workbook. */
import * as intake from "../city/intake.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { codesOf } from "./codes.ts";
import { aboutWord, action, attempt, cell, table } from "./desk.ts";
import { withCorrection } from "./draft.ts";
import { raggedLine } from "./ragged.ts";
import type { Bench } from "./upload.ts";

export function rejectsPart(bench: Bench, over: AbortSignal): HTMLElement | null {
  const { app, report, upload } = bench;
  const { lang } = app.store.get();
  const kinds = report.kinds ?? [];
  const mended = upload.choices.corrections.length;
  if (kinds.length === 0 && mended === 0) return null;
  const every = kinds.reduce((sum, each) => sum + each.count, 0);
  const list = h("div", { class: "rejects" });
  const chips = h("div", { class: "chips" });
  const choose = (kind: intake.RejectKind | null): void => {
    for (const chip of chips.querySelectorAll("button")) {
      const own = chip.dataset.kind === (kind === null ? "" : keyOf(kind));
      chip.setAttribute("aria-pressed", String(own));
    }
    void attempt(bench, () => drawList(list, bench, kind, over));
  };
  const chip = (kind: intake.RejectKind | null, text: string, count: number): HTMLElement => {
    const counted = h("span", { class: "count" }, number(lang, count));
    const button = action(text, () => choose(kind), kind?.whole === false ? "chip flag" : "chip");
    button.dataset.kind = kind === null ? "" : keyOf(kind);
    button.append(counted);
    return button;
  };
  chips.append(
    chip(null, app.t("dataAll"), every),
    ...kinds.map((kind) =>
      chip(kind, [where(bench, kind), app.title(kind.reason)].filter(Boolean).join(app.t("dataColon")), kind.count),
    ),
  );
  if (kinds.length > 0) choose(null);
  const back = action(app.t("dataSendBack"), () => void attempt(bench, () => sendBack(bench)));
  const undo = action(app.t("dataUncorrect"), () => bench.apply({ corrections: [] }), "");
  return h(
    "section",
    {},
    h("h3", {}, app.t("dataRejects")),
    mended > 0 && h("p", { class: "hint" }, app.t("dataCorrected", { n: mended }), undo),
    kinds.length > 0 && chips,
    kinds.length > 0 && list,
    kinds.length > 0 && h("div", { class: "buttons" }, back, h("span", { class: "hint" }, app.t("dataSendBackWhy"))),
  );
}

const keyOf = ({ code, field, whole }: intake.RejectKind): string => `${code} ${field ?? ""} ${whole}`;

const where = ({ app }: Bench, kind: intake.RejectKind): string =>
  kind.columns?.join(app.t("dataAnd")) || aboutWord(app, kind);

async function drawList(
  element: HTMLElement,
  bench: Bench,
  kind: intake.RejectKind | null,
  over: AbortSignal,
): Promise<void> {
  const { app } = bench;
  const page = await intake.rejects(bench.upload.id, 0, kind);
  if (over.aborted) return;
  const words = kind === null ? null : await translations(bench, kind);
  const rows = page.rejects.map((reject) => line(bench, reject));
  const headings = ["dataRow", "dataRecord", "dataReason", "dataContent"] as const;
  const grid = table(
    app.t("dataRejects"),
    headings.map((each) => app.t(each)),
    rows,
  );
  const body = grid.querySelector("tbody");
  const more = action(
    app.t("dataMore"),
    () => {
      void attempt(bench, async () => {
        const next = await intake.rejects(bench.upload.id, rows.length, kind);
        const added = next.rejects.map((reject) => line(bench, reject));
        rows.push(...added);
        body?.append(...added);
        more.hidden = rows.length >= next.total;
      });
    },
    "",
  );
  more.hidden = rows.length >= page.total;
  fill(element, words, grid, more);
}

/** One reject; the cells that it is about can be typed into. */
function line(bench: Bench, reject: intake.Reject): HTMLElement {
  const { app } = bench;
  if (reject.surplus !== undefined) return raggedLine(bench, reject, reject.surplus);
  const cells = (reject.cells ?? []).map(({ column, value }) => {
    const held = bench.choices().corrections.find((each) => each.row === reject.row && each.column === column);
    const input = h("input", {
      type: "text",
      value: held === undefined ? (value ?? "") : (held.value ?? ""),
      aria: { label: app.t("dataCell", { column, row: reject.row }) },
      autocomplete: "off",
      spellcheck: false,
    });
    input.onchange = () => {
      const typed = input.value.trim() === "" ? null : input.value.trim();
      input.classList.toggle("edited", typed !== value);
      const { corrections } = bench.choices();
      bench.change({ corrections: withCorrection(corrections, { row: reject.row, column, value: typed }, value) });
    };
    return h("label", { class: "mend" }, h("span", { class: "hint" }, column), input);
  });
  const state = app.t(reject.whole ? "dataWholeRow" : "dataOnlyValue");
  return h(
    "tr",
    { class: reject.whole ? "" : "flag" },
    cell(String(reject.row), "number"),
    cell(reject.label ?? "", "name"),
    h("td", {}, app.title(reject.reason), h("span", { class: "hint" }, state)),
    h("td", {}, ...(cells.length > 0 ? cells : [h("span", { class: "raw" }, reject.raw ?? "")])),
  );
}

/** Words that no code book knows: each can be told to mean a code, for all rows at once. */
async function translations(bench: Bench, { code, field, words }: intake.RejectKind): Promise<HTMLElement | null> {
  const { app, report } = bench;
  if (code !== "unknown_code" || field === null || words === undefined) return null;
  const codes = await codesOf(app, report, field);
  if (codes.length === 0) return null;
  const lines = words.map((word) => {
    const held = bench.choices().meanings?.values[field]?.[word] ?? "";
    const select = h(
      "select",
      { aria: { label: app.t("dataMeans", { word }) } },
      h("option", { value: "" }, app.t("dataNoMeaning")),
      ...codes.map(({ code: each, title }) => h("option", { value: each, selected: each === held }, title)),
    );
    select.onchange = () => {
      const meanings = bench.choices().meanings ?? report.meanings;
      if (meanings === undefined) return;
      const { [word]: _, ...others } = meanings.values[field] ?? {};
      const mine = select.value === "" ? others : { ...others, [word]: select.value };
      bench.change({ meanings: { ...meanings, values: { ...meanings.values, [field]: mine } } });
    };
    return h("li", {}, h("span", {}, app.t("dataMeans", { word })), select);
  });
  return h("ul", { class: "meanings" }, ...lines);
}

async function sendBack({ app, upload, report }: Bench): Promise<void> {
  const blob = await intake.refusedWorkbook(upload.id);
  const stem = (report.file ?? "rows").replace(/\.[^.]+$/, "");
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: `${stem}-${app.t("dataSendBackName")}.xlsx` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
