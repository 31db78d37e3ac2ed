/** From the style that the server gives to the one that is drawn: what is visible, filtered, selected, looked at. */
import type { FeatureCollection } from "geojson";
import type {
  ExpressionSpecification,
  FilterSpecification,
  FontFacesSpecification,
  LayerSpecification,
  SourceSpecification,
  StyleSpecification,
  VectorSourceSpecification,
} from "maplibre-gl";
import type { Basemap, Raster, ServedStyle } from "../city/api.ts";
import { AREA_NAMES } from "../city/densities.ts";
import type { Hovered, Look } from "../page/state.ts";
import type { Lang } from "../words/i18n.ts";
import { BASE, baseLayers, baseSource } from "./basemap.ts";
import { areaLayers, areaSource, isArea } from "./choropleth.ts";
import { faded } from "./fade.ts";
import { heatLayers } from "./heat.ts";
import { hoverLayers } from "./highlight.ts";

export type Part = "ground" | "record" | "cells" | "label" | "heat" | "areas" | "areas-line";

export interface Drawing {
  served: ServedStyle;
  faces: FontFacesSpecification;
  origin: string;
  /** Layers that come in one request a tile: those that were visible when the page opened. */
  together: readonly string[];
  /** The layers that are shown, from the bottom up. */
  order: readonly string[];
  looks: Readonly<Record<string, Look>>;
  /** By layer, from 0 to 1, where that is not 1. */
  opacity: Readonly<Record<string, number>>;
  /** By layer, the CQL2 text of what its records must meet. */
  filters: Readonly<Record<string, string>>;
  /** By layer, from which zoom on there are records. */
  minzooms: Readonly<Record<string, number>>;
  /** Records per km² in the whole city of the layer that is drawn as heat, and the city's latitude. */
  perKm2: number;
  lat: number;
  /** How many classes the areas are coloured in. */
  shades: number;
  /** What a panel points at. */
  hovered: Hovered | null;
  hidden: Readonly<Record<string, readonly string[]>>;
  /** By layer, the column whose values the legend lists. */
  classes: Readonly<Record<string, string | null>>;
  density: string | null;
  selection: FeatureCollection;
  /** The id of the cell whose card is open. */
  cell: string;
  views: FeatureCollection;
  /** What a line of a list stands for. */
  traced: FeatureCollection;
  /** How often all tiles were asked for anew. */
  attempt: number;
  base: Basemap | null;
  /** Those that are shown. */
  rasters: readonly Raster[];
  dark: boolean;
  lang: Lang;
}

/** Where on the zoom scale which layer's density is shown, and how. */
export interface DensityRange {
  layer: string;
  from: number;
  to: number;
  look: Exclude<Look, "symbol">;
}

export const SELECTION = "selection";
export const VIEWS = "views";
export const TRACED = "traced";
const RASTER = "raster-";
const RASTER_TILE_PX = 256;

type Tagged = { "chengtu:layer"?: string; "chengtu:part"?: Part; "chengtu:area"?: string };
const tags = (layer: LayerSpecification): Tagged => (layer.metadata ?? {}) as Tagged;
export const layerOf = (layer: LayerSpecification): string | undefined => tags(layer)["chengtu:layer"];
export const partOf = (layer: LayerSpecification): Part | undefined => tags(layer)["chengtu:part"];
/** The layer of the areas that a drawn layer colours. */
export const areaOf = (layer: LayerSpecification): string | null => tags(layer)["chengtu:area"] ?? null;

/** What decides which density is shown where. */
export interface Densely {
  layers: readonly LayerSpecification[];
  /** The layers that are shown, from the bottom up. */
  order: readonly string[];
  /** The layer whose density is wished first. */
  chosen: string | null;
  looks: Readonly<Record<string, Look>>;
}

/**
 * One density at a time. A layer that is looked at as areas, heat or cells has it at every zoom (the chosen or else
 * the topmost one, where several are); else the chosen layer's cells come first, then, where that shows its records, the topmost other one's.
 */
