/** From when to when a layer's records are meant, by one of its dates or by when they were last changed. */
import type { App } from "../page/app.ts";
import { type Clause, withClause } from "../page/conditions.ts";
import { fill, h } from "../page/dom.ts";

const CHANGED = "changed_at";
const DAY_MS = 86_400_000;

export interface Period {
  element: HTMLElement;
  update(): void;
}

/** The columns of a layer that hold days or times and can be asked for. */
export function periodColumns(app: App, layer: string): string[] {
  const fields = app.city.known(layer)?.fields ?? [];
  const dated = fields.filter(({ kind, filter }) => filter && (kind === "date" || kind === "time"));
  return [...dated.map(({ name }) => name), CHANGED];
}

/** A day of the city as the server writes it, so many days before today. */
export const dayBefore = (days: number, now = Date.now()): string =>
  new Date(now - days * DAY_MS).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" });

const QUICK = [
  ["periodToday", () => dayBefore(0)],
  ["periodWeek", () => dayBefore(6)],
  ["periodMonth", () => dayBefore(29)],
  ["periodYear", () => `${dayBefore(0).slice(0, 4)}-01-01`],
] as const;

export function period(app: App, layer: string): Period {
  const { store } = app;
  const chosen = h("span", { class: "chosen" });
  const column = h("select", { aria: { label: app.t("periodOf") } });
  const from = h("input", { type: "date", aria: { label: app.t("periodFrom") } });
  const to = h("input", { type: "date", aria: { label: app.t("periodTo") } });
  const conditions = () => store.get().conditions[layer] ?? {};
  const held = (): string | undefined =>
    periodColumns(app, layer).find((name) => {
      const clause = conditions()[name];
      return clause !== undefined && !("in" in clause) && !("starts" in clause);
    });

  const put = (first: string, last: string) => {
    const clause: Clause = { ...(first && { from: first }), ...(last && { to: last }) };
    const other = held();
    const without = other === undefined ? conditions() : withClause(conditions(), other, null);
    const next = first || last ? withClause(without, column.value, clause) : without;
    const { [layer]: _, ...rest } = store.get().conditions;
    store.set({ conditions: Object.keys(next).length === 0 ? rest : { ...rest, [layer]: next } });
  };
  const quick = QUICK.map(([name, since]) => {
    const button = h("button", { type: "button" }, app.t(name));
    button.onclick = () => {
      const pressed = button.getAttribute("aria-pressed") === "true";
      put(pressed ? "" : since(), "");
    };
    return { button, since };
  });
  column.onchange = () => put(from.value, to.value);
  for (const input of [from, to]) input.onchange = () => put(from.value, to.value);

  const update = () => {
    const { lang } = store.get();
    const columns = periodColumns(app, layer);
    const current = held() ?? (columns.includes(column.value) ? column.value : columns[0]);
    fill(column, ...columns.map((name) => h("option", { value: name }, columnTitle(app, layer, name))));
    column.value = current ?? CHANGED;
    const clause = conditions()[column.value] as { from?: string; to?: string } | undefined;
    from.value = clause?.from?.slice(0, 10) ?? "";
    to.value = clause?.to?.slice(0, 10) ?? "";
    from.max = to.value;
    to.min = from.value;
    for (const input of [from, to]) input.lang = lang;
    for (const { button, since } of quick)
      button.setAttribute("aria-pressed", String(from.value === since() && to.value === ""));
    chosen.textContent = [from.value, to.value].some(Boolean) ? `${from.value} – ${to.value}` : "";
  };
  const element = h(
    "details",
    { class: "layer-period", data: { column: "period" } },
    h("summary", {}, h("span", {}, app.t("period")), chosen),
    column,
    h("div", { class: "dates" }, from, h("span", { aria: { hidden: "true" } }, "–"), to),
    h("div", { class: "layer-choices", role: "group" }, ...quick.map(({ button }) => button)),
  );
  return { element, update };
}

function columnTitle(app: App, layer: string, column: string): string {
  if (column === CHANGED) return app.t("periodChanged");
  const field = app.city.known(layer)?.fields.find((each) => each.name === column);
  return field ? app.title(field.title) : column;
}
