/** The map of the worker's grid, from what the phone keeps of it: the tasks on it, the way to one, and where the worker is. */
import type { Feature, FeatureCollection, Position } from "geojson";
import { addProtocol, type GeoJSONSource, type LayerSpecification, type StyleSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { authorization, type LonLat } from "../city/api.ts";
import type { Brief } from "../city/incidents.ts";
import { type CityMap, createMap } from "../map/map.ts";
import { fill, h, icon } from "../page/dom.ts";
import type { Area } from "./area.ts";
import type { Phone, View } from "./phone.ts";
import { AREA } from "./rules.ts";

const KEPT = "kept://";
const TASKS = "grid-tasks";
const WAY = "grid-way";
const ME = "grid-me";
const OWN = "grid-own";
const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };

export interface Ground extends View {
  cityMap: CityMap;
  /** The addresses of the tiles that are drawn, with `{z}`, `{x}` and `{y}`. */
  templates(): string[];
  showTask(brief: Brief, line: Position[] | null): void;
  /** Let a place be picked under the cross in the middle; null when the worker thinks better of it. */
  pick(from: LonLat | null): Promise<LonLat | null>;
}

/** Tiles come from what the phone keeps, and only what it does not keep from the server. */
function fromKept(): void {
  addProtocol("kept", async ({ url }, { signal }) => {
    const path = `/${url.slice(KEPT.length)}`;
    const kept = "caches" in globalThis ? await caches.match(path, { cacheName: AREA, ignoreVary: true }) : undefined;
    const response = kept ?? (await fetch(path, { headers: authorization(), signal }));
    if (!response.ok) throw new Error(String(response.status));
    return { data: await response.arrayBuffer() };
  });
}

/** MapLibre's worker, fetched by the page: what a worker of another address fetches no service worker can give it. */
async function localWorker(): Promise<string> {
  const script = await (await fetch(workerUrl)).blob();
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

export async function openGround(
  phone: Phone,
  { area, main, opened }: { area: Area | null; main: HTMLElement; opened: (brief: Brief) => void },
): Promise<Ground> {
  const { app, cases, shift } = phone;
  fromKept();
  const canvas = h("div", { class: "map" });
  const sheet = h("div", { class: "map-box" });
  const cross = h("div", { class: "cross", aria: { hidden: "true" }, hidden: true });
  const bar = h("div", { class: "map-bar" });
  const element = h("section", { class: "view ground", aria: { label: app.t("gridMap") } }, sheet, bar);
  fill(sheet, canvas, cross);
  main.append(element); // so that the map has its size from the beginning
  const cityMap = await createMap(canvas, app, () => undefined, dressed, await localWorker());
  const { map } = cityMap;
  const whole = (): void => {
    if (area !== null) map.fitBounds(area.bounds, { padding: 32, duration: 0 });
  };
  whole();
  const data = (name: string, features: Feature[]): void =>
    void map.getSource<GeoJSONSource>(name)?.setData({ type: "FeatureCollection", features });
  const draw = (): void => {
    data(
      TASKS,
      cases.list().map((brief) => point([brief.lon, brief.lat], { id: brief.id, light: brief.light })),
    );
    data(
      OWN,
      (area?.outlines ?? []).map((geometry) => ({ type: "Feature", properties: {}, geometry })),
    );
    const at = shift.position()?.at;
    data(ME, at === undefined ? [] : [point(at, {})]);
  };
  map.on("styledata", draw);
  map.on("click", ({ point: { x, y } }) => {
    if (!cross.hidden) return;
    const near = [
      [x - 24, y - 24],
      [x + 24, y + 24],
    ] as [[number, number], [number, number]];
    const [hit] = map.queryRenderedFeatures(near, { layers: [TASKS] });
    const brief = cases.list().find(({ id }) => id === hit?.properties.id);
    if (brief !== undefined) opened(brief);
  });
  const locate = (): void => {
    const at = shift.position()?.at;
    if (at === undefined) phone.say(app.t(shift.since() === null ? "gridOffShift" : "gridLocating"));
    else map.easeTo({ center: at, zoom: Math.max(map.getZoom(), 16), duration: 300 });
  };
  const usual = (): void =>
    fill(
      bar,
      h("button", { type: "button", class: "outlined", onclick: whole }, icon("home"), app.t("gridWhole")),
      h("button", { type: "button", class: "outlined", onclick: locate }, icon("target"), app.t("gridLocate")),
    );
  usual();
  return {
    element,
    cityMap,
    update: draw,
    show() {
      map.resize();
      draw();
    },
    templates: () =>
      Object.values(map.getStyle().sources).flatMap((source) =>
        "tiles" in source
          ? (source.tiles ?? []).filter((url) => url.startsWith(KEPT)).map((url) => `/${url.slice(KEPT.length)}`)
          : [],
      ),
    showTask(brief, line) {
      data(
        WAY,
        line === null ? [] : [{ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: line } }],
      );
      map.jumpTo({ center: [brief.lon, brief.lat], zoom: Math.max(map.getZoom(), 16) });
    },
    pick(from) {
      cross.hidden = false;
      if (from !== null) map.jumpTo({ center: from, zoom: Math.max(map.getZoom(), 16) });
      return new Promise((settle) => {
        const end = (place: LonLat | null): void => {
          cross.hidden = true;
          usual();
          settle(place);
        };
        const take = (): void => {
          const { lng, lat } = map.getCenter();
          end([lng, lat]);
        };
        fill(
          bar,
          h("p", { class: "told" }, app.t("gridPlacePick")),
          h("button", { type: "button", class: "outlined", onclick: () => end(null) }, app.t("gridCancel")),
          h("button", { type: "button", class: "primary", onclick: take }, app.t("gridPlaceTake")),
        );
      });
    },
  };
}

