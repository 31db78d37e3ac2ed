/** A row that has more or fewer cells than the header: all of them, to be set right or taken as they are. */
import type { Reject } from "../city/intake.ts";
import { fill, h } from "../page/dom.ts";
import { action, cell } from "./desk.ts";
import { joined, parted, withRow } from "./draft.ts";
import type { Bench } from "./upload.ts";

export function raggedLine(bench: Bench, reject: Reject, surplus: readonly (string | null)[]): HTMLElement {
  const { app } = bench;
  const headers = (reject.cells ?? []).map(({ column }) => column);
  const found = [...(reject.cells ?? []).map(({ value }) => value), ...surplus];
  // Of a row that is too short the cells that are lacking stand at its end.
  const lacking = (reject.cells ?? []).length - lastFilled(found);
  const held = bench.choices().corrections.filter((each) => each.row === reject.row);
  const typed = headers.map((column, at) => held.find((each) => each.column === column)?.value ?? found[at] ?? null);
  let cells: (string | null)[] = held.length > 0 ? typed : found;
  let taken = held.length > 0;
  const place = h("td", {});

  const keep = (): void => {
    const row = taken ? headers.map((column, at) => ({ column, value: cells[at] ?? null })) : null;
    bench.change({ corrections: withRow(bench.choices().corrections, reject.row, row) });
  };
  const take = h("button", { type: "button", class: "outlined" });
  const mark = (): void => {
    take.textContent = app.t(taken ? "dataLeaveRow" : "dataTakeRow");
    take.setAttribute("aria-label", `${take.textContent} ${app.t("dataRow")} ${reject.row}`);
    take.setAttribute("aria-pressed", String(taken));
  };
  take.onclick = () => {
    taken = !taken;
    keep();
    draw();
    take.focus();
  };
  /** The row with its cells moved; one that now has the cells of the header is taken. */
  const move = (next: (string | null)[], at: number): void => {
    cells = next;
    taken = next.length <= headers.length;
    keep();
    draw();
    place.querySelectorAll("input")[at]?.focus();
  };
  const input = (column: string, at: number): HTMLElement => {
    const box = h("input", {
      type: "text",
      value: cells[at] ?? "",
      class: taken && (cells[at] ?? null) !== (found[at] ?? null) ? "edited" : "",
      aria: { label: app.t("dataCell", { column, row: reject.row }) },
      autocomplete: "off",
      spellcheck: false,
    });
    box.style.setProperty("--long", String(Math.min(28, Math.max(8, (cells[at] ?? "").length + 3))));
    box.onchange = () => {
      // Drawn anew, it would lose the place of somebody who goes on by the keyboard.
      cells = cells.map((value, each) => (each === at ? box.value.trim() || null : value));
      taken = true;
      box.classList.toggle("edited", (cells[at] ?? null) !== (found[at] ?? null));
      mark();
      keep();
    };
    return box;
  };
  const shift = (column: string, at: number): HTMLElement | null => {
    const [word, next] =
      cells.length > headers.length && at + 1 < cells.length
        ? (["dataJoin", () => move(joined(cells, at), at)] as const)
        : lacking > 0 && cells.length === headers.length && cells.at(-1) === null && cells[at] !== null
          ? (["dataPart", () => move(parted(cells, at).slice(0, headers.length), at)] as const)
          : [null, () => {}];
    if (word === null) return null;
    const button = action(app.t(word), next, "shift");
    button.setAttribute("aria-label", app.t(`${word}Of`, { column, row: reject.row }));
    return button;
  };
  const draw = (): void => {
    const beyond = cells.slice(headers.length).map((each) => each ?? app.t("dataBlank"));
    const boxes = headers.map((column, at) =>
      h(
        "div",
        { class: "mend" },
        h("span", { class: "hint", aria: { hidden: "true" } }, column),
        input(column, at),
        shift(column, at),
      ),
    );
    mark();
    fill(
      place,
      ...boxes,
      beyond.length > 0 && h("p", { class: "raw" }, app.t("dataBeyond", { cells: beyond.join(" · ") })),
      h("div", { class: "buttons" }, take),
    );
  };
  draw();
  return h(
    "tr",
    { class: "ragged" },
    cell(String(reject.row), "number"),
    cell(reject.label ?? "", "name"),
    h(
      "td",
      {},
      app.title(reject.reason),
      h("span", { class: "hint" }, app.t(surplus.length > 0 ? "dataTooMany" : "dataTooFew")),
    ),
    place,
  );
}

/** How many cells there are up to the last that says something. */
const lastFilled = (cells: readonly (string | null)[]): number => cells.findLastIndex((each) => each !== null) + 1;
