/** The queue on the map of the city: each of its cases by its time limit, the open one ringed, and pointing both ways. */
import type { ExpressionSpecification, GeoJSONSource, LayerSpecification, MapMouseEvent } from "maplibre-gl";
import { LngLatBounds } from "maplibre-gl";
import type { LonLat } from "../city/api.ts";
import type { Brief } from "../city/incidents.ts";
import type { CityMap } from "../map/map.ts";
import { TOOL } from "../map/overlays.ts";
import { LIGHT_SIGNS } from "./bench.ts";

const SOURCE = `${TOOL}cases`;
const MARKS = `${TOOL}cases-mark`;
const PLACES = `${TOOL}places`;
const CLOSE = 15;
const NEAR = 13;
const PADDING = 56;
const ROLES: Readonly<Record<string, string>> = { red: "bad", yellow: "warn", green: "good", none: "quiet" };

/** What is drawn of a case, or of a need. */
export type Marked = Pick<Brief, "id" | "lon" | "lat" | "light">;

export interface CasesMap {
  show(briefs: readonly Marked[], anew: boolean): void;
  open(brief: { id: string; lon: number; lat: number } | null): void;
  hover(id: string | null): void;
  /** Places that somebody may have meant; the first is ringed. */
  propose(places: readonly LonLat[]): void;
}

export interface MapEars {
  pointed(id: string | null): void;
  /** The map was clicked, on a case or (null) where there is none. */
  clicked(place: LonLat, id: string | null): void;
}

export function casesMap({ map, roles, reveal, goTo }: CityMap, ears: MapEars): CasesMap {
  let shown: readonly Marked[] = [];
  let opened: { id: string; lon: number; lat: number } | null = null;
  let hovered: string | null = null;
  let proposed: readonly LonLat[] = [];
  let painted = "";

  const data = (): GeoJSON.FeatureCollection => {
    const listed = shown.some(({ id }) => id === opened?.id);
    const own = opened === null || listed ? [] : [feature({ ...opened, light: "none" })];
    return { type: "FeatureCollection", features: [...own, ...shown.map(feature)] };
  };
  const feature = ({ id, lon, lat, light }: Marked): GeoJSON.Feature => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [lon, lat] },
    properties: { id, light, ring: id === opened?.id ? 2 : id === hovered ? 1 : 0 },
  });
  const places = (): GeoJSON.FeatureCollection => ({
    type: "FeatureCollection",
    features: proposed.map((coordinates, at) => ({
      type: "Feature",
      geometry: { type: "Point", coordinates },
      properties: { first: at === 0, n: String(at + 1) },
    })),
  });
  // Another style of the city has other colours: what is drawn over it is drawn anew.
  const put = (): void => {
    if (!map.getStyle()) return;
    const colours = roles();
    const now = JSON.stringify(colours);
    if (now === painted && map.getSource(SOURCE)) return;
    for (const id of ids) if (map.getLayer(id)) map.removeLayer(id);
    painted = now;
    if (!map.getSource(SOURCE)) map.addSource(SOURCE, { type: "geojson", data: data() });
    if (!map.getSource(PLACES)) map.addSource(PLACES, { type: "geojson", data: places() });
    for (const layer of layers(colours)) map.addLayer(layer);
  };
  const update = (): void => {
    put();
    map.getSource<GeoJSONSource>(SOURCE)?.setData(data());
  };
  map.on("styledata", put);
  put();

  const under = ({ point: { x, y } }: MapMouseEvent): string | null => {
    if (!map.getLayer(MARKS)) return null;
    const near = 4;
    const box: [[number, number], [number, number]] = [
      [x - near, y - near],
      [x + near, y + near],
    ];
    const hit = map.queryRenderedFeatures(box).find(({ layer }) => layer.id === MARKS || isIncident(layer));
    const id: unknown = hit?.properties.id;
    return typeof id === "string" ? id : null;
  };
  map.on("mousemove", (event) => {
    const id = under(event);
    map.getCanvas().style.cursor = id === null ? "" : "pointer";
    if (id !== hovered) ears.pointed(id);
  });
  map.on("mouseout", () => ears.pointed(null));
  map.on("click", (event) => {
    ears.clicked([event.lngLat.lng, event.lngLat.lat], under(event));
  });
  const fit = (): void => {
    const bounds = new LngLatBounds();
    for (const { lon, lat } of shown) bounds.extend([lon, lat]);
    if (!bounds.isEmpty()) map.fitBounds(bounds, { padding: PADDING, maxZoom: CLOSE, duration: 0 });
  };
  return {
    show(briefs, anew) {
      shown = briefs;
      update();
      if (anew && opened === null) fit();
    },
    open(brief) {
      const other = brief?.id !== opened?.id;
      opened = brief;
      update();
      if (brief === null || !other) return;
      if (map.getZoom() < NEAR) goTo({ lon: brief.lon, lat: brief.lat, zoom: CLOSE });
      else reveal(brief.lon, brief.lat);
    },
    hover(id) {
      if (id === hovered) return;
      hovered = id;
      update();
    },
    propose(given) {
      proposed = given;
      put();
      map.getSource<GeoJSONSource>(PLACES)?.setData(places());
      const [first] = given;
      if (first !== undefined) goTo({ lon: first[0], lat: first[1], zoom: Math.max(map.getZoom(), CLOSE) });
    },
  };
}