const point = (coordinates: LonLat, properties: Record<string, string>): Feature => ({
  ...{ type: "Feature", properties, geometry: { type: "Point", coordinates } },
});

/** Roads and houses stay pale on a desk; outdoors they are told from the ground. */
function inSunlight(layer: LayerSpecification): LayerSpecification {
  if (layer.type === "line" && layer.id === "road-line")
    return { ...layer, paint: { ...layer.paint, "line-color": "#7d8994" } };
  if (layer.type === "fill" && layer.id === "building-fill")
    return { ...layer, paint: { ...layer.paint, "fill-color": "#c3bfb4", "fill-opacity": 1 } };
  if (layer.type === "symbol")
    return { ...layer, paint: { ...layer.paint, "text-color": "#0b1218", "text-opacity": 1 } };
  return layer;
}

/** The city's style with its tiles from what is kept, and the worker's things over it. */
function dressed(style: StyleSpecification): StyleSpecification {
  const local = (url: string): string =>
    url.startsWith(`${location.origin}/`) ? KEPT + url.slice(location.origin.length + 1) : url;
  const sources = Object.fromEntries(
    Object.entries(style.sources).map(([name, source]) => [
      name,
      source.type === "vector" && source.tiles ? { ...source, tiles: source.tiles.map(local) } : source,
    ]),
  );
  const own = Object.fromEntries(
    [OWN, TASKS, WAY, ME].map((name) => [name, { type: "geojson" as const, data: NOTHING }]),
  );
  return {
    ...style,
    sources: { ...sources, ...own },
    layers: [
      ...style.layers.map(inSunlight),
      {
        ...{ id: OWN, type: "line", source: OWN },
        paint: { "line-color": "#00475f", "line-width": 4, "line-dasharray": [3, 1.5] },
      },
      {
        ...{ id: WAY, type: "line", source: WAY, layout: { "line-cap": "round", "line-join": "round" } },
        paint: { "line-color": "#00475f", "line-width": 5 },
      },
      {
        ...{ id: TASKS, type: "circle", source: TASKS },
        paint: {
          "circle-radius": 11,
          "circle-color": [
            "match",
            ["get", "light"],
            "red",
            "#8f0f26",
            "yellow",
            "#6b4200",
            "green",
            "#0b4f2f",
            "#3b4652",
          ],
          "circle-stroke-color": "#ffffff",
          "circle-stroke-width": 3,
        },
      },
      {
        // What hues do not tell, the sign does.
        ...{ id: `${TASKS}-sign`, type: "symbol", source: TASKS },
        layout: {
          "text-field": ["match", ["get", "light"], "red", "!!", "yellow", "!", ""],
          "text-font": ["City Sans"],
          "text-size": 15,
          "text-allow-overlap": true,
        },
        paint: { "text-color": "#ffffff" },
      },
      {
        ...{ id: ME, type: "circle", source: ME },
        paint: {
          "circle-radius": 8,
          "circle-color": "#005bd3",
          "circle-stroke-color": "#ffffff",
          "circle-stroke-width": 4,
        },
      },
    ],
  };
}
