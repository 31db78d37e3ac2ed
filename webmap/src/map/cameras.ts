/** Close up, the sector that each camera in view looks at. */
import type { App } from "../page/app.ts";
import type { CityMap } from "./map.ts";
import { layerOf, partOf } from "./style.ts";
import { NOTHING, sectorOf } from "./views.ts";

const FROM_ZOOM = 17;
const MOST = 200;

export function cameraViews(app: App, cityMap: CityMap): void {
  const { map } = cityMap;
  let shown = "";

  const refresh = () => {
    const layers =
      map.getZoom() < FROM_ZOOM
        ? []
        : map
            .getStyle()
            .layers.filter((layer) => layerOf(layer) === "video" && partOf(layer) === "record")
            .map((layer) => layer.id);
    const seen = new Map(
      (layers.length === 0 ? [] : map.queryRenderedFeatures({ layers }))
        .slice(0, MOST)
        .map((feature) => [String(feature.id ?? feature.properties.id), feature]),
    );
    // Showing sectors ends in another idle: only something new is worth drawing.
    const key = [...seen.keys()].sort().join();
    if (key === shown) return;
    shown = key;
    const sectors = [...seen.values()].flatMap((feature) => {
      if (feature.geometry.type !== "Point") return [];
      return sectorOf(feature.geometry, feature.properties) ?? [];
    });
    cityMap.showViews(sectors.length === 0 ? NOTHING : { type: "FeatureCollection", features: sectors });
  };
  map.on("idle", refresh);
  app.store.on(["layers", "hidden"], () => void map.once("idle", refresh));
}
