/** A marker that a person moves: by hand on the map, by arrow keys, or to coordinates in the chosen frame. */
import { Marker } from "maplibre-gl";
import type { LonLat } from "../city/api.ts";
import { fromFrame, inFrame } from "../city/frames.ts";
import { frameSelect } from "../map/coordinates.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";

const STEP_PX = 1;
const FAST_PX = 10;
const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export interface Mover {
  /** The controls beside the map. */
  element: HTMLElement;
  set(at: LonLat): void;
  remove(): void;
}

/** Show a marker at a place and the controls for it; `moved` hears every new place. */
export function mover(app: App, cityMap: CityMap, start: LonLat, moved: (at: LonLat) => void): Mover {
  const { map } = cityMap;
  let at = start;
  const grip = h("button", { type: "button", class: "move-marker", aria: { label: app.t("moveMarker") } });
  const marker = new Marker({ element: grip, draggable: true }).setLngLat(at).addTo(map);
  const fields = coordinateFields(app, (place) => go(place, false));
  const go = (place: LonLat, rewrite: boolean) => {
    at = [round(place[0]), round(place[1])];
    marker.setLngLat(at);
    if (rewrite) fields.write(at);
    moved(at);
  };
  marker.on("drag", () => go(marker.getLngLat().toArray() as LonLat, true));
  // A click on the marker is none on the map below it.
  grip.addEventListener("click", (event) => event.stopPropagation());
  grip.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (arrow === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const step = event.shiftKey ? FAST_PX : STEP_PX;
    const { x, y } = map.project(at);
    go(map.unproject([x + arrow[0] * step, y + arrow[1] * step]).toArray() as LonLat, true);
    cityMap.reveal(...at);
  });
  fields.write(at);
  const centre = h("button", { type: "button" }, app.t("moveCentre"));
  centre.onclick = () => go(map.getCenter().toArray() as LonLat, true);
  const stop = app.store.on(["frame"], () => fields.write(at));
  return {
    element: h("div", { class: "mover" }, h("p", { class: "hint" }, app.t("moveHint")), fields.element, centre),
    set(place) {
      at = place;
      marker.setLngLat(at);
      fields.write(at);
    },
    remove() {
      stop();
      marker.remove();
    },
  };
}

// A centimetre on the ground; more digits would only pretend.
const round = (degrees: number): number => Number(degrees.toFixed(7));

function coordinateFields(app: App, typed: (at: LonLat) => void) {
  const metric = () => app.store.get().frame === "EPSG:4549" || app.store.get().frame === "EPSG:4550";
  const wrong = h("p", { class: "wrong", role: "alert", id: "place-wrong" });
  const input = () =>
    h("input", { type: "text", inputMode: "decimal", autocomplete: "off", aria: { describedby: "place-wrong" } });
  const [first, second] = [input(), input()];
  const names = [h("span", {}), h("span", {})];
  const read = () => {
    const [x, y] = [first, second].map((each) => (each.value.trim() === "" ? Number.NaN : Number(each.value)));
    const pair = fromFrame(app.store.get().frame, x as number, y as number);
    wrong.textContent = pair === null ? app.t("placeBad") : "";
    for (const each of [first, second]) each.setAttribute("aria-invalid", String(pair === null));
    if (pair !== null) typed(pair);
  };
  for (const each of [first, second]) each.onchange = read;
  const write = (at: LonLat) => {
    const [x, y] = inFrame(app.store.get().frame, ...at);
    const digits = metric() ? 2 : 7;
    first.value = x.toFixed(digits);
    second.value = y.toFixed(digits);
    wrong.textContent = "";
    for (const each of [first, second]) each.setAttribute("aria-invalid", "false");
    (names[0] as HTMLElement).textContent = app.t(metric() ? "east" : "longitude");
    (names[1] as HTMLElement).textContent = app.t(metric() ? "north" : "latitude");
  };
  const element = h(
    "div",
    { class: "coordinates" },
    frameSelect(app),
    h("label", {}, names[0] as HTMLElement, first),
    h("label", {}, names[1] as HTMLElement, second),
    wrong,
  );
  return { element, write };
}
