/** From the style that the server gives to the one that is drawn: what is visible, filtered, selected, looked at. */
import type { FeatureCollection } from "geojson";
import type {
  ExpressionSpecification,
  FilterSpecification,
  FontFacesSpecification,
  LayerSpecification,
  SourceSpecification,
  StyleSpecification,
} from "maplibre-gl";
import type { Basemap, Raster, ServedStyle } from "../city/api.ts";
import type { Lang } from "../words/i18n.ts";
import { BASE, baseLayers, baseSource } from "./basemap.ts";

export type Part = "ground" | "record" | "cells" | "label";

export interface Drawing {
  served: ServedStyle;
  faces: FontFacesSpecification;
  origin: string;
  /** Layers that come in one request a tile: those that were visible when the page opened. */
  together: readonly string[];
  visible: ReadonlySet<string>;
  hidden: Readonly<Record<string, readonly string[]>>;
  /** By layer, the column whose values the legend lists. */
  classes: Readonly<Record<string, string | null>>;
  density: string | null;
  selection: FeatureCollection;
  /** The id of the cell whose card is open. */
  cell: string;
  views: FeatureCollection;
  /** How often all tiles were asked for anew. */
  attempt: number;
  base: Basemap | null;
  /** Those that are shown. */
  rasters: readonly Raster[];
  dark: boolean;
  lang: Lang;
}

/** Where on the zoom scale which layer's density is shown. */
export interface DensityRange {
  layer: string;
  from: number;
  to: number;
}

export const SELECTION = "selection";
export const VIEWS = "views";
const RASTER = "raster-";
const RASTER_TILE_PX = 256;

type Tagged = { "chengtu:layer"?: string; "chengtu:part"?: Part };
const tags = (layer: LayerSpecification): Tagged => (layer.metadata ?? {}) as Tagged;
export const layerOf = (layer: LayerSpecification): string | undefined => tags(layer)["chengtu:layer"];
export const partOf = (layer: LayerSpecification): Part | undefined => tags(layer)["chengtu:part"];

/** One density at a time: the chosen layer's first, then, where that shows its records, the topmost other one's. */
export function densityRanges(
  layers: readonly LayerSpecification[],
  visible: ReadonlySet<string>,
  chosen: string | null,
): DensityRange[] {
  const candidates = layers
    .filter((layer) => partOf(layer) === "cells" && visible.has(layerOf(layer) ?? ""))
    .map((layer) => ({ layer: layerOf(layer) ?? "", to: layer.maxzoom ?? 24 }))
    .reverse();
  candidates.sort((a, b) => Number(b.layer === chosen) - Number(a.layer === chosen));
  const ranges: DensityRange[] = [];
  let from = 0;
  for (const { layer, to } of candidates) {
    if (to <= from) continue;
    ranges.push({ layer, from, to });
    from = to;
  }
  return ranges;
}

/** The whole style to draw. */
export function compose(drawing: Drawing): StyleSpecification {
  const { served, visible, base, dark, lang } = drawing;
  const roles = served.metadata["chengtu:palette"];
  const ranges = densityRanges(served.layers, visible, drawing.density);
  const layers = served.layers.map((layer) => drawn(layer, drawing, ranges));
  const under = base === null ? [] : baseLayers(base, roles, dark, lang);
  return {
    ...served,
    "font-faces": drawing.faces,
    sources: { ...groundSources(drawing), ...citySources(drawing), ...overlaySources(drawing) },
    layers: [
      ...layers,
      ...under,
      ...drawing.rasters.map(rasterLayer),
      ...cellEdges(layers, drawing),
      ...overlays(roles),
    ].sort((a, b) => storey(a) - storey(b)),
  };
}

const STOREYS = ["background", BASE, "ground", "raster", "cells", "views", "record", "names", "label", "selection"];

// No surface covers a line or a name.
function storey(layer: LayerSpecification): number {
  const source = "source" in layer ? layer.source : layer.id;
  if (source === BASE && layer.type === "symbol") return STOREYS.indexOf("names");
  if (source === SELECTION || layer.id.endsWith("-edge")) return STOREYS.indexOf("selection");
  return STOREYS.indexOf(source.startsWith(RASTER) ? "raster" : (partOf(layer) ?? source));
}

