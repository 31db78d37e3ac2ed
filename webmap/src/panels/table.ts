/** A table: areas or classes down, indicators across, every number a door. */
import type { Figures, Value } from "../city/indicators.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { type Drawing, digits, doorway, nothingToCount, periodText, statusMark, unitText } from "./drawing.ts";

interface Row {
  key: string | null;
  name: string;
  values: (Value | null)[];
}

/** One row for each key that any of the indicators has, in the order of the first one that has it. */
export function rowsOf(columns: readonly Figures[], name: (value: Value) => string): Row[] {
  const rows = new Map<string | null, Row>();
  for (const [index, { values }] of columns.entries()) {
    for (const value of values) {
      const row = rows.get(value.key) ?? { key: value.key, name: name(value), values: columns.map(() => null) };
      row.values[index] = value;
      rows.set(value.key, row);
    }
  }
  return [...rows.values()];
}

export function drawTable(app: App, columns: readonly Figures[], top: number, drawing: Drawing): HTMLElement {
  const { lang } = app.store.get();
  const rows = rowsOf(columns, ({ title }) => app.title(title));
  const [first] = columns;
  if (first === undefined || rows.length === 0)
    return h("p", { class: "empty" }, first === undefined ? app.t("noIndicators") : nothingToCount(app, first));
  const head = columns.map((column) => {
    const unit = [unitText(lang, column.unit), periodText(app, column)].filter(Boolean).join(" · ");
    return h("th", { scope: "col" }, app.title(column.title), h("span", { class: "unit" }, unit));
  });
  const cell = (row: Row, index: number) => {
    const [column, value] = [columns[index], row.values[index]];
    if (column === undefined || value == null) return h("td", {}, "–");
    const key = `cell-${column.name}-${row.key}`;
    const label = `${row.name} ${app.title(column.title)} ${digits(lang, value.value, column.decimals)}`;
    const inside = [statusMark(app, value.status), digits(lang, value.value, column.decimals)];
    return h(
      "td",
      {},
      doorway(app, drawing, { door: value.door, by: column.by, key, class: "number", label }, ...inside),
    );
  };
  const body = rows
    .slice(0, top)
    .map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), ...columns.map((_, index) => cell(row, index))));
  const rest = rows.length - body.length;
  return h(
    "div",
    {
      class: "table",
      role: "region",
      tabIndex: 0,
      aria: { label: columns.map(({ title }) => app.title(title)).join() },
    },
    h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), ...head)), h("tbody", {}, ...body)),
    rest > 0 && h("p", { class: "rest" }, app.t("rest", { n: rest })),
  );
}
