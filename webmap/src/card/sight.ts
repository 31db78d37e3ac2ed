/** The cameras that see a place; a click opens the camera and shows where it looks. */
import { Refused } from "../city/api.ts";
import * as items from "../city/items.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { sightButton } from "../video/doors.ts";
import { number } from "../words/format.ts";
import { section, without } from "./content.ts";

const LAYER = "video";
const MOST = 20;

/** Nothing where the city has no cameras, or its server does not tell what they see. */
export function seenBy(app: App, at: { lon: number; lat: number }): HTMLElement | null {
  if (!app.city.layer(LAYER)) return null;
  const load = async (): Promise<HTMLElement[]> => {
    try {
      const { cameras, unknown } = await items.sight(at, MOST);
      const none = h("p", { class: "empty" }, app.t("seenByNone"));
      const rest =
        unknown.length > 0 ? [h("h3", {}, app.t("seenUnknown")), ...unknown.map((each) => line(app, each))] : [];
      return [...(cameras.length > 0 ? cameras.map((each) => line(app, each)) : [none]), ...rest, sightButton(app, at)];
    } catch (error) {
      if (!(error instanceof Refused && error.status === 404)) throw error;
      without(details);
      return [];
    }
  };
  const details = section(app, "sight", app.t("seenBy"), load);
  return details;
}

function line(app: App, { id, name, distance_m, blocked }: items.Camera): HTMLElement {
  const open = () => app.store.set({ selected: { kind: "item", layer: LAYER, id } });
  return h(
    "button",
    { type: "button", class: "choice", onclick: open },
    h("span", { class: "name" }, name || id),
    blocked && h("span", { class: "kicker" }, app.t("seenBlocked")),
    h("span", { class: "detail" }, app.t("metresAway", { n: number(app.store.get().lang, distance_m) })),
  );
}
