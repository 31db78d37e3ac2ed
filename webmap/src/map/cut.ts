/** A note while tiles in view leave records out, so that nobody takes what is drawn for all there is. */
import type { MapLibreMap } from "maplibre-gl";
import type { App } from "../page/app.ts";
import { number } from "../words/format.ts";
import type { CityMap } from "./map.ts";

export function cutNote(element: HTMLElement, app: App, cityMap: CityMap): void {
  const { map } = cityMap;
  const refresh = () => {
    const { layers, lang } = app.store.get();
    const left = layers.reduce((sum, layer) => sum + leftOut(map, cityMap.sourceOf(layer), layer), 0);
    const deeper = map.getZoom() < cityMap.deepest;
    const text = left === 0 ? "" : app.t(deeper ? "cut" : "cutHere", { n: number(lang, left) });
    // Whoever listens to the page hears of it only when it is another number.
    if (element.textContent !== text) element.textContent = text;
  };
  map.on("idle", refresh);
  map.on("sourcedata", ({ tile }) => {
    if (tile) refresh();
  });
  app.store.on(["layers", "looks", "conditions", "lang"], refresh);
}

/** How many records of a layer the tiles in view leave out, as each of them tells at its middle. */
export function leftOut(map: MapLibreMap, source: string, layer: string): number {
  if (map.getSource(source) === undefined) return 0;
  return map
    .querySourceFeatures(source, { sourceLayer: `${layer}_cut` })
    .reduce((sum, { properties }) => sum + Number(properties.n ?? 0), 0);
}
