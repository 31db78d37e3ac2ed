/** What goes to the printer: the style as it is seen, cleaned of what only a screen needs, its legend and its filters. */
import type { LayerSpecification, SourceSpecification, StyleSpecification } from "maplibre-gl";
import type { LayerDetail, Raster } from "../city/api.ts";
import type { LegendPart, PrintOrder } from "../city/printing.ts";
import { rampColours, type Shades, span } from "../map/choropleth.ts";
import { added } from "../map/overlays.ts";
import type { DensityRange } from "../map/style.ts";
import type { App } from "../page/app.ts";
import type { Clause } from "../page/conditions.ts";
import { inWords, number } from "../words/format.ts";
import { unitWord } from "../words/i18n.ts";
import type { Mark } from "./marks.ts";
import { labelled, MARKS, markLayers } from "./overlay.ts";

const LAYER_KEYS = ["id", "type", "source", "source-layer", "minzoom", "maxzoom", "filter", "layout", "paint"] as const;
/** So much the server takes; on paper it is one line. */
const LONGEST_SUBTITLE = 500;
const SOURCE_KEYS = ["type", "minzoom", "maxzoom", "bounds", "promoteId", "tileSize"] as const;

/** The style with our own tiles alone: those of another host (an online base map) cannot be fetched here. */
export function forPaper(
  style: StyleSpecification,
  origin: string,
  marks: FeatureMarks | null,
): { style: PrintOrder["style"]; left: string[] } {
  const left = Object.entries(style.sources)
    .filter(([, source]) => "tiles" in source && !source.tiles?.every((tile) => pathOf(tile, origin) !== null))
    .map(([id]) => id);
  const drawn = style.layers.filter((layer) => {
    const source = "source" in layer ? layer.source : "";
    return layer.layout?.visibility !== "none" && !left.includes(String(source)) && !added(layer.id);
  });
  const used = new Set(drawn.flatMap((layer) => ("source" in layer ? [String(layer.source)] : [])));
  const sources = Object.entries(style.sources).filter(([id]) => used.has(id));
  const own = marks === null ? {} : { [MARKS]: { type: "geojson", data: marks.data } };
  return {
    left,
    style: {
      version: 8,
      sources: { ...Object.fromEntries(sources.map(([id, source]) => [id, sourceOnPaper(source, origin)])), ...own },
      layers: [...drawn, ...(marks?.layers ?? [])].map((layer) => picked(layer, LAYER_KEYS)),
    },
  };
}

export interface FeatureMarks {
  data: GeoJSON.FeatureCollection;
  layers: readonly LayerSpecification[];
}

export const marksOnPaper = (app: App, marks: readonly Mark[], roles: Record<string, string>): FeatureMarks | null =>
  marks.length === 0 ? null : { data: labelled(marks, app.store.get().lang), layers: markLayers(roles) };

function sourceOnPaper(source: SourceSpecification, origin: string): Record<string, unknown> {
  const kept = picked(source, SOURCE_KEYS);
  if (source.type === "geojson") return { type: "geojson", data: source.data };
  return "tiles" in source ? { ...kept, tiles: source.tiles?.map((tile) => pathOf(tile, origin)) } : kept;
}

/** The path of a tile address of ours, without the fragment that makes a map ask again; null for another host's. */
function pathOf(tile: string, origin: string): string | null {
  const [address = ""] = tile.split("#", 1);
  if (address.startsWith("/")) return address;
  return address.startsWith(`${origin}/`) ? address.slice(origin.length) : null;
}

function picked(from: object, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([key]) => keys.includes(key)));
}

/** The legend of what is drawn at a zoom, in the colours of print. */
export function legendOnPaper(
  app: App,
  layers: readonly LayerDetail[],
  rasters: readonly Raster[],
  ranges: readonly DensityRange[],
  zoom: number,
  shaded: Shaded | null = null,
): LegendPart[] {
  const { lang, hidden, rasters: shown } = app.store.get();
  const range = ranges.find(({ from, to }) => zoom >= from && zoom < to);
  const density = range?.layer ?? null;
  const single: LegendPart = { title: app.t("layers"), rows: [] };
  const parts = layers.flatMap((layer): LegendPart[] => {
    const title = app.title(layer.title);
    if (layer.name === density) return [surfacePart(app, layer, range?.look ?? "cells", shaded)];
    if (zoom < layer.minzoom) return [];
    const off = hidden[layer.name] ?? [];
    const all = layer.legend.print ?? [];
    const rows = all
      .filter((row) => row.value === null || !off.includes(row.value))
      .map(({ title: name, colour, shape }) => {
        const label = all.length === 1 ? title : name ? app.title(name) : app.t("other");
        return { label, colour, shape };
      });
    // The ground speaks for itself.
    if (all.length > 1 && layer.group === "base") return [];
    if (all.length > 1) return rows.length === 0 ? [] : [{ title, rows }];
    single.rows?.push(...rows);
    return [];
  });
  if (single.rows?.length) parts.push(single);
  const grounds = rasters
    .filter(({ name }) => shown.includes(name))
    .map(({ title, unit, legend, steps }): LegendPart => {
      const ticks = legend.map(({ value }) => number(lang, value));
      return {
        title: app.title(title),
        unit: unitWord(lang, unit),
        ramp: { colours: legend.map(({ colour }) => colour), ticks, steps },
      };
    });
  return [...parts, ...grounds];
}