/** The source whose tiles hold a layer. */
export const sourceOf = (name: string, together: readonly string[]): string =>
  together.includes(name) ? "city" : `city-${name}`;

function citySources(drawing: Drawing): Record<string, SourceSpecification> {
  const { served, together, origin, attempt } = drawing;
  const given = served.sources.city;
  if (given?.type !== "vector") return {}; // a city without layers
  const { url: _url, tiles: _tiles, ...rest } = given;
  const sources: Record<string, SourceSpecification> = {};
  for (const layer of served.layers) {
    const name = layerOf(layer);
    if (name === undefined) continue;
    const id = sourceOf(name, together);
    const names = id === "city" ? together.join(",") : name;
    // MapLibre does not ask again for tiles that failed, except of a source with other URLs; a fragment is not sent.
    const again = attempt === 0 ? "" : `#${attempt}`;
    sources[id] = { ...rest, tiles: [`${origin}/tiles/${names}/{z}/{x}/{y}.mvt${again}`], promoteId: "id" };
  }
  return sources;
}

function drawn(layer: LayerSpecification, drawing: Drawing, ranges: DensityRange[]): LayerSpecification {
  const name = layerOf(layer);
  if (name === undefined || layer.type === "background") return layer;
  const off = drawing.hidden[name] ?? [];
  const column = drawing.classes[name] ?? null;
  const range = ranges.find((each) => each.layer === name);
  const part = partOf(layer);
  const covers = part === "ground" && layer.type === "fill" && drawing.base !== null;
  const shown = drawing.visible.has(name) && (part !== "cells" || range !== undefined) && !covers;
  const moved = {
    ...layer,
    source: sourceOf(name, drawing.together),
    layout: { ...layer.layout, visibility: shown ? "visible" : "none" },
  } as LayerSpecification;
  if (part === "cells") return cells(moved, range, off);
  return off.length > 0 && column !== null
    ? ({ ...moved, filter: without(layer, column, off) } as LayerSpecification)
    : moved;
}

function without(layer: LayerSpecification, column: string, off: readonly string[]): FilterSpecification {
  const others = ["!", ["in", ["to-string", ["get", column]], ["literal", [...off]]]] as ExpressionSpecification;
  const own = "filter" in layer ? layer.filter : undefined;
  return own === undefined ? others : (["all", own, others] as FilterSpecification);
}

// A cell knows its count by class, so its density follows the classes that are switched off.
function cells(layer: LayerSpecification, range: DensityRange | undefined, off: readonly string[]): LayerSpecification {
  const zooms = range === undefined ? {} : { minzoom: range.from, maxzoom: range.to };
  if (layer.type !== "fill" || off.length === 0) return { ...layer, ...zooms } as LayerSpecification;
  const away = off.map((value) => ["coalesce", ["get", `c_${value}`], 0]);
  const left = ["-", ["get", "n"], ["+", ...away]];
  const density = ["/", ["*", ["get", "d"], left], ["get", "n"]];
  return {
    ...layer,
    ...zooms,
    filter: [">", left, 0],
    paint: { ...layer.paint, "fill-color": replaced(layer.paint?.["fill-color"], density) },
  } as unknown as LayerSpecification;
}

function replaced(expression: unknown, density: unknown): unknown {
  if (!Array.isArray(expression)) return expression;
  if (expression.length === 2 && expression[0] === "get" && expression[1] === "d") return density;
  return expression.map((part) => replaced(part, density));
}

function overlaySources({ selection, views }: Drawing): Record<string, SourceSpecification> {
  return { [SELECTION]: { type: "geojson", data: selection }, [VIEWS]: { type: "geojson", data: views } };
}

function groundSources({ base, rasters, origin }: Drawing): Record<string, SourceSpecification> {
  const sources = rasters.map(({ name, tiles, minzoom, maxzoom, bounds }) => [
    RASTER + name,
    { type: "raster", tiles: [origin + tiles], tileSize: RASTER_TILE_PX, minzoom, maxzoom, bounds },
  ]);
  return { ...Object.fromEntries(sources), ...(base === null ? {} : { [BASE]: baseSource(base, origin) }) };
}

// What lies under a raster stays readable.
function rasterLayer({ name }: Raster): LayerSpecification {
  const paint = { "raster-opacity": 0.7, "raster-fade-duration": 0 };
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
