/** Which records of a layer are meant: by the values of its columns, with their counts, and by time. */

import type { LayerSummary } from "../city/api.ts";
import type { Facet, Facets, FacetValue } from "../city/facets.ts";
import { facets as askFacets } from "../city/facets.ts";
import type { App } from "../page/app.ts";
import { type Clause, type Conditions, toCql2, withClause } from "../page/conditions.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { number } from "../words/format.ts";
import { period, periodColumns } from "./period.ts";

const FEW = 8;

export interface Filters {
  element: HTMLElement;
  update(): void;
}

export function layerFilters(app: App, layer: LayerSummary): Filters {
  const { store, city } = app;
  const head = h("div", { class: "filters-head" });
  const others = h("div", { class: "asked" });
  const list = h("div", {});
  const time = period(app, layer.name);
  const element = h("section", { class: "filters" }, head, others, list, time.element);
  const opened = new Set<string>();
  const whole = new Set<string>();
  let asking = new AbortController();
  let askedFor: string | null = null;
  let found: Facets | null = null;
  let wrong = "";

  const conditions = (): Conditions => store.get().conditions[layer.name] ?? {};
  const set = (column: string, clause: Clause | null) => put(app, layer.name, withClause(conditions(), column, clause));

  const draw = () => {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.key : undefined;
    fill(head, ...heading(app, layer, found, wrong));
    fill(others, ...otherClauses(app, layer.name, found?.facets ?? [], set));
    others.hidden = others.childElementCount === 0;
    fill(list, ...(found?.facets ?? []).map(drawFacet));
    if (focused && list.isConnected)
      element.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  const drawFacet = (facet: Facet): HTMLElement => {
    const clause = conditions()[facet.column];
    const chosen = clause !== undefined && "in" in clause ? clause.in : [];
    const all = whole.has(facet.column);
    const few = facet.values.filter(({ value }, at) => all || at < FEW || chosen.includes(value));
    const rest = facet.values.length - few.length;
    const more = h(
      "button",
      {
        type: "button",
        class: "more-values",
        data: { key: `${facet.column}:more` },
        onclick: () => {
          if (all) whole.delete(facet.column);
          else whole.add(facet.column);
          draw();
        },
      },
      all ? app.t("filterLess") : app.t("filterMore", { n: rest }),
    );
    const details = h(
      "details",
      { open: opened.has(facet.column), data: { column: facet.column } },
      h(
        "summary",
        { data: { key: facet.column } },
        h("span", {}, app.title(facet.title)),
        h("span", { class: "chosen" }, chosen.map((value) => valueWord(app, facet, value)).join(app.t("listComma"))),
      ),
      ...few.map((value) => valueLine(app, facet, value, chosen, set)),
      (rest > 0 || (all && facet.values.length > FEW)) && more,
      facet.truncated && h("p", { class: "hint" }, app.t("filterCut", { n: facet.values.length })),
    );
    details.ontoggle = () => {
      if (details.open) opened.add(facet.column);
      else opened.delete(facet.column);
    };
    return details;
  };
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      found = await facetsOf(layer.name, conditions(), signal);
      wrong = "";
    } catch (error) {
      if (signal.aborted) return;
      wrong = app.t("filterFailed", { why: why(app, error) });
    }
    if (!signal.aborted) draw();
  };
  let listed = false;
  const update = () => {
    const wanted = toCql2(conditions()) ?? "";
    const now = store.get().listed === layer.name;
    time.update();
    if (wanted === askedFor) {
      if (now !== listed) draw();
      listed = now;
      return;
    }
    listed = now;
    askedFor = wanted;
    draw();
    void ask();
  };
  // Counts follow the city, as long as someone looks at them.
  city.onNews(() => {
    if (element.checkVisibility()) void ask();
  });
  return { element, update };
}

/** Counts of every column under the conditions on all others: what one would get by choosing another value. */
async function facetsOf(layer: string, conditions: Conditions, signal: AbortSignal): Promise<Facets> {
  const chosen = Object.keys(conditions).filter((column) => "in" in (conditions[column] as Clause));
  const [all, ...without] = await Promise.all([
    askFacets(layer, toCql2(conditions), signal),
    ...chosen.map((column) => askFacets(layer, toCql2(withClause(conditions, column, null)), signal)),
  ]);
  const own = (column: string) => without[chosen.indexOf(column)]?.facets.find((each) => each.column === column);
  return { ...all, facets: all.facets.map((facet) => own(facet.column) ?? facet) };
}

