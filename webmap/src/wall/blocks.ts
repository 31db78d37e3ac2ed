/** What the panels of a topic say on a wall: blocks of a title and few large rows, from what was read for the desk. */
import type { LayerDetail, LegendRow } from "../city/api.ts";
import type { Facet } from "../city/facets.ts";
import type { Figures, Value } from "../city/indicators.ts";
import type { Panel, Topic } from "../city/topics.ts";
import { swatch } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { admits } from "../panels/doors.ts";
import { digits, periodText, statusMark, unitText } from "../panels/drawing.ts";
import { type KeyFigure, turnOf } from "../panels/figures.ts";
import { isStale, type Reading } from "../panels/keep.ts";
import { timeOf } from "../panels/reading.ts";
import { lineThrough, rangeOf } from "../panels/series.ts";
import { line, run } from "./text.ts";

/** Rows under a title; `at` is of when they are, null where that means nothing. */
export interface Block {
  title: string | null;
  rows: HTMLElement[];
  at: string | null;
  stale: boolean;
}

const MOST_ROWS = 8;

/** The blocks of a topic, in the order of its panels; what is absent, empty or not yet known has none. */
export function blocksOf(app: App, topic: Topic, readings: readonly (Reading | undefined)[], now: number): Block[] {
  return topic.panels.flatMap((panel, index) => {
    const reading = readings[index];
    if (reading === undefined || reading.data === null || reading.absent) return [];
    const stale = isStale(reading, topic.refresh_s, now);
    const at = timeOf(reading.data);
    return drawn(app, panel, reading).map(({ title, rows }) => ({ title, rows, at, stale }));
  });
}

type Drawn = Pick<Block, "title" | "rows">;

function drawn(app: App, panel: Panel, { data }: Reading): Drawn[] {
  const given = panel.title ? app.title(panel.title) : null;
  const of = (figures: Figures) => given ?? app.title(figures.title);
  switch (data?.kind) {
    case "figures":
      return [{ title: null, rows: data.figures.map((each) => figure(app, each)) }];
    case "bars":
      return some(of(data.figures.figures), ranked(app, data.figures.figures, data.top));
    case "table":
      // On a wall a table of many columns is as many rankings.
      return data.columns.flatMap(({ figures }) => some(app.title(figures.title), ranked(app, figures, data.top)));
    case "statuses":
      return some(given ?? app.title(data.facet.title), counted(app, data.layer, data.facet));
    case "series":
      return past(app, of(data.figures.figures), data.figures);
    case "legend":
      return legend(app);
    default:
      return [];
  }
}

const some = (title: string, rows: HTMLElement[]): Drawn[] => (rows.length === 0 ? [] : [{ title, rows }]);

function figure(app: App, { figures, past: points }: KeyFigure): HTMLElement {
  const { lang } = app.store.get();
  const [value] = figures.values;
  const unit = [unitText(lang, figures.unit), periodText(app, figures)].filter(Boolean).join(" · ");
  const turn = turnOf(points, figures.better, figures.decimals);
  const arrow = turn === null || turn.by === 0 ? null : turn.by > 0 ? "↑" : "↓";
  const row = h(
    "div",
    { class: "figure" },
    h(
      "div",
      { class: "about" },
      line("what", app.title(figures.title)),
      arrow &&
        turn &&
        h(
          "p",
          { class: "turn latin", data: { turn: turn.turn } },
          arrow,
          digits(lang, Math.abs(turn.by), figures.decimals),
        ),
    ),
    h(
      "p",
      { class: "value" },
      statusMark(app, value?.status ?? null),
      h("b", {}, digits(lang, value?.value ?? null, figures.decimals)),
      unit === "" ? null : run(unit),
    ),
  );
  if (value?.status) row.dataset.status = value.status;
  return row;
}

function ranked(app: App, figures: Figures, top: number): HTMLElement[] {
  const { lang } = app.store.get();
  const values = figures.values.filter(({ value }) => value !== null && value !== 0).slice(0, Math.min(top, MOST_ROWS));
  const most = Math.max(...values.map(({ value }) => Math.abs(value ?? 0)));
  const unit = unitText(lang, figures.unit).startsWith("%") ? "%" : "";
  const said = ({ value }: Value) => `${digits(lang, value, figures.decimals)}${unit}`;
  return values.map((value) =>
    bar(app.title(value.title), said(value), Math.abs(value.value ?? 0) / most, statusMark(app, value.status)),
  );
}