const isIncident = (layer: LayerSpecification): boolean => {
  const tags = (layer.metadata ?? {}) as Record<string, unknown>;
  return tags["chengtu:layer"] === "incident" && tags["chengtu:part"] === "record";
};

const ids = [`${SOURCE}-ring`, MARKS, `${SOURCE}-sign`, `${PLACES}-mark`, `${PLACES}-number`];

function layers(roles: Readonly<Record<string, string>>): LayerSpecification[] {
  const role = (name: string): string => roles[name] ?? "#888888";
  const byLight = (of: (light: string) => string): ExpressionSpecification =>
    ["match", ["get", "light"], ...Object.keys(ROLES).flatMap((light) => [light, of(light)]), role("quiet")] as never;
  const order = ["match", ["get", "light"], "red", 3, "yellow", 2, "green", 1, 0] as never;
  const font = { "text-font": ["City Sans"], "text-allow-overlap": true, "text-ignore-placement": true };
  return [
    {
      id: `${SOURCE}-ring`,
      type: "circle",
      source: SOURCE,
      filter: [">", ["get", "ring"], 0],
      paint: {
        "circle-radius": ["match", ["get", "ring"], 2, 17, 14],
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": role("select"),
        "circle-stroke-width": ["match", ["get", "ring"], 2, 3, 2],
      },
    },
    {
      id: MARKS,
      type: "circle",
      source: SOURCE,
      layout: { "circle-sort-key": order },
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 5, 13, 9],
        "circle-color": byLight((light) => role(ROLES[light] ?? "quiet")),
        "circle-stroke-color": role("halo"),
        "circle-stroke-width": 1.5,
      },
    },
    {
      id: `${SOURCE}-sign`,
      type: "symbol",
      source: SOURCE,
      minzoom: 11,
      layout: {
        ...font,
        "text-field": byLight((light) => LIGHT_SIGNS[light] ?? ""),
        "text-size": 10,
        "symbol-sort-key": order,
      },
      paint: { "text-color": role("halo") },
    },
    {
      id: `${PLACES}-mark`,
      type: "circle",
      source: PLACES,
      paint: {
        "circle-radius": ["case", ["get", "first"], 12, 9],
        "circle-color": role("accent"),
        "circle-opacity": ["case", ["get", "first"], 1, 0.6],
        "circle-stroke-color": role("halo"),
        "circle-stroke-width": 2,
      },
    },
    {
      id: `${PLACES}-number`,
      type: "symbol",
      source: PLACES,
      layout: { ...font, "text-field": ["get", "n"], "text-size": 12 },
      paint: { "text-color": role("halo") },
    },
  ];
}
