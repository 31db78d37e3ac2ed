/** Areas coloured by how densely a layer's records lie in them: classes, colours, and the layers that draw them. */
import type { LayerSpecification, StyleSpecification } from "maplibre-gl";
import { AREA_NAMES, type AreaName, type Densities } from "../city/densities.ts";
import type { Breaks, Look } from "../page/state.ts";
import { number } from "../words/format.ts";
import type { Lang } from "../words/i18n.ts";
import { classCount, classOf, type Edges, edgesOf } from "./breaks.ts";

export const isArea = (look: Look | undefined): look is AreaName => AREA_NAMES.some((name) => name === look);

/** The source of an area layer's tiles, whatever conditions the layer itself is shown under. */
export const areaSource = (area: string): string => `areas-${area}`;

/** What an area's feature state says in place of a class: none of the records lie in it. */
export const EMPTY = -1;

export interface ShadeClass {
  from: number;
  to: number;
  /** How many areas are of this class. */
  n: number;
}

export interface Shades {
  layer: string;
  by: AreaName;
  at: string;
  edges: Edges;
  classes: ShadeClass[];
  /** Areas without any record. */
  empty: number;
  outside: number;
  truncated: boolean;
  /** By area: its class or EMPTY, and what that is made of. */
  areas: ReadonlyMap<string, { shade: number; n: number; perKm2: number }>;
}

/** Densities in classes; areas without records are of none. */
export function shadesOf(found: Densities, breaks: Breaks): Shades {
  const measured = found.areas.filter(({ km2 }) => km2 > 0).map(({ id, n, km2 }) => ({ id, n, perKm2: n / km2 }));
  const edges = edgesOf(
    measured.filter(({ n }) => n > 0).map(({ perKm2 }) => perKm2),
    breaks,
  );
  const classes = Array.from({ length: classCount(edges) }, (_, at) => ({
    from: edges[at] as number,
    to: edges[Math.min(at + 1, edges.length - 1)] as number,
    n: 0,
  }));
  const areas = new Map<string, { shade: number; n: number; perKm2: number }>();
  let empty = 0;
  for (const { id, n, perKm2 } of measured) {
    const shade = n === 0 ? EMPTY : classOf(edges, perKm2);
    areas.set(id, { shade, n, perKm2 });
    const own = classes[shade];
    if (own === undefined) empty += 1;
    else own.n += 1;
  }
  const { layer, by, at, outside, truncated } = found;
  return { layer, by, at, edges, classes, empty, outside, truncated, areas };
}

/** The colours of so many classes: the palette's ramp, of which fewer classes take the end that stands out. */
export function rampColours(roles: Readonly<Record<string, string>>, classes: number): string[] {
  const ramp = [1, 2, 3, 4, 5].map((step) => roles[`ramp${step}`] ?? "#888888");
  if (classes <= ramp.length) return ramp.slice(ramp.length - classes);
  return Array.from({ length: classes }, (_, at) => between(ramp, (at * (ramp.length - 1)) / (classes - 1)));
}

function between(ramp: readonly string[], place: number): string {
  const low = Math.min(Math.floor(place), ramp.length - 2);
  const [a, b] = [channels(ramp[low] as string), channels(ramp[low + 1] as string)];
  const mixed = a.map((value, at) => Math.round(value + ((b[at] as number) - value) * (place - low)));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

const channels = (colour: string): number[] => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

/** "12 – 40", "≤ 12", "> 40". */
export function span(lang: Lang, from: number, to: number): string {
  const text = (value: number) => number(lang, value, 12);
  if (from === to) return text(from);
  if (from === Number.NEGATIVE_INFINITY) return `≤ ${text(to)}`;
  return to === Number.POSITIVE_INFINITY ? `> ${text(from)}` : `${text(from)} – ${text(to)}`;
}

/** Where on the zoom scale which areas are coloured: the wished ones as soon as there are tiles of them. */
export interface AreaRange {
  area: AreaName;
  from: number;
  to: number;
}

/** From afar, where single areas of the wished kind have no tiles yet, larger ones stand in. */
export function areaRanges(wished: AreaName, minzooms: Readonly<Record<string, number>>): AreaRange[] {
  const ranges: AreaRange[] = [];
  let to = 24;
  for (const area of AREA_NAMES.slice(AREA_NAMES.indexOf(wished))) {
    const minzoom = minzooms[area];
    if (minzoom === undefined) continue;
    const from = minzoom <= 6 ? 0 : minzoom;
    if (from < to) ranges.push({ area, from, to });
    to = Math.min(to, from);
  }
  return ranges;
}

const MOST_CLASSES = 9;
const STATE = ["coalesce", ["feature-state", "shade"], EMPTY];

/** The layers that colour the areas for a city layer. */
export function areaLayers(
  layer: string,
  wished: AreaName,
  { minzooms, roles, classes, opacity }: AreaDrawing,
): LayerSpecification[] {
  const colours = rampColours(roles, Math.min(classes, MOST_CLASSES));
  const clear = "rgba(0,0,0,0)";
  const colour = colours.length === 0 ? clear : ["match", STATE, ...colours.flatMap((each, at) => [at, each]), clear];
  return areaRanges(wished, minzooms).flatMap(({ area, from, to }) => {
    const common = { source: areaSource(area), "source-layer": area, minzoom: from, maxzoom: to };
    const metadata = { "chengtu:layer": layer, "chengtu:part": "areas", "chengtu:area": area };
    return [
      {
        ...common,
        id: `${layer}-areas-${area}`,
        type: "fill",
        // Opaque enough to stay clean over the ground; the edge below keeps neighbours of one class apart.
        paint: { "fill-color": colour, "fill-opacity": 0.9 * opacity, "fill-antialias": false },
        metadata,
      },
      {
        ...common,
        id: `${layer}-areas-${area}-line`,
        type: "line",
        paint: {
          "line-color": roles.land ?? "#888888",
          "line-width": ["interpolate", ["linear"], ["zoom"], from, area === "grid" ? 0.3 : 0.8, from + 5, 1.2],
          "line-opacity": 0.8 * opacity,
        },
        metadata: { "chengtu:layer": layer, "chengtu:part": "areas-line" },
      },
    ] as unknown as LayerSpecification[];
  });
}

/** The same style where no feature states are kept, as on paper: it names the areas of every class itself. */
export function withShades(style: StyleSpecification, shades: Shades | null): StyleSpecification {
  if (shades === null) return style;
  const ids: string[][] = shades.classes.map(() => []);
  for (const [id, { shade }] of shades.areas) ids[shade]?.push(id);
  const cases = ids.flatMap((each, shade) => (each.length === 0 ? [] : [each, shade]));
  const told = cases.length === 0 ? EMPTY : ["match", ["get", "id"], ...cases, EMPTY];
  const filled = `${shades.layer}-areas-${shades.by}`;
  const layers = style.layers.map((layer) => {
    const colour: unknown = layer.id === filled && layer.type === "fill" ? layer.paint?.["fill-color"] : null;
    if (!Array.isArray(colour)) return layer;
    const [match, , ...rest] = colour;
    return { ...layer, paint: { ...layer.paint, "fill-color": [match, told, ...rest] } } as LayerSpecification;
  });
  return { ...style, layers };
}

export interface AreaDrawing {
  minzooms: Readonly<Record<string, number>>;
  roles: Readonly<Record<string, string>>;
  classes: number;
  opacity: number;
}
