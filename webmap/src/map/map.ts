/** The map itself: the served style drawn as the state says, the view kept in the state, and what was pointed at. */
import type { Geometry } from "geojson";
import { type GeoJSONSource, MapLibreMap, type PaddingOptions, setWorkerUrl } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import "maplibre-gl/dist/maplibre-gl.css";
import * as api from "../city/api.ts";
import { type App, narrow } from "../page/app.ts";
import { mapFaces } from "../page/fonts.ts";
import { createRefresher, type Refresher } from "./refresh.ts";
import { compose, type DensityRange, densityRanges, SELECTION, sourceOf, VIEWS } from "./style.ts";
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
  /** Roles and colours of the palette in use. */
  roles(): Record<string, string>;
  ranges(): DensityRange[];
  goTo(place: Place): void;
  /** Move the map if a point is outside it or under a panel. */
  reveal(lon: number, lat: number): void;
  wholeCity(): void;
  /** Mark what is selected; nothing marks nothing. */
  select(...geometries: Geometry[]): void;
  /** Mark a cell instead. */
  selectCell(id: string): void;
  showViews(views: GeoJSON.FeatureCollection): void;
  /** The source whose tiles hold a layer. */
  sourceOf(layer: string): string;
  /** The zoom from which on closer looks are at the same tiles. */
  deepest: number;
  refresher: Refresher;
}

const CLOSE_ZOOM = 17;
/** The server refuses a tile of more than 20 layers; what goes beyond these comes layer by layer. */
const MOST_TOGETHER = 10;
const MAX_ZOOM = 20;

/** `failed` is told when some of the map could not be loaded, with the way to try again. */
export async function createMap(
  container: HTMLElement,
  app: App,
  failed: (again: () => void) => void,
): Promise<CityMap> {
  setWorkerUrl(workerUrl);
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
  let cell = "";
  let attempt = 0;

  const composed = () => {
    const { layers, hidden, density, palette, lang, rasters } = store.get();
    const visible = new Set(layers);
    return compose({
      served,
      faces,
      origin: location.origin,
      together,
      visible,
      hidden,
      classes,
      density,
      selection,
      cell,
      views,
      attempt,
      base: city.basemap,
      rasters: city.rasters().filter(({ name }) => rasters.includes(name)),
      dark: palette === "dark",
      lang,
    });
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
  const ours = new Set(names.map((name) => sourceOf(name, together)));
  const refresher = createRefresher(map, (source) => ours.has(source));
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  const ready = new Promise<void>((settle) => void map.once("idle", () => settle()));

  map.on("moveend", () => {
    const { lng, lat } = map.getCenter();
    store.set({ view: { lon: lng, lat, zoom: map.getZoom() } });
  });
  store.on(["layers", "hidden", "density", "rasters"], () => map.setStyle(composed(), { diff: true }));
  const restyle = async (): Promise<void> => {
    const { palette, lang } = store.get();
    const [fresh] = await Promise.all([api.style(palette, names, lang), city.repaint(palette)]);
    if (store.get().palette !== palette || store.get().lang !== lang) return; // overtaken
    served = fresh;
    map.setStyle(composed(), { diff: true });
    map.getCanvas().setAttribute("aria-label", app.t("map"));
    paintPage(served.metadata["chengtu:palette"], palette);
  };
  const tryRestyle = (): void => void restyle().catch(() => failed(tryRestyle));
  store.on(["palette", "lang"], tryRestyle);
  const reloadTiles = (): void => {
    attempt += 1;
    map.setStyle(composed(), { diff: true });
  };
  map.on("error", () => failed(reloadTiles));
  paintPage(served.metadata["chengtu:palette"], store.get().palette);

  const setData = (source: string, data: GeoJSON.FeatureCollection) =>
    map.getSource<GeoJSONSource>(source)?.setData(data);

  const selectCell = (id: string): void => {
    if (id === cell) return;
    cell = id;
    map.setStyle(composed(), { diff: true });
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
    sourceOf: (layer) => sourceOf(layer, together),
    deepest,
    refresher,
    roles: () => served.metadata["chengtu:palette"],
    ranges: () => densityRanges(served.layers, new Set(store.get().layers), store.get().density),
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
    select(...geometries) {
      const features = geometries.map((geometry) => ({ type: "Feature", properties: {}, geometry }) as const);
      selection = { type: "FeatureCollection", features };
      setData(SELECTION, selection);
      selectCell("");
    },
    selectCell,
    showViews(found) {
      views = found;
      setData(VIEWS, views);
    },
  };
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
    } else if (box.left < width / 2) padding.left = Math.max(padding.left, box.right + 24);
    else padding.right = Math.max(padding.right, width - box.left + 24);
  }
  return padding;
}

// Padding given to a flight would stay with the map; an offset holds for that flight alone.
function middle({ top, right, bottom, left }: Required<PaddingOptions>): [number, number] {
  return [(left - right) / 2, (top - bottom) / 2];
}

/** The page takes its colours from the palette of the map: one source for both. */
function paintPage(roles: Record<string, string>, palette: string): void {
  const root = document.documentElement;
  for (const [role, colour] of Object.entries(roles)) root.style.setProperty(`--${role.replace("_", "-")}`, colour);
  root.dataset.palette = palette;
  root.style.colorScheme = palette === "dark" ? "dark" : "light";
}
