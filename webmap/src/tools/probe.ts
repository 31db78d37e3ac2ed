/** The values of the shown rasters under the pointer; where there is none (a touch screen), in the middle. */
import type { LngLat } from "maplibre-gl";
import { type RasterValue, rasterValue } from "../city/ground.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { unitWord } from "../words/i18n.ts";

const PAUSE_MS = 120;
const MOST = 3;

export function rasterProbe(before: Element, app: App, cityMap: CityMap): void {
  const { map } = cityMap;
  const output = h("output", { class: "probe", hidden: true });
  before.before(output);
  let asking = new AbortController();
  let due = 0;
  let at: LngLat = map.getCenter();

  const say = (found: readonly RasterValue[]) => {
    output.textContent = found.map((value) => told(app, value)).join(" · ");
  };
  const ask = async (names: readonly string[]) => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      say(await Promise.all(names.map((name) => rasterValue(name, at.lng, at.lat, signal))));
    } catch {
      if (!signal.aborted) output.textContent = ""; // a value that does not come is no reason to disturb
    }
  };
  // Not for every pixel of the way: where the pointer rests for a moment.
  const later = () => {
    const known = new Set(app.city.rasters().map(({ name }) => name));
    const names = app.store
      .get()
      .rasters.filter((name) => known.has(name))
      .slice(0, MOST);
    output.hidden = names.length === 0;
    clearTimeout(due);
    if (names.length === 0) asking.abort();
    else due = window.setTimeout(() => void ask(names), PAUSE_MS);
  };
  map.on("mousemove", ({ lngLat }) => {
    at = lngLat;
    later();
  });
  map.on("moveend", () => {
    at = map.getCenter();
    later();
  });
  app.store.on(["rasters", "lang"], later);
  app.city.onNews(later);
  later();
}

function told(app: App, { title, value, unit, synthetic }: RasterValue): string {
  const { lang } = app.store.get();
  if (value === null) return `${app.title(title)} ${app.t("rasterNothing")}`;
  const digits = Math.abs(value) < 100 ? 1 : 0;
  const word = app.t("syntheticShort");
  const mark = synthetic && !app.title(title).includes(word) ? ` (${word})` : "";
  return `${app.title(title)} ${number(lang, value, digits)} ${unitWord(lang, unit)}${mark}`;
}
