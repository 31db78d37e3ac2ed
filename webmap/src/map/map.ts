/** The map itself: the served style drawn as the state says, the view kept in the state, and what was pointed at. */
import type { Geometry } from "geojson";
import {
  type GeoJSONSource,
  MapLibreMap,
  type PaddingOptions,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import * as api from "../city/api.ts";
import { type App, narrow } from "../page/app.ts";
import { toCql2 } from "../page/conditions.ts";
import { mapFaces } from "../page/fonts.ts";
import { paintPage } from "../page/paint.ts";
import type { Palette, State } from "../page/state.ts";
import { withShades } from "./choropleth.ts";
import { keepOverlays } from "./overlays.ts";
import { createRefresher, type Refresher } from "./refresh.ts";
import { createShading, type Shading } from "./shading.ts";
import { drawShapes } from "./shapes.ts";
import {
  compose,
  type DensityRange,
  densityRanges,
  holdsRecords,
  SELECTION,
  sourceOf,
  sourcesOf,
  TRACED,
  VIEWS,
} from "./style.ts";
import { NOTHING } from "./views.ts";

export interface Place {
  lon: number;
  lat: number;
  bounds?: api.Bounds | null;
  zoom?: number;
}

export interface CityMap {
  map: MapLibreMap;
  /** Settles when the first view is wholly drawn. */
  ready: Promise<void>;
  /** What is drawn now, in the colours of a palette, with these by role. */
  styleIn(palette: Palette): Promise<{ style: StyleSpecification; roles: Record<string, string> }>;
  /** Roles and colours of the palette in use. */
  roles(): Record<string, string>;
  ranges(): DensityRange[];
  /** Whether a layer is shown as cells from afar. */
  isDense(layer: string): boolean;
  /** How areas are coloured now. */
  shading: Shading;
  goTo(place: Place): void;
  /** Move the map if a point is outside it or under a panel. */
  reveal(lon: number, lat: number): void;
  wholeCity(): void;
  /** The part of the city that is seen and that no panel covers. */
  seen(): api.Bounds;
  /** Mark what is selected; nothing marks nothing. */
  select(...geometries: Geometry[]): void;
  /** Mark a cell instead. */
  selectCell(id: string): void;
  /** Tell what the pointer is over: panels light up, the map does not. */
  point(hovered: State["hovered"]): void;
  showViews(views: GeoJSON.FeatureCollection): void;
  /** Mark what a line of a list stands for, wherever it is; nothing marks nothing. */
  trace(...geometries: Geometry[]): void;
  /** The source whose tiles hold a layer. */
  sourceOf(layer: string): string;
  /** Every source that may hold records of a layer. */
  sourcesOf(layer: string): string[];
  /** The zoom from which on closer looks are at the same tiles. */
  deepest: number;
  refresher: Refresher;
}

const CLOSE_ZOOM = 17;
/** The server refuses a tile of more than 20 layers; what goes beyond these comes layer by layer. */
const MOST_TOGETHER = 10;
const MAX_ZOOM = 20;

/** `failed` is told when some of the map could not be loaded, with the way to try again; `dressed` has the last word on the style,
 * `worker` is where MapLibre's own worker comes from. */
export async function createMap(
  container: HTMLElement,
  app: App,
  failed: (again: () => void) => void,
  dressed: (style: StyleSpecification) => StyleSpecification = (style) => style,
  worker: string = workerUrl,
): Promise<CityMap> {
  setWorkerUrl(worker);
  const { store, city } = app;
  const names = city.layers.map((layer) => layer.name);
  const classes = Object.fromEntries(city.layers.map((layer) => [layer.name, layer.classes]));
  const together = names.filter((name) => store.get().layers.includes(name)).slice(0, MOST_TOGETHER);
  const faces = mapFaces();
  let [served] = await Promise.all([
    api.style(store.get().palette, names, store.get().lang),
    city.repaint(store.get().palette),
  ]);
  const deepest = served.sources.city?.type === "vector" ? (served.sources.city.maxzoom ?? MAX_ZOOM) : MAX_ZOOM;
  let selection: GeoJSON.FeatureCollection = NOTHING;
  let views: GeoJSON.FeatureCollection = NOTHING;
  let traced: GeoJSON.FeatureCollection = NOTHING;
  let cell = "";
  let attempt = 0;

  const minzooms = Object.fromEntries(city.layers.map((layer) => [layer.name, layer.minzoom]));
  const filters = (): Record<string, string> =>
    Object.fromEntries(
      Object.entries(store.get().conditions).flatMap(([name, each]) => {
        const text = toCql2(each);
        return text === null ? [] : [[name, text]];
      }),
    );
  const ranges = (order = store.get().layers, chosen = store.get().density, looks = store.get().looks) =>
    densityRanges({ layers: served.layers, order, chosen, looks });
  let shading: Shading | null = null;
  const heated = (): number => {
    const name = ranges().find(({ look }) => look === "heat")?.layer ?? "";
    return (filters()[name] === undefined ? null : shading?.matching()) ?? city.layer(name)?.count ?? 0;
  };
  // What the pointer is over lights up panels, not the map itself.
  let own: State["hovered"] = null;
  let lit: State["hovered"] = null;
  const composed = (from = served, painted = city.rasters(), dark = store.get().palette === "dark") => {
    const { layers, looks, opacity, hidden, density, lang, rasters } = store.get();
    return dressed(
      compose({
        served: from,
        faces,
        origin: location.origin,
        together,
        order: layers,
        looks,
        opacity,
        filters: filters(),
        minzooms,
        perKm2: heated() / squareKm(city.city.bounds),
        lat: city.city.center[1],
        shades: shading?.current()?.classes.length ?? 0,
        hovered: lit,
        hidden,
        classes,
        density,
        selection,
        cell,
        views,
        traced,
        attempt,
        base: city.basemap,
        rasters: painted.filter(({ name }) => rasters.includes(name)),
        dark,
        lang,
      }),
    );
  };

  const { view } = store.get();
  const start = view
    ? { center: [view.lon, view.lat] as api.LonLat, zoom: view.zoom }
    : { bounds: city.city.bounds, fitBoundsOptions: { padding: free(container) } };
  const map = new MapLibreMap({
    container,
    style: composed(),
    ...start,
    minZoom: 5,
    maxZoom: MAX_ZOOM,
    // Past the deepest tiles these are stretched. Cut into smaller ones, each would be asked for many times, and
    // MapLibre's worker would give pieces of the old tile for one that changed.
    zoomLevelsToOverscale: MAX_ZOOM - deepest,
    attributionControl: false,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    fadeDuration: 0,
    maxCanvasSize: [8192, 8192],
    canvasContextAttributes: { antialias: true },
    locale: { "Map.Title": app.t("map") },
    transformRequest: (url) => (url.startsWith(location.origin) ? { url, headers: api.authorization() } : { url }),
  });
  drawShapes(map, () => served.metadata["chengtu:shapes"] ?? {});
  const refresher = createRefresher(map, holdsRecords);
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  const ready = new Promise<void>((settle) => void map.once("idle", () => settle()));

  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    store.set({ view: { lon: lng, lat, zoom: map.getZoom() } });
  });
  // Before the first style is there MapLibre would throw it away for the next one.
  let styled = false;
  const redraw = (): void => {
    if (styled) map.setStyle(composed(), { diff: true, transformStyle: keepOverlays });
  };
  void map.once("style.load", () => {
    styled = true;
    redraw();
    shading?.again();
  });
  store.on(["layers", "looks", "opacity", "conditions", "hidden", "density", "rasters"], redraw);
  store.on(["hovered"], ({ hovered }) => {
    const next = hovered === own ? null : hovered;
    if (next === lit) return;
    lit = next;
    redraw();
  });
  shading = createShading(app, map, ranges);
  shading.on(redraw);
  const restyle = async (): Promise<void> => {
    const { palette, lang } = store.get();
    const [fresh] = await Promise.all([api.style(palette, names, lang), city.repaint(palette)]);
    if (store.get().palette !== palette || store.get().lang !== lang) return; // overtaken
    served = fresh;
    redraw();
    map.getCanvas().setAttribute("aria-label", app.t("map"));
    paintPage(served.metadata["chengtu:palette"], palette);
  };
  const tryRestyle = (): void => void restyle().catch(() => failed(tryRestyle));
  store.on(["palette", "lang"], tryRestyle);
  const reloadTiles = (): void => {
    attempt += 1;
    redraw();
    shading?.again();
  };
  map.on("error", () => failed(reloadTiles));
  paintPage(served.metadata["chengtu:palette"], store.get().palette);

  const setData = (source: string, data: GeoJSON.FeatureCollection) =>
    map.getSource<GeoJSONSource>(source)?.setData(data);

  const selectCell = (id: string): void => {
    if (id === cell) return;
    cell = id;
    redraw();
  };
  const reveal = (lon: number, lat: number): void => {
    if (map.isMoving()) {
      void map.once("moveend", () => reveal(lon, lat));
      return;
    }
    const { x, y } = map.project([lon, lat]);
    const { top, right, bottom, left } = free(container);
    const inside = x > left && x < container.clientWidth - right && y > top && y < container.clientHeight - bottom;
    if (!inside) map.easeTo({ center: [lon, lat], offset: middle(free(container)), duration: 300 });
  };

  return {
    map,
    ready,
    sourceOf: (layer) => sourceOf(layer, { together, filters: filters() }),
    sourcesOf: (layer) => sourcesOf(layer, together),
    shading,
    isDense: (layer) => ranges(names, layer, {})[0]?.layer === layer,
    point(hovered) {
      const held = store.get().hovered;
      if (hovered === null && held !== own) return; // a panel's, not the map's
      if (hovered?.layer === held?.layer && hovered?.column === held?.column && hovered?.value === held?.value) return;
      own = hovered;
      store.set({ hovered });
    },
    async styleIn(palette) {
      const [from, painted] = await Promise.all([api.style(palette, names, store.get().lang), api.rasters(palette)]);
      const style = withShades(composed(from, painted, palette === "dark"), shading?.current() ?? null);
      return { style, roles: from.metadata["chengtu:palette"] };
    },
    deepest,
    refresher,
    roles: () => served.metadata["chengtu:palette"],
    ranges: () => ranges(),
    goTo({ lon, lat, bounds, zoom }) {
      if (bounds && (bounds[2] > bounds[0] || bounds[3] > bounds[1])) {
        map.fitBounds(bounds, { padding: free(container), maxZoom: CLOSE_ZOOM, duration: 900 });
      } else {
        map.flyTo({
          center: [lon, lat],
          zoom: zoom ?? Math.max(map.getZoom(), CLOSE_ZOOM),
          offset: middle(free(container)),
          duration: 900,
        });
      }
    },
    reveal,
    wholeCity: () => void map.fitBounds(city.city.bounds, { padding: free(container), duration: 600 }),
    seen() {
      const { top, right, bottom, left } = free(container);
      const northWest = map.unproject([left, top]);
      const southEast = map.unproject([container.clientWidth - right, container.clientHeight - bottom]);
      return [northWest.lng, southEast.lat, southEast.lng, northWest.lat];
    },
    select(...geometries) {
      const features = geometries.map((geometry) => ({ type: "Feature", properties: {}, geometry }) as const);
      selection = { type: "FeatureCollection", features };
      setData(SELECTION, selection);
      selectCell("");
    },
    selectCell,
    trace(...geometries) {
      const features = geometries.map((geometry) => ({ type: "Feature", properties: {}, geometry }) as const);
      traced = { type: "FeatureCollection", features };
      setData(TRACED, traced);
    },
    showViews(found) {
      views = found;
      setData(VIEWS, views);
    },
  };
}