export function densityRanges({ layers, order, chosen, looks }: Densely): DensityRange[] {
  const cellsTo = new Map(
    layers.flatMap((layer) => (partOf(layer) === "cells" ? [[layerOf(layer) ?? "", layer.maxzoom ?? 24]] : [])),
  );
  const candidates = [...order].reverse().flatMap((layer) => {
    const look = looks[layer] ?? "symbol";
    const to = look === "symbol" || (look === "cells" && !cellsTo.has(layer)) ? cellsTo.get(layer) : 24;
    const wished = look !== "symbol";
    // Where no density is chosen, only a look asks for one.
    if (to === undefined || (chosen === null && !wished)) return [];
    return [{ layer, to, look: wished ? look : "cells", wished }];
  });
  const first = (each: { layer: string; wished: boolean }) => Number(each.wished) * 2 + Number(each.layer === chosen);
  candidates.sort((a, b) => first(b) - first(a));
  const ranges: DensityRange[] = [];
  let from = 0;
  for (const { layer, to, look } of candidates) {
    if (to <= from) continue;
    ranges.push({ layer, from, to, look: look as DensityRange["look"] });
    from = to;
  }
  return ranges;
}

/** How a layer is drawn in the end: by symbols where another layer's density has the map. */
export function lookOf(name: string, looks: Readonly<Record<string, Look>>, ranges: readonly DensityRange[]): Look {
  const look = looks[name] ?? "symbol";
  return ranges.some((range) => range.layer === name && range.look === look) ? look : "symbol";
}

/** The whole style to draw. */
export function compose(drawing: Drawing): StyleSpecification {
  const { served, base, dark, lang, order, looks } = drawing;
  const roles = served.metadata["chengtu:palette"];
  const ranges = densityRanges({ layers: served.layers, order, chosen: drawing.density, looks });
  const layers = served.layers.flatMap((layer) => drawn(layer, drawing, ranges));
  const under = base === null ? [] : baseLayers(base, roles, dark, lang);
  const all = [
    ...layers,
    ...under,
    ...drawing.rasters.map((raster) => rasterLayer(raster, drawing.opacity[raster.name] ?? 1)),
    ...cellEdges(layers, drawing),
    ...hoverLayers(layers, drawing.hovered, roles),
    ...overlays(roles),
  ];
  const places = new Map(order.map((name, at) => [name, at + 1]));
  const place = (layer: LayerSpecification): number => places.get(layerOf(layer) ?? "") ?? 0;
  return {
    ...served,
    "font-faces": drawing.faces,
    sources: { ...groundSources(drawing), ...citySources(drawing, ranges), ...overlaySources(drawing) },
    layers: all.sort((a, b) => storey(a) - storey(b) || among(a, b) || place(a) - place(b)),
  };
}

// Names that are written from afar are those of larger places: they win over the names of what lies in them.
function among(a: LayerSpecification, b: LayerSpecification): number {
  return partOf(a) === "label" && partOf(b) === "label" ? (b.minzoom ?? 0) - (a.minzoom ?? 0) : 0;
}

const STOREYS = ["background", BASE, "ground", "raster", "cells", "views", "record", "names", "label", "selection"];
const DENSE: readonly (Part | undefined)[] = ["heat", "areas", "areas-line"];

// No surface covers a line or a name.
function storey(layer: LayerSpecification): number {
  const source = "source" in layer ? layer.source : layer.id;
  if (source === BASE && layer.type === "symbol") return STOREYS.indexOf("names");
  if (source === SELECTION || source === TRACED || /-(edge|hover)$/.test(layer.id)) return STOREYS.indexOf("selection");
  const part = partOf(layer);
  if (DENSE.includes(part)) return STOREYS.indexOf("cells");
  return STOREYS.indexOf(source.startsWith(RASTER) ? "raster" : (part ?? source));
}

type Tiled = Pick<Drawing, "together" | "filters">;

/** The source whose tiles hold a layer: one of its own where its records must meet conditions. */
export const sourceOf = (name: string, { together, filters }: Tiled): string =>
  together.includes(name) && filters[name] === undefined ? "city" : `city-${name}`;

/** Cells that are shown also where the server has records: their last tiles, stretched. */
const stretched = (name: string): string => `city-${name}-cells`;

/** Every source that may hold records of a layer. */
export const sourcesOf = (name: string, together: readonly string[]): string[] => [
  ...(together.includes(name) ? ["city"] : []),
  `city-${name}`,
  stretched(name),
  areaSource(name),
];

/** Whether a source's tiles hold records. */
export const holdsRecords = (source: string): boolean => source === "city" || /^(city|areas)-/.test(source);

