/** The map on which a resident says where: a click puts the pin. */
import type { GeoJSONSource } from "maplibre-gl";
import type { LonLat } from "../city/api.ts";
import { createMap } from "../map/map.ts";
import { TOOL } from "../map/overlays.ts";
import type { App } from "../page/app.ts";

const SOURCE = `${TOOL}pin`;
const CLOSE = 16;

export interface Pin {
  put(at: LonLat): void;
  clear(): void;
  resize(): void;
}

/** `moved` is told where somebody clicked. */
export async function pinMap(element: HTMLElement, app: App, moved: (at: LonLat) => void): Promise<Pin> {
  const cityMap = await createMap(element, app, () => undefined);
  const { map } = cityMap;
  window.__chengtu = { map, ready: cityMap.ready };
  let at: LonLat | null = null;
  const data = (): GeoJSON.FeatureCollection => ({
    type: "FeatureCollection",
    features:
      at === null ? [] : [{ type: "Feature", properties: {}, geometry: { type: "Point", coordinates: [...at] } }],
  });
  const draw = (): void => {
    if (!map.getStyle()) return;
    if (!map.getSource(SOURCE)) map.addSource(SOURCE, { type: "geojson", data: data() });
    if (map.getLayer(SOURCE)) return;
    const { accent = "#00475f", land = "#ffffff" } = cityMap.roles();
    const paint = { "circle-radius": 9, "circle-color": accent, "circle-stroke-color": land, "circle-stroke-width": 3 };
    map.addLayer({ id: SOURCE, type: "circle", source: SOURCE, paint });
  };
  const update = (): void => {
    draw();
    map.getSource<GeoJSONSource>(SOURCE)?.setData(data());
  };
  map.on("styledata", draw);
  map.on("click", ({ lngLat: { lng, lat } }) => moved([lng, lat]));
  return {
    put(to) {
      at = to;
      update();
      if (map.getZoom() < CLOSE || !map.getBounds().contains(to))
        map.jumpTo({ center: to, zoom: Math.max(map.getZoom(), CLOSE) });
    },
    clear() {
      at = null;
      update();
    },
    resize: () => void map.resize(),
  };
}