/** Put a layer's conditions in place of its own. */
function put(app: App, layer: string, conditions: Conditions): void {
  const { [layer]: _, ...rest } = app.store.get().conditions;
  const none = Object.keys(conditions).length === 0;
  app.store.set({ conditions: none ? rest : { ...rest, [layer]: conditions } });
}

function heading(app: App, layer: LayerSummary, found: Facets | null, wrong: string): HTMLElement[] {
  const { lang, conditions, listed } = app.store.get();
  const filtered = toCql2(conditions[layer.name]) !== null;
  const n = number(lang, found?.total ?? layer.count);
  const told = wrong || (found === null ? app.t("loading") : app.t(filtered ? "filterTotal" : "filterEvery", { n }));
  const on = listed === layer.name;
  return [
    h("p", { class: "total", role: "status" }, told),
    h(
      "button",
      {
        type: "button",
        hidden: !filtered,
        data: { key: "clear" },
        onclick: () => put(app, layer.name, {}),
      },
      app.t("filterClear"),
    ),
    h(
      "button",
      {
        type: "button",
        data: { key: "list" },
        aria: { pressed: String(on) },
        onclick: () => app.store.set({ listed: on ? null : layer.name }),
      },
      app.t("filterList"),
    ),
  ];
}

function valueWord(app: App, facet: Facet, value: string | null): string {
  const title = facet.values.find((each) => each.value === value)?.title;
  return title ? app.title(title) : (value ?? app.t("filterNone"));
}

function valueLine(
  app: App,
  facet: Facet,
  { value, count }: FacetValue,
  chosen: readonly (string | null)[],
  set: (column: string, clause: Clause | null) => void,
): HTMLElement {
  const box = h("input", {
    type: "checkbox",
    checked: chosen.includes(value),
    data: { key: `${facet.column}=${value ?? ""}` },
  });
  box.onchange = () => {
    const values = box.checked ? [...chosen, value] : chosen.filter((each) => each !== value);
    set(facet.column, values.length === 0 ? null : { in: values });
  };
  return h(
    "label",
    { class: "value" },
    box,
    h("span", { class: "name" }, valueWord(app, facet, value)),
    h("span", { class: "count" }, number(app.store.get().lang, count)),
  );
}

/** Conditions that came from elsewhere (an area that was clicked) can be seen and taken away here, too. */
function otherClauses(
  app: App,
  layer: string,
  facets: readonly Facet[],
  set: (column: string, clause: null) => void,
): HTMLElement[] {
  const known = new Set([...facets.map(({ column }) => column), ...periodColumns(app, layer)]);
  return Object.entries(app.store.get().conditions[layer] ?? {})
    .filter(([column, clause]) => !known.has(column) || !("in" in clause || "from" in clause || "to" in clause))
    .map(([column, clause]) => {
      const text = `${columnWord(app, layer, column, clause)} ${clauseWord(app, clause)}`;
      const away = iconButton("close", `${app.t("filterClear")} ${text}`, () => set(column, null));
      return h("span", { class: "asked-one" }, text, away);
    });
}

function columnWord(app: App, layer: string, column: string, clause: Clause): string {
  const field = app.city.known(layer)?.fields.find((each) => each.name === column);
  if (field) return app.title(field.title);
  if (column === "grid_id") return app.t("grid");
  if (column === "source") return app.t("source");
  if (column === "changed_at") return app.t("periodChanged");
  if (column !== "admin_code") return column;
  return app.t("starts" in clause && clause.starts.length <= 6 ? "county" : "town");
}

function clauseWord(app: App, clause: Clause): string {
  if ("in" in clause) return clause.in.map((value) => value ?? app.t("filterNone")).join(app.t("listComma"));
  if ("starts" in clause) return clause.starts;
  return `${clause.from ?? ""} – ${clause.to ?? ""}`;
}