function citySources(drawing: Drawing, ranges: readonly DensityRange[]): Record<string, SourceSpecification> {
  const { served, together, filters, origin, attempt, minzooms } = drawing;
  const given = served.sources.city;
  if (given?.type !== "vector") return {}; // a city without layers
  const { url: _url, tiles: _tiles, ...rest } = given;
  // MapLibre does not ask again for tiles that failed, except of a source with other URLs; a fragment is not sent.
  const again = attempt === 0 ? "" : `#${attempt}`;
  const source = (names: string, filter?: string): VectorSourceSpecification => {
    const where = filter === undefined ? "" : `?filter=${encodeURIComponent(filter)}`;
    return { ...rest, tiles: [`${origin}/tiles/${names}/{z}/{x}/{y}.mvt${where}${again}`], promoteId: "id" };
  };
  const sources: Record<string, SourceSpecification> = {};
  for (const name of new Set(served.layers.flatMap((layer) => layerOf(layer) ?? []))) {
    const id = sourceOf(name, drawing);
    sources[id] = source(id === "city" ? together.join(",") : name, filters[name]);
    if (AREA_NAMES.some((area) => area === name)) sources[areaSource(name)] = source(name);
  }
  for (const { layer, to } of ranges.filter(({ look }) => look === "cells")) {
    const last = (minzooms[layer] ?? 0) - 1;
    if (to > last + 1) sources[stretched(layer)] = { ...source(layer, filters[layer]), maxzoom: last };
  }
  return sources;
}

function drawn(layer: LayerSpecification, drawing: Drawing, ranges: DensityRange[]): LayerSpecification[] {
  const name = layerOf(layer);
  if (name === undefined || layer.type === "background") return [layer];
  const look = lookOf(name, drawing.looks, ranges);
  const part = partOf(layer);
  const visible = drawing.order.includes(name);
  const range = ranges.find((each) => each.layer === name);
  const covers = part === "ground" && layer.type === "fill" && drawing.base !== null;
  const asSurface = look !== "symbol" && part !== "ground" && part !== "cells";
  const cellsShown = range !== undefined && range.look === "cells";
  const shown = visible && !covers && !asSurface && (part !== "cells" || cellsShown);
  const moved = {
    ...layer,
    source: sourceOf(name, drawing),
    layout: { ...layer.layout, visibility: shown ? "visible" : "none" },
  } as LayerSpecification;
  const off = drawing.hidden[name] ?? [];
  const column = drawing.classes[name] ?? null;
  const filter = off.length > 0 && column !== null ? without(layer, column, off) : undefined;
  const share = part === "ground" ? 1 : (drawing.opacity[name] ?? 1);
  if (part === "cells") return [faded(cells(moved, cellsShown ? range : undefined, off, drawing), share)];
  const own = faded(filter === undefined ? moved : ({ ...moved, filter } as LayerSpecification), share);
  return part === "record" && visible ? [...surface(name, look, filter, drawing), own] : [own];
}

/** What is drawn in place of records. */
function surface(
  name: string,
  look: Look,
  filter: FilterSpecification | undefined,
  drawing: Drawing,
): LayerSpecification[] {
  const { minzooms, perKm2, lat, served } = drawing;
  const opacity = drawing.opacity[name] ?? 1;
  const roles = served.metadata["chengtu:palette"];
  if (isArea(look)) return areaLayers(name, look, { minzooms, roles, classes: drawing.shades, opacity });
  if (look !== "heat") return [];
  const cellCount = countLeft(drawing.hidden[name] ?? []);
  const source = sourceOf(name, drawing);
  return heatLayers({
    layer: name,
    source,
    minzoom: minzooms[name] ?? 0,
    roles,
    opacity,
    perKm2,
    lat,
    filter,
    cellCount,
  });
}

function without(layer: LayerSpecification, column: string, off: readonly string[]): FilterSpecification {
  const others = ["!", ["in", ["to-string", ["get", column]], ["literal", [...off]]]] as ExpressionSpecification;
  const own = "filter" in layer ? layer.filter : undefined;
  return own === undefined ? others : (["all", own, others] as FilterSpecification);
}

/** What a cell counts without the classes that are switched off. */
function countLeft(off: readonly string[]): unknown {
  if (off.length === 0) return ["get", "n"];
  return ["-", ["get", "n"], ["+", ...off.map((value) => ["coalesce", ["get", `c_${value}`], 0])]];
}