/** Classes in the order of their legend, which is that of their gravity; other values by how many there are. */
function counted(app: App, of: string, facet: Facet): HTMLElement[] {
  const { lang } = app.store.get();
  const layer = app.city.known(of);
  const order = layer?.classes === facet.column ? classesOf(app, layer).map(({ value }) => value) : [];
  const place = (value: string | null) => order.indexOf(value) + (order.includes(value) ? 0 : order.length + 1);
  const values = facet.values
    .filter(({ count }) => count > 0)
    .sort((a, b) => place(a.value) - place(b.value) || b.count - a.count);
  const most = Math.max(1, ...values.map(({ count }) => count));
  const name = ({ title, value }: (typeof values)[number]) => (title ? app.title(title) : (value ?? app.t("noValue")));
  return values
    .slice(0, MOST_ROWS)
    .map((each) => bar(name(each), digits(lang, each.count, 0), each.count / most, null));
}

function bar(name: string, said: string, share: number, mark: HTMLElement | null): HTMLElement {
  const length = h("span", { class: "length" });
  length.style.setProperty("--share", String(share));
  const named = line("name", name);
  return h("div", { class: "bar" }, named, h("b", { class: "latin" }, mark, said), length);
}

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [300, 120];

function past(app: App, title: string, { figures, past: points }: KeyFigure): Drawn[] {
  const known = points.filter(({ value }) => value !== null);
  if (known.length < 2) return [];
  const { lang } = app.store.get();
  const range = rangeOf(known, null);
  const chart = document.createElementNS(SVG, "svg");
  chart.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  chart.setAttribute("preserveAspectRatio", "none");
  chart.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", lineThrough(known, range, WIDTH, HEIGHT));
  path.setAttribute("vector-effect", "non-scaling-stroke");
  chart.append(path);
  const end = (index: number) => digits(lang, known.at(index)?.value ?? null, figures.decimals);
  const ends = h("p", { class: "ends latin" }, h("span", {}, end(0)), h("b", {}, end(-1)));
  return [{ title, rows: [h("div", { class: "series" }, chart, ends)] }];
}

/** The classes of what is shown as records, and the ramp of what is shown as a density. */
function legend(app: App): Drawn[] {
  const { layers, density } = app.store.get();
  const known = [...layers].reverse().flatMap((name) => app.city.known(name) ?? []);
  const dense = known.find(({ name, density: of }) => name === density && of !== undefined);
  const rows = known
    .filter(({ group }) => group === "emergency" || group === "environment")
    .flatMap((layer) => key(app, layer));
  return [
    ...(dense ? some(app.t("wallDensity", { layer: app.title(dense.title) }), [ramp(app, dense)]) : []),
    ...some(app.t("legend"), rows.slice(0, MOST_ROWS)),
  ];
}

const classesOf = (app: App, layer: LayerDetail): LegendRow[] => {
  const rows = layer.legend[app.store.get().palette] ?? [];
  const named = rows.filter(({ title }) => title !== undefined);
  return named.length > 0 ? named : rows.slice(0, 1);
};

/** A layer in its colours, as far as classes are shown; where it is but one of several, with its word. */
function key(app: App, layer: LayerDetail): HTMLElement[] {
  const classes = classesOf(app, layer);
  const clause = layer.classes === null ? undefined : app.store.get().conditions[layer.name]?.[layer.classes];
  const shown = clause === undefined ? classes : classes.filter(({ value }) => admits(clause, value));
  const colours = shown.filter(({ colour }, at) => shown.findIndex((each) => each.colour === colour) === at);
  const [only] = shown;
  const word = shown.length === 1 && classes.length > 1 && only?.title ? ` · ${app.title(only.title)}` : "";
  if (colours.length === 0) return [];
  return [h("div", { class: "key" }, ...colours.map(swatch), line("name", `${app.title(layer.title)}${word}`))];
}

function ramp(app: App, layer: LayerDetail): HTMLElement {
  const { palette, lang } = app.store.get();
  const band = h("div", { class: "band" });
  band.style.setProperty("--ramp", (layer.density.colours[palette] ?? []).join(","));
  const compact = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB", { notation: "compact" });
  const [low, high] = [layer.density.stops[0] ?? 0, layer.density.stops.at(-1) ?? 0];
  const end = (value: number) => run(compact.format(value));
  return h(
    "div",
    { class: "ramp" },
    band,
    h("p", { class: "ends" }, end(low), run(app.title(layer.density.unit)), end(high)),
  );
}
