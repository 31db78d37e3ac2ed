/** Where something is: by the position, on the map, or the middle of the grid. */
import type { LonLat } from "../city/api.ts";
import { fill, h } from "../page/dom.ts";
import type { Placed } from "./draft.ts";
import type { Phone } from "./phone.ts";

/** What the page does for a place. */
export interface Places {
  /** The middle of the worker's grid; null where there is none. */
  middle: LonLat | null;
  /** Let it be picked on the map, and come back to the view of this name. */
  pick(from: LonLat | null, back: string): Promise<LonLat | null>;
}

export interface Spot {
  at: LonLat;
  how: Placed;
}

export interface PlaceField {
  element: HTMLElement;
  value(): Spot | null;
  put(at: LonLat, how: Placed): void;
  clear(): void;
  /** Take the position where nothing is chosen yet, and show what can be chosen now. */
  update(): void;
}

export function placeField(
  { app, shift }: Phone,
  places: Places,
  { back, changed }: { back: string; changed: () => void },
): PlaceField {
  const element = h("div", { class: "place" });
  const label = `place-${back}`;
  let spot: Spot | null = null;
  const put = (at: LonLat, how: Placed): void => {
    spot = { at, how };
    show();
    changed();
  };
  const way = (how: Placed, word: string, at: LonLat | null | (() => Promise<LonLat | null>)): HTMLElement => {
    const pressed = String(spot?.how === how);
    const button = h("button", { type: "button", class: "chip", aria: { pressed }, data: { key: how } }, word);
    button.disabled = at === null;
    button.onclick = async () => {
      const found = typeof at === "function" ? await at() : at;
      if (found !== null) put(found, how);
    };
    return button;
  };
  const show = (): void => {
    const position = shift.position()?.at ?? null;
    const pick = (): Promise<LonLat | null> => places.pick(spot?.at ?? position ?? places.middle, back);
    fill(
      element,
      h("p", { class: "label", id: label }, app.t("gridPlace")),
      h(
        "div",
        { class: "chips", role: "group", aria: { labelledby: label } },
        way("position", app.t("gridPlaceHere"), position),
        way("map", app.t("gridPlaceMap"), pick),
        way("grid", app.t("gridPlaceGrid"), places.middle),
      ),
      h("p", { class: "told" }, spot === null ? app.t("gridPlaceNone") : placeText(spot.at)),
    );
  };
  // "31.97612°N 120.88940°E".
  const placeText = ([lon, lat]: LonLat): string => app.t("gridPlaceAt", { lon: lon.toFixed(5), lat: lat.toFixed(5) });
  show();
  return {
    element,
    value: () => spot,
    put,
    clear() {
      spot = null;
    },
    update() {
      const at = shift.position()?.at;
      if (spot === null && at !== undefined) put(at, "position");
      else show();
    },
  };
}