// A cell knows its count by class, so its density follows the classes that are switched off.
function cells(
  layer: LayerSpecification,
  range: DensityRange | undefined,
  off: readonly string[],
  { minzooms }: Drawing,
): LayerSpecification {
  const zooms = range === undefined ? {} : { minzoom: range.from, maxzoom: range.to };
  const far = range !== undefined && range.to > (minzooms[range.layer] ?? 24);
  const source = far ? { source: stretched(range.layer) } : {};
  const placed = { ...layer, ...zooms, ...source } as LayerSpecification;
  if (layer.type !== "fill" || off.length === 0) return placed;
  const left = countLeft(off);
  const density = ["/", ["*", ["get", "d"], left], ["get", "n"]];
  return {
    ...placed,
    filter: [">", left, 0],
    paint: { ...layer.paint, "fill-color": replaced(layer.paint?.["fill-color"], density) },
  } as unknown as LayerSpecification;
}

function replaced(expression: unknown, density: unknown): unknown {
  if (!Array.isArray(expression)) return expression;
  if (expression.length === 2 && expression[0] === "get" && expression[1] === "d") return density;
  return expression.map((part) => replaced(part, density));
}

function overlaySources({ selection, views, traced }: Drawing): Record<string, SourceSpecification> {
  return {
    [SELECTION]: { type: "geojson", data: selection },
    [VIEWS]: { type: "geojson", data: views },
    [TRACED]: { type: "geojson", data: traced },
  };
}

function groundSources({ base, rasters, origin }: Drawing): Record<string, SourceSpecification> {
  const sources = rasters.map(({ name, tiles, minzoom, maxzoom, bounds }) => [
    RASTER + name,
    { type: "raster", tiles: [origin + tiles], tileSize: RASTER_TILE_PX, minzoom, maxzoom, bounds },
  ]);
  return { ...Object.fromEntries(sources), ...(base === null ? {} : { [BASE]: baseSource(base, origin) }) };
}

// What lies under a raster stays readable.
function rasterLayer({ name }: Raster, share: number): LayerSpecification {
  const paint = { "raster-opacity": 0.7 * share, "raster-fade-duration": 0 };
  return { id: RASTER + name, type: "raster", source: RASTER + name, paint };
}

// Drawn from the tiles of the cell itself, since a cell may lie in several.
function cellEdges(layers: LayerSpecification[], { cell, served }: Drawing): LayerSpecification[] {
  if (cell === "") return [];
  return layers
    .filter((layer) => partOf(layer) === "cells" && layer.layout?.visibility !== "none")
    .map(
      (layer) =>
        ({
          ...layer,
          id: `${layer.id}-edge`,
          type: "line",
          filter: ["==", ["get", "id"], cell],
          layout: { "line-join": "round" },
          paint: { "line-color": served.metadata["chengtu:palette"].select ?? "#888888", "line-width": 2 },
          metadata: {},
        }) as unknown as LayerSpecification,
    );
}

/** What lies over the city: where cameras look, and a ring or an edge around what is selected. */
function overlays(roles: Record<string, string>): LayerSpecification[] {
  const role = (name: string): string => roles[name] ?? "#888888";
  const round = { "line-join": "round", "line-cap": "round" } as const;
  return [
    {
      id: "traced-line",
      type: "line",
      source: TRACED,
      layout: round,
      paint: { "line-color": role("accent"), "line-width": 2.5 },
    },
    {
      id: "traced-point",
      type: "circle",
      source: TRACED,
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 7,
        "circle-color": role("accent"),
        "circle-opacity": 0.35,
        "circle-stroke-color": role("accent"),
        "circle-stroke-width": 2,
      },
    },
    { id: "views-fill", type: "fill", source: VIEWS, paint: { "fill-color": role("accent"), "fill-opacity": 0.05 } },
    {
      id: "selection-fill",
      type: "fill",
      source: SELECTION,
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": role("accent"), "fill-opacity": 0.12 },
    },
    {
      id: "selection-casing",
      type: "line",
      source: SELECTION,
      layout: round,
      paint: { "line-color": role("halo"), "line-width": 5, "line-opacity": 0.5 },
    },
    {
      id: "selection-line",
      type: "line",
      source: SELECTION,
      layout: round,
      paint: { "line-color": role("select"), "line-width": 2 },
    },
    {
      id: "selection-point",
      type: "circle",
      source: SELECTION,
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 11,
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": role("select"),
        "circle-stroke-width": 2,
      },
    },
  ];
}
