/** What stands around a place, of the layers that are shown: by layer, nearest first; a click goes there. */

import type { LayerDetail } from "../city/api.ts";
import * as items from "../city/items.ts";
import { classWord, headline } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { number } from "../words/format.ts";
import { section } from "./content.ts";

const RADII_M = [200, 1_000] as const;
const EACH = 5;
const MOST_LAYERS = 20;

/** `besides` is the record whose neighbours these are. */
export function nearbyList(
  app: App,
  at: { lon: number; lat: number },
  besides?: { layer: string; id: string },
): HTMLElement {
  const load = async (radius_m: number): Promise<HTMLElement[]> => {
    // Areas hold a place rather than stand near it: the card names them already.
    const shown = new Set(app.store.get().layers);
    const layers = app.city.layers.filter(({ name, group }) => shown.has(name) && group !== "area").reverse();
    const names = layers.slice(0, MOST_LAYERS).map(({ name }) => name);
    // One more than is shown, since the record itself is among them.
    const found =
      names.length === 0 ? [] : (await items.nearby(at, { layers: names, radius_m, limit: EACH + 1 })).layers;
    const groups = await Promise.all(found.map((each) => group(app, each, besides)));
    const full = groups.filter((each) => each !== null);
    if (full.length > 0) return full;
    const none = h("p", { class: "empty" }, app.t("nearbyNone", { n: number(app.store.get().lang, radius_m) }));
    const wider = RADII_M.find((radius) => radius > radius_m);
    if (wider === undefined) return [none];
    const look = h("button", { type: "button" }, app.t("nearbyWider", { n: number(app.store.get().lang, wider) }));
    const body = h("div", {}, none, look);
    const failed = (error: unknown) => fill(body, h("p", { class: "empty" }, failure(app, error)), look);
    look.onclick = () => void load(wider).then((children) => fill(body, ...children), failed);
    return [body];
  };
  return section(app, "nearby", app.t("nearby"), () => load(RADII_M[0]));
}

/** The records but the one itself; of a line that is cut in pieces the nearest piece stands for all. */
function differing(
  app: App,
  layer: LayerDetail,
  records: readonly items.Near[],
  besides?: { layer: string; id: string },
) {
  const others = records.filter(({ id }) => besides?.layer !== layer.name || besides.id !== id);
  if (!layer.geometry.endsWith("LineString")) return others;
  const names = others.map(({ id, properties }) => headline(app, layer, id, properties));
  return others.filter((_, index) => names.indexOf(names[index] as string) === index);
}

async function group(
  app: App,
  around: items.Around,
  besides?: { layer: string; id: string },
): Promise<HTMLElement | null> {
  const layer = await app.city.detail(around.layer);
  const { lang } = app.store.get();
  const others = differing(app, layer, around.records, besides);
  if (others.length === 0) return null;
  const lines = others.slice(0, EACH).map(({ id, properties, distance_m }) => {
    const open = () => app.store.set({ selected: { kind: "item", layer: layer.name, id } });
    const name = headline(app, layer, id, properties);
    const sort = classWord(app, layer, properties);
    return h(
      "button",
      { type: "button", class: "choice", onclick: open },
      h("span", { class: "name" }, name),
      sort !== null && sort !== name && h("span", { class: "kicker name" }, sort),
      h("span", { class: "detail" }, app.t("metresAway", { n: number(lang, distance_m) })),
    );
  });
  const rest = around.truncated || others.length > EACH;
  return h(
    "section",
    {},
    h("h3", {}, app.title(layer.title), rest && h("span", {}, ` · ${app.t("nearbyMore", { n: EACH })}`)),
    ...lines,
  );
}
