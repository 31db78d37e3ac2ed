/** The base map under the city: pictures toned down, or vectors drawn quietly whatever their makers called them. */
import type {
  ExpressionSpecification,
  FilterSpecification,
  LayerSpecification,
  RasterLayerSpecification,
  SourceSpecification,
} from "maplibre-gl";
import type { Basemap } from "../city/api.ts";
import type { Lang } from "../words/i18n.ts";

export const BASE = "base";

type Roles = Record<string, string>;
type Kind = "land" | "water" | "boundary" | "road" | "building" | "name" | "other";

// What the common schemas (OpenMapTiles, Protomaps, Shortbread, Tianditu exports) call their layers.
const KINDS: [Kind, RegExp][] = [
  ["name", /name|label|place|poi|housenumber|address/],
  ["water", /water|ocean|sea|lake|river/],
  ["boundary", /bound|admin|county|district|province/],
  ["building", /building/],
  ["road", /road|street|highway|transport|rail|ferr|bridge|path/],
  ["land", /land|earth|park|green|wood|forest|natural|site|polygon/],
];
const ORDER: readonly Kind[] = ["land", "other", "water", "boundary", "road", "building", "name"];

export const kindOf = (id: string): Kind => KINDS.find(([, pattern]) => pattern.test(id.toLowerCase()))?.[0] ?? "other";

export function baseSource(base: Basemap, origin: string): SourceSpecification {
  const { type, minzoom, maxzoom, bounds } = base;
  const tiles = base.tiles.map((path) => new URL(path, origin).href.replaceAll("%7B", "{").replaceAll("%7D", "}"));
  if (type === "vector") return { type, tiles, minzoom, maxzoom, bounds };
  return { type, tiles, minzoom, maxzoom, bounds, tileSize: base.tileSize };
}

/** What is drawn of it, from the bottom up. */
export function baseLayers(base: Basemap, roles: Roles, dark: boolean, lang: Lang): LayerSpecification[] {
  if (base.type === "raster") return [picture(dark)];
  return [
    // Most schemas draw water and leave land out; ours is the other way round.
    { id: BASE, type: "background", paint: { "background-color": roles.land ?? "#888888" } },
    ...ORDER.flatMap((kind) =>
      base.vectorLayers.filter((id) => kindOf(id) === kind).flatMap((id) => drawn(id, kind, roles, lang)),
    ),
  ];
}

// Things of the city stand out from a picture that is paler, and on the dark desk darker, than its makers meant.
function picture(dark: boolean): RasterLayerSpecification {
  const paint = dark
    ? ({ "raster-saturation": -0.6, "raster-brightness-max": 0.45 } as const)
    : ({ "raster-saturation": -0.4, "raster-opacity": 0.85 } as const);
  return { id: BASE, type: "raster", source: BASE, paint: { ...paint, "raster-fade-duration": 0 } };
}

const SURFACE: FilterSpecification = ["==", ["geometry-type"], "Polygon"];
const LINE: FilterSpecification = ["==", ["geometry-type"], "LineString"];
const POINT: FilterSpecification = ["==", ["geometry-type"], "Point"];
const WIDTH: ExpressionSpecification = ["interpolate", ["exponential", 1.6], ["zoom"], 8, 0.4, 14, 1.5, 19, 12];

function drawn(id: string, kind: Kind, roles: Roles, lang: Lang): LayerSpecification[] {
  const role = (name: string): string => roles[name] ?? "#888888";
  const of = (part: string) => ({ id: `${BASE}-${id}-${part}`, source: BASE, "source-layer": id }) as const;
  const round = { "line-cap": "round", "line-join": "round" } as const;
  const fill = (colour: string, opacity: number): LayerSpecification => ({
    ...of("fill"),
    type: "fill",
    filter: SURFACE,
    paint: { "fill-color": colour, "fill-opacity": opacity },
  });
  const line = (colour: string, width: ExpressionSpecification | number, opacity = 1): LayerSpecification => ({
    ...of("line"),
    type: "line",
    filter: LINE,
    layout: round,
    paint: { "line-color": colour, "line-width": width, "line-opacity": opacity },
  });
  switch (kind) {
    case "land":
      return [fill(role("edge"), 0.06)];
    case "water":
      return [fill(role("water"), 1), line(role("water"), WIDTH)];
    case "boundary":
      return [line(role("edge"), 0.8, 0.6)];
    case "road":
      return [line(role("road_major"), WIDTH, 0.8)];
    case "building":
      return [fill(role("building"), 0.8)];
    case "name":
      return [names(of("name"), role, lang)];
    case "other":
      return [fill(role("edge"), 0.08), line(role("edge"), 0.8, 0.5)];
  }
}

const NAME_FIELDS: Record<Lang, readonly string[]> = {
  zh: ["name:zh-Hans", "name:zh", "name_zh", "name"],
  en: ["name:en", "name_en", "name:latin", "name"],
};

function names(
  of: { id: string; source: string; "source-layer": string },
  role: (name: string) => string,
  lang: Lang,
): LayerSpecification {
  const text = ["coalesce", ...NAME_FIELDS[lang].map((field) => ["get", field]), ""];
  return {
    ...of,
    type: "symbol",
    filter: POINT,
    layout: {
      "text-field": text as ExpressionSpecification,
      "text-font": ["City Sans"],
      "text-size": 12,
      "text-max-width": 8,
      "text-padding": 8,
    },
    paint: { "text-color": role("text"), "text-opacity": 0.8, "text-halo-color": role("halo"), "text-halo-width": 1.4 },
  };
}