/** What the areas or the heat are coloured by on paper: their classes, and the colours of its palette by role. */
export interface Shaded {
  shades: Shades | null;
  roles: Readonly<Record<string, string>>;
}

function surfacePart(app: App, layer: LayerDetail, look: DensityRange["look"], shaded: Shaded | null): LegendPart {
  if (look === "cells" || shaded === null) return densityPart(app, layer);
  const { shades, roles } = shaded;
  if (look === "heat") {
    const colours = [2, 3, 4, 5].map((step) => roles[`ramp${step}`] ?? "#888888");
    const ramp = { colours, ticks: [app.t("heatLow"), app.t("heatHigh")], steps: false };
    return { title: app.t("heatOf", { layer: app.title(layer.title) }), unit: app.t("heatUnit"), ramp };
  }
  const area = app.city.layer(shades?.by ?? look);
  const title = app.t("areasOf", { layer: app.title(layer.title), area: area ? app.title(area.title) : "" });
  const unit = app.title(layer.density.unit);
  const colours = rampColours(roles, shades?.classes.length ?? 0);
  const rows = (shades?.classes ?? []).map(({ from, to, n }, at) => ({
    label: `${span(app.store.get().lang, from, to)} (${app.t("areasCount", { n })})`,
    colour: colours[at] ?? "#888888",
    shape: "fill" as const,
  }));
  return { title, unit, rows: rows.reverse() };
}

function densityPart(app: App, layer: LayerDetail): LegendPart {
  const { unit, stops, colours } = layer.density;
  const compact = new Intl.NumberFormat(app.store.get().lang === "zh" ? "zh-CN" : "en-GB", { notation: "compact" });
  return {
    title: app.t("densityOf", { layer: app.title(layer.title) }),
    unit: app.title(unit),
    ramp: { colours: colours.print ?? [], ticks: stops.map((stop) => compact.format(stop)), steps: false },
  };
}

/** What records had to meet to be on the map, in words; empty when nothing was asked of them. */
export function filtersInWords(app: App, layers: readonly LayerDetail[]): string {
  const { conditions, hidden, lang } = app.store.get();
  const parts = layers.flatMap((layer) => {
    const asked = Object.entries(conditions[layer.name] ?? {}).map(([column, clause]) =>
      clauseInWords(app, layer, column, clause),
    );
    const off = (hidden[layer.name] ?? []).map((value) => inWords(lang, layer, layer.classes, value));
    if (off.length > 0) asked.push(app.t("printHidden", { text: off.join(lang === "zh" ? "、" : ", ") }));
    return asked.length === 0 ? [] : [`${app.title(layer.title)} ${asked.join(lang === "zh" ? "，" : ", ")}`];
  });
  if (parts.length === 0) return "";
  const text = app.t("printFilter", { text: parts.join(lang === "zh" ? "；" : "; ") });
  return text.length <= LONGEST_SUBTITLE ? text : `${text.slice(0, LONGEST_SUBTITLE - 1)}…`;
}

function clauseInWords(app: App, layer: LayerDetail, column: string, clause: Clause): string {
  const { lang } = app.store.get();
  const field = layer.fields.find((each) => each.name === column);
  const name = field ? app.title(field.title) : column === "changed_at" ? app.t("timeRecorded") : column;
  if ("starts" in clause) return app.t("printStarts", { name, text: clause.starts });
  if ("in" in clause) {
    const said = clause.in.map((value) =>
      value === null ? app.t("printUnrecorded") : inWords(lang, layer, column, value),
    );
    return `${name} ${said.join(lang === "zh" ? "、" : ", ")}`;
  }
  const [from, to] = [clause.from?.slice(0, 10), clause.to?.slice(0, 10)];
  if (from === undefined) return app.t("printUntil", { name, to: to ?? "" });
  return to === undefined ? app.t("printSince", { name, from }) : app.t("printBetween", { name, from, to });
}