/** The size of a box of longitudes and latitudes. */
function squareKm([west, south, east, north]: api.Bounds): number {
  const perDegree = 111.32;
  const middle = Math.cos((((south + north) / 2) * Math.PI) / 180);
  return Math.max(1, (east - west) * perDegree * middle * (north - south) * perDegree);
}

/** The part of the map that no panel covers, as padding; panels that span a phone cover from top or bottom. */
function free(container: HTMLElement): Required<PaddingOptions> {
  const { clientWidth: width, clientHeight: height } = container;
  const padding = { top: 24, right: 24, bottom: 24, left: 24 };
  for (const panel of document.querySelectorAll<HTMLElement>("[data-covers]:not([hidden])")) {
    const box = panel.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    if (narrow.matches) {
      if (box.top < height / 3) padding.top = Math.max(padding.top, box.bottom + 12);
      else padding.bottom = Math.max(padding.bottom, height - box.top + 12);
    } else if (box.left + box.right < width) padding.left = Math.max(padding.left, box.right + 24);
    else padding.right = Math.max(padding.right, width - box.left + 24);
  }
  return padding;
}

// Padding given to a flight would stay with the map; an offset holds for that flight alone.
function middle({ top, right, bottom, left }: Required<PaddingOptions>): [number, number] {
  return [(left - right) / 2, (top - bottom) / 2];
}
