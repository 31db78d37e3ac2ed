/** The ways from a card to cameras: their views of this place, their pictures, and a patrol of an area. */
import { action } from "../card/content.ts";
import type { Item } from "../city/api.ts";
import type { Site } from "../city/video.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { openCamera } from "./viewer.ts";
import { CAMERAS, readPicked, toggled, USUAL, writePatrol, writeSpot } from "./written.ts";

const AREAS: readonly string[] = ["county", "town", "grid"];

/** Shows on the map which cameras see a place. */
export function sightButton(app: App, at: { lon: number; lat: number }): HTMLElement {
  return action("camera", app.t("sightOnMap"), () => app.store.set({ sight: writeSpot(at) }));
}

/** What a record's card offers: a camera its picture, an area a patrol; null for anything else. */
export function videoRow(app: App, layer: string, record: Item): HTMLElement | null {
  if (layer === CAMERAS) return cameraRow(app, record);
  if (!AREAS.includes(layer) || !app.city.layer(CAMERAS)) return null;
  const patrol = () => app.store.set({ patrol: writePatrol({ ...USUAL, from: `area:${record.id}` }) });
  return h("div", { class: "links" }, action("camera", app.t("patrolHere"), patrol));
}

function cameraRow(app: App, record: Item): HTMLElement | null {
  const site = siteOf(record);
  if (site === null) return null;
  const open = action("camera", app.t("videoOpen"), () => void openCamera(app, site));
  return h("div", { class: "links" }, open, pickButton(app, site.id));
}

/** Puts a camera on the list of a patrol, or takes it off. */
export function pickButton(app: App, id: string): HTMLButtonElement {
  const label = () => app.t(readPicked(app.store.get().picked).includes(id) ? "videoUnpick" : "videoPick");
  const button = h("button", { type: "button" }, label());
  button.onclick = () => {
    app.store.set({ picked: toggled(readPicked(app.store.get().picked), id) });
    button.textContent = label();
  };
  return button;
}

function siteOf({ id, geometry, properties }: Item): Site | null {
  if (geometry.type !== "Point") return null;
  const [lon = 0, lat = 0] = geometry.coordinates;
  const figure = (name: string) => (typeof properties[name] === "number" ? properties[name] : null);
  const text = (name: string) => (typeof properties[name] === "string" ? properties[name] : null);
  const [heading_deg, hfov_deg, range_m] = [figure("heading_deg"), figure("hfov_deg"), figure("range_m")];
  return { id, lon, lat, name: text("name"), status: text("status"), heading_deg, hfov_deg, range_m };
}
