/** Where cameras look, drawn over the map for a question or a patrol: clear, perhaps hidden, and the one that is meant. */
import type { Feature, FeatureCollection, Point } from "geojson";
import type { GeoJSONSource, LayerSpecification } from "maplibre-gl";
import type { CityMap } from "../map/map.ts";
import { TOOL } from "../map/overlays.ts";
import { NOTHING, sector } from "../map/views.ts";

export interface Looking {
  id: string;
  lon: number;
  lat: number;
  heading_deg: number | null;
  hfov_deg: number | null;
  range_m: number | null;
  blocked?: boolean | null;
}

export interface Wedges {
  /** Draw these, and where one is meant the place that they are asked about. */
  show(cameras: readonly Looking[], place?: { lon: number; lat: number } | null): void;
  /** Light one of them up; null: none. */
  light(id: string | null): void;
  /** Take everything off the map. */
  end(): void;
}

/** `name` keeps the wedges of two users apart. */
export function wedgesOn(cityMap: CityMap, name: string): Wedges {
  const { map } = cityMap;
  const source = `${TOOL}${name}`;
  let data: FeatureCollection = NOTHING;
  let lit = "";
  let painted: Record<string, string> | null = null;
  let over = false;

  const paint = () => {
    if (over) return;
    const held = map.getSource<GeoJSONSource>(source);
    if (held === undefined) map.addSource(source, { type: "geojson", data });
    else held.setData(data);
    const layers = wedgeLayers(source, cityMap.roles(), lit);
    const known = map.getLayer(layers[0]?.id ?? "") !== undefined;
    if (painted === cityMap.roles() && known) return;
    for (const { id } of layers) if (map.getLayer(id) !== undefined) map.removeLayer(id);
    for (const layer of layers) map.addLayer(layer);
    painted = cityMap.roles();
  };
  // Another palette comes with another style, some time after it was chosen.
  const repaint = () => {
    if (painted !== null && painted !== cityMap.roles()) paint();
  };
  void cityMap.ready.then(() => {
    if (over) return;
    map.on("styledata", repaint);
    paint();
  });

  return {
    show(cameras, place = null) {
      data = { type: "FeatureCollection", features: cameras.flatMap(drawn) };
      if (place !== null) {
        const geometry: Point = { type: "Point", coordinates: [place.lon, place.lat] };
        data.features.push({ type: "Feature", properties: { part: "place" }, geometry });
      }
      if (painted !== null) paint();
    },
    light(id) {
      lit = id ?? "";
      if (painted === null || over) return;
      for (const part of ["lit", "edge-lit"]) map.setFilter(`${source}-${part}`, isLit(lit));
    },
    end() {
      over = true;
      map.off("styledata", repaint);
      for (const { id } of wedgeLayers(source, {}, "")) if (map.getLayer(id) !== undefined) map.removeLayer(id);
      if (map.getSource(source) !== undefined) map.removeSource(source);
    },
  };
}

/** The sector of a camera that says where it looks, and the camera itself. */
function drawn(camera: Looking): FeatureCollection["features"] {
  const { id, lon, lat, heading_deg, hfov_deg, range_m, blocked } = camera;
  const properties = { id, blocked: blocked === true };
  const foot: Point = { type: "Point", coordinates: [lon, lat] };
  const at: Feature = { type: "Feature", properties: { ...properties, part: "camera" }, geometry: foot };
  const around = hfov_deg !== null && hfov_deg >= 360;
  if (hfov_deg === null || range_m === null || (heading_deg === null && !around)) return [at];
  const view = sector({ lon, lat, heading_deg: heading_deg ?? 0, hfov_deg, range_m });
  return [{ ...view, properties: { ...properties, part: "view" } }, at];
}

const isLit = (id: string) => ["all", ["==", ["get", "part"], "view"], ["==", ["get", "id"], id]] as never;

function wedgeLayers(source: string, roles: Record<string, string>, lit: string): LayerSpecification[] {
  const role = (name: string): string => roles[name] ?? "#888888";
  const views = ["==", ["get", "part"], "view"];
  const hidden = ["get", "blocked"];
  const of = (part: string) => ({ id: `${source}-${part}`, source }) as const;
  const clear = ["all", views, ["!", hidden]] as never;
  const behind = ["all", views, hidden] as never;
  const points = (part: string) => ["==", ["get", "part"], part] as never;
  return [
    { ...of("fill"), type: "fill", filter: clear, paint: { "fill-color": role("accent"), "fill-opacity": 0.14 } },
    { ...of("lit"), type: "fill", filter: isLit(lit), paint: { "fill-color": role("select"), "fill-opacity": 0.16 } },
    { ...of("edge"), type: "line", filter: clear, paint: { "line-color": role("accent"), "line-width": 1.2 } },
    {
      ...of("edge-hidden"),
      type: "line",
      filter: behind,
      paint: { "line-color": role("text"), "line-opacity": 0.7, "line-width": 1, "line-dasharray": [3, 3] },
    },
    { ...of("edge-lit"), type: "line", filter: isLit(lit), paint: { "line-color": role("select"), "line-width": 2.5 } },
    {
      ...of("camera"),
      type: "circle",
      filter: points("camera"),
      paint: {
        "circle-radius": 4,
        "circle-color": role("accent"),
        "circle-stroke-color": role("halo"),
        "circle-stroke-width": 1.5,
      },
    },
    {
      ...of("place"),
      type: "circle",
      filter: points("place"),
      paint: {
        "circle-radius": 6,
        "circle-color": "rgba(0,0,0,0)",
        "circle-stroke-color": role("select"),
        "circle-stroke-width": 2.5,
      },
    },
  ];
}
