/** Ranked bars: areas or classes by one indicator, and a layer's records by their states. */
import type { Facet } from "../city/facets.ts";
import type { Door, Figures, Status, Value } from "../city/indicators.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import {
  amount,
  type Drawing,
  digits,
  doorway,
  fact,
  nothingToCount,
  originFacts,
  parts,
  statusMark,
} from "./drawing.ts";

interface Bar {
  key: string;
  name: string;
  said: string;
  /** Of the longest bar. */
  share: number;
  status: Status | null;
  door: Door | null;
  note: string | null;
}

/** The first `top` values as bars, in the order in which they were given; each a door. */
export function drawBars(app: App, figures: Figures, top: number, drawing: Drawing): HTMLElement {
  const { lang } = app.store.get();
  if (figures.values.length === 0) return h("p", { class: "empty" }, nothingToCount(app, figures));
  // Where nothing is counted there is nothing to see.
  const amounts = figures.kind === "count" || figures.kind === "sum";
  const ranked = amounts ? figures.values.filter(({ value }) => value !== 0) : figures.values;
  if (ranked.length === 0) return h("p", { class: "empty" }, app.t("allZero"));
  const shown = ranked.slice(0, top);
  const most = Math.max(...figures.values.map(({ value }) => Math.abs(value ?? 0)), 0);
  const bar = (value: Value): Bar => ({
    key: `bar-${figures.name}-${figures.by}-${value.key}`,
    name: app.title(value.title),
    said: amount(lang, figures, value.value),
    share: most === 0 ? 0 : Math.abs(value.value ?? 0) / most,
    status: value.status,
    door: value.door,
    note: amounts ? null : parts(app, figures, value),
  });
  const rest = ranked.length - shown.length;
  return h(
    "div",
    {},
    list(app, shown.map(bar), figures.by, drawing),
    rest > 0 && h("p", { class: "rest" }, app.t(figures.truncated ? "restMany" : "rest", { n: rest })),
  );
}

/** The records of a layer by the values of a column, the most frequent first; each a door. */
export function drawStatuses(
  app: App,
  { layer, facet, conditions }: { layer: string; facet: Facet; conditions: Door["conditions"] },
  drawing: Drawing,
): HTMLElement {
  const { lang } = app.store.get();
  const values = facet.values.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const all = sumOf(facet);
  if (all === 0) {
    const summary = app.city.layer(layer);
    return h("p", { class: "empty" }, app.t("nothingToCount", { layer: summary ? app.title(summary.title) : layer }));
  }
  const percent = (count: number) => `${digits(lang, (100 * count) / all, 1)}%`;
  const bars = values.map(({ value, title, count }) => ({
    key: `status-${layer}-${facet.column}-${value}`,
    name: title ? app.title(title) : (value ?? app.t("noValue")),
    said: digits(lang, count, 0),
    share: count / (values[0]?.count ?? 1),
    status: null,
    door: { layer, conditions: { ...conditions, [facet.column]: { in: [value] } } },
    note: percent(count),
  }));
  return list(app, bars, facet.column, drawing);
}

/** Of what the states of a layer's records are made, of when, and where they come from. */
export function aboutStatuses(
  app: App,
  { layer, facet, conditions, at }: { layer: string; facet: Facet; conditions: Door["conditions"]; at: string },
  drawing: Drawing,
): HTMLElement {
  const { lang } = app.store.get();
  const summary = app.city.layer(layer);
  const all = digits(lang, sumOf(facet), 0);
  const given = { door: { layer, conditions }, by: "city", key: `all-${layer}-${facet.column}`, class: "part" };
  const whole = doorway(app, drawing, { ...given, label: `${app.t("denominator")} ${all}` }, all);
  const { synthetic = false, updated = null } = summary ?? {};
  return h(
    "div",
    {},
    h(
      "p",
      {},
      app.t("statusesAbout", { column: app.title(facet.title), layer: summary ? app.title(summary.title) : layer }),
    ),
    h(
      "dl",
      {},
      fact(app.t("denominator"), h("span", { class: "parts" }, whole)),
      ...originFacts(app, { at, layers: [layer], synthetic, updated }),
      facet.truncated ? fact(app.t("cutOff"), app.t("cutOffWhy")) : null,
    ),
  );
}

const sumOf = ({ values }: Facet): number => values.reduce((sum, { count }) => sum + count, 0);

function list(app: App, bars: readonly Bar[], by: string, drawing: Drawing): HTMLElement {
  return h(
    "ol",
    { class: "ranked" },
    ...bars.map(({ key, name, said, share, status, door, note }) => {
      const length = h("span", { class: "length" });
      length.style.setProperty("--share", `${(100 * share).toFixed(1)}%`);
      const row = doorway(
        app,
        drawing,
        { door, by, key, class: "ranked-row" },
        h("span", { class: "name" }, name),
        note === null ? null : h("span", { class: "note" }, note),
        h("span", { class: "said" }, statusMark(app, status), said),
        length,
      );
      const item = h("li", {}, row);
      if (status !== null) item.dataset.status = status;
      return item;
    }),
  );
}
