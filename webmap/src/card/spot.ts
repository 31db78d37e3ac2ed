/** The cards of what is no record: a spot of the city, a cell that counts, and the choice between things at one place. */
import type { LayerSummary, Reverse } from "../city/api.ts";
import { bars, classCounts, classWord, headline, rowOf, swatch } from "../map/facts.ts";
import type { Hit } from "../map/hits.ts";
import type { CityMap } from "../map/map.ts";
import { placeRows } from "../map/where.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { action, type Content } from "./content.ts";
import { dialogOf } from "./dialogs.ts";
import { linkButton } from "./links.ts";
import { nearbyList } from "./nearby.ts";
import { seenBy } from "./sight.ts";
import { stackList } from "./stack.ts";

const CHOICES = 12;

/** `add` begins a new record of a layer here. */
export function spotContent(
  app: App,
  at: { lon: number; lat: number },
  found: Reverse,
  add: (layer: string) => void,
): Content {
  const outside = found.county === null && found.town === null;
  const title = found.grid?.name ?? found.town?.name ?? found.county?.name ?? app.t("outsideCity");
  const addable = app.city.layers.filter((layer) => layer.may.add && layer.geometry === "Point");
  return {
    kicker: app.t("spot"),
    title: outside ? app.t("outsideCity") : title,
    body: [
      h("dl", {}, ...placeRows(app, at.lon, at.lat, found, found.address)),
      ...(outside ? [] : [nearbyList(app, at), seenBy(app, at)]),
    ],
    actions: [
      linkButton(app),
      addable.length > 0 && !outside ? action("plus", app.t("addHere"), () => chooseLayer(app, addable, add)) : null,
    ],
  };
}

function chooseLayer(app: App, layers: readonly LayerSummary[], add: (layer: string) => void): void {
  const lines = layers.map((layer) => {
    const choose = () => {
      dialog.close();
      add(layer.name);
    };
    return h(
      "button",
      { type: "button", class: "choice", onclick: choose },
      h("span", { class: "name" }, app.title(layer.title)),
    );
  });
  const dialog = dialogOf(app, app.t("addWhat"), ...lines);
  lines[0]?.focus();
}

export async function cellContent(app: App, cityMap: CityMap, hit: Hit, lon: number, lat: number): Promise<Content> {
  const layer = await app.city.detail(hit.layer);
  const { lang } = app.store.get();
  const counts = classCounts(app, layer, hit.properties);
  const figure = (value: number, digits: number, unit: string) =>
    h("p", { class: "figure" }, h("b", {}, number(lang, value, digits)), " ", unit);
  const perKm2 = Number(hit.properties.d);
  return {
    kicker: `${app.title(layer.title)} · ${app.t("cell")}`,
    title: hit.id,
    body: [
      h(
        "div",
        { class: "figures" },
        figure(Number(hit.properties.n), 0, app.t("count")),
        figure(perKm2, perKm2 < 10 ? 1 : 0, app.t("perKm2")),
      ),
      counts.length > 0 ? bars(app, counts) : null,
    ],
    actions: [action("target", app.t("zoomInto"), () => cityMap.goTo({ lon, lat, zoom: layer.minzoom + 0.5 }))],
  };
}

/** A few things are lines to click; thousands on one pole are a list to search. */
export async function choiceContent(app: App, cityMap: CityMap, hits: readonly Hit[]): Promise<Content> {
  const many = hits.length > CHOICES;
  const [layer, ...others] = new Set(hits.map((hit) => hit.layer));
  const only = others.length === 0 && layer !== undefined ? app.city.layer(layer) : undefined;
  return {
    kicker: only ? app.title(only.title) : app.t("spot"),
    title: app.t("hereAre", { n: hits.length }),
    body: many ? [await stackList(app, cityMap, hits)] : await Promise.all(hits.map((hit) => choiceLine(app, hit))),
  };
}

async function choiceLine(app: App, hit: Hit): Promise<HTMLElement> {
  const layer = await app.city.detail(hit.layer);
  const mark = rowOf(app, layer, hit.properties);
  const name = headline(app, layer, hit.id, hit.properties);
  const kind = classWord(app, layer, hit.properties);
  return h(
    "button",
    {
      type: "button",
      class: "choice",
      onclick: () => app.store.set({ selected: { kind: "item", layer: hit.layer, id: hit.id } }),
    },
    mark ? swatch(mark) : null,
    h("span", { class: "name" }, name),
    h("span", { class: "detail" }, kind === null || kind === name ? app.title(layer.title) : kind),
  );
}
