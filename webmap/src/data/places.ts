/** The map beside the table: a sample of what a delivery adds, changes, retires, and of points that were refused. */
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification } from "maplibre-gl";
import { LngLatBounds } from "maplibre-gl";
import type { PlaceKind, Places } from "../city/intake.ts";
import type { CityMap } from "../map/map.ts";

export const KINDS: readonly PlaceKind[] = ["added", "changed", "retired", "unchanged", "refused"];
/** Never by colour alone: each kind has its sign. */
export const SIGNS: Record<PlaceKind, string> = {
  added: "+",
  changed: "~",
  retired: "×",
  unchanged: "=",
  refused: "!",
};
export const ROLE_OF: Record<PlaceKind, string> = {
  added: "good",
  changed: "notice",
  retired: "quiet",
  unchanged: "quiet",
  refused: "warn",
};
export const NO_PLACES: Places = { type: "FeatureCollection", features: [], truncated: false };
const SOURCE = "delivered";
const CLOSE = 16;
const PADDING = { top: 72, right: 40, bottom: 40, left: 40 };

export interface PlacesMap {
  show(places: Places): void;
  /** Draw one kind alone; null: all. */
  only(kind: PlaceKind | null): void;
}

export function placesMap({ map, roles }: CityMap): PlacesMap {
  let shown = NO_PLACES;
  let alone: PlaceKind | null = null;
  const drawn = () => (alone === null ? shown : { ...shown, features: shown.features.filter(ofKind(alone)) });
  // Another style of the city takes our layers away: they are put back.
  const put = (): void => {
    if (!map.getStyle() || map.getSource(SOURCE)) return;
    map.addSource(SOURCE, { type: "geojson", data: drawn() });
    for (const layer of layers(roles())) map.addLayer(layer);
  };
  const update = (): void => {
    put();
    map.getSource<GeoJSONSource>(SOURCE)?.setData(drawn());
  };
  map.on("styledata", put);
  put();
  return {
    show(places) {
      shown = places;
      update();
      fit();
    },
    only(kind) {
      alone = kind;
      update();
      fit();
    },
  };

  function fit(): void {
    const { features } = drawn();
    // What was refused may lie on the other side of the earth.
    const inside = features.filter((each) => each.properties.kind !== "refused");
    const bounds = new LngLatBounds();
    for (const { geometry } of inside.length > 0 ? inside : features) extend(bounds, geometry);
    if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: PADDING, maxZoom: CLOSE, duration: 0 });
  }
}

const ofKind =
  (kind: PlaceKind) =>
  (feature: Places["features"][number]): boolean =>
    feature.properties.kind === kind;

function extend(bounds: LngLatBounds, geometry: GeoJSON.Geometry): void {
  if (geometry.type === "GeometryCollection") {
    for (const each of geometry.geometries) extend(bounds, each);
    return;
  }
  const walk = (value: unknown): void => {
    if (!Array.isArray(value)) return;
    if (typeof value[0] === "number") bounds.extend([value[0], value[1] as number]);
    else for (const each of value) walk(each);
  };
  walk(geometry.coordinates);
}

function layers(roles: Record<string, string>): LayerSpecification[] {
  const colour = (of: (kind: PlaceKind) => string): ExpressionSpecification =>
    ["match", ["get", "kind"], ...KINDS.flatMap((kind) => [kind, of(kind)]), "#888888"] as never;
  const own = colour((kind) => roles[ROLE_OF[kind]] ?? "#888888");
  const sign = colour((kind) => SIGNS[kind]);
  const order = ["match", ["get", "kind"], ...KINDS.flatMap((kind, at) => [kind, KINDS.length - at]), 0] as never;
  const point = ["==", ["geometry-type"], "Point"] as ExpressionSpecification;
  const spread = ["!", point] as ExpressionSpecification;
  return [
    {
      id: "delivered-fill",
      type: "fill",
      source: SOURCE,
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": own, "fill-opacity": 0.3 },
    },
    {
      id: "delivered-line",
      type: "line",
      source: SOURCE,
      filter: spread,
      layout: { "line-join": "round" },
      paint: { "line-color": own, "line-width": 2 },
    },
    {
      id: "delivered-point",
      type: "circle",
      source: SOURCE,
      filter: point,
      layout: { "circle-sort-key": order },
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 4, 14, 8],
        "circle-color": own,
        "circle-stroke-color": roles.halo ?? "#000000",
        "circle-stroke-width": 1,
      },
    },
    {
      id: "delivered-sign",
      type: "symbol",
      source: SOURCE,
      filter: point,
      minzoom: 12,
      layout: { "text-field": sign, "text-font": ["City Sans"], "text-size": 12, "text-allow-overlap": true },
      paint: { "text-color": roles.halo ?? "#000000" },
    },
  ];
}
