/** The object card: a record, a spot, a cell, or the choice between things that stand at one place. */
import * as api from "../city/api.ts";
import { bars, classCounts, classWord, factRows, headline, row, swatch } from "../map/facts.ts";
import { boundsOf, middleOf } from "../map/geometry.ts";
import type { Hit } from "../map/hits.ts";
import type { CityMap } from "../map/map.ts";
import { sectorOf } from "../map/views.ts";
import { placeRows } from "../map/where.ts";
import { type App, reason } from "../page/app.ts";
import { copied, copyButton } from "../page/copy.ts";
import { fill, h, icon, iconButton } from "../page/dom.ts";
import { age, moment, number } from "../words/format.ts";
import { historyList } from "./history.ts";

const CHOICES = 12;

export interface Card {
  /** Several things at one place: a list to choose from. */
  choose(hits: readonly Hit[]): void;
  /** A cell and what it counts. */
  cell(hit: Hit, lon: number, lat: number): void;
  close(): void;
  /** Read the record of the open card again; what one was looking at stays in place. */
  reread(): void;
}

interface Content {
  kicker: string;
  title: string;
  body: (HTMLElement | null)[];
  actions?: HTMLElement[];
}

export function objectCard(element: HTMLElement, app: App, cityMap: CityMap): Card {
  const { store, city } = app;
  let pending = new AbortController();
  let reading = Promise.resolve();

  const close = () => {
    element.hidden = true;
    cityMap.select();
    store.set({ selected: null });
  };
  const show = ({ kicker, title, body, actions = [] }: Content) => {
    element.hidden = false;
    // Where focus would be lost (a search that ended, a button of the card that goes), it comes to the card.
    const homeless = document.activeElement === document.body || element.contains(document.activeElement);
    const heading = h("h2", { tabIndex: -1, id: "card-title" }, title);
    fill(
      element,
      h("header", {}, h("p", { class: "kicker" }, kicker), heading, iconButton("close", app.t("close"), close)),
      h("div", { class: "body", tabIndex: 0 }, ...body),
      actions.length > 0 && h("footer", {}, ...actions),
    );
    if (homeless) heading.focus({ preventScroll: true });
  };

  const showItem = async (layerName: string, id: string, signal: AbortSignal, again: boolean) => {
    const [layer, record] = await Promise.all([city.detail(layerName), api.item(layerName, id, signal)]);
    if (signal.aborted) return;
    const middle = middleOf(record.geometry);
    const view = sectorOf(record.geometry, record.properties);
    cityMap.select(record.geometry, ...(view ? [view.geometry] : []));
    const content = itemContent(app, cityMap, layer, record, middle);
    if (again) keepingPlace(element, () => show(content));
    else show(content);
    if (!again) cityMap.reveal(...middle);
  };
  const showSpot = async (lon: number, lat: number, signal: AbortSignal) => {
    cityMap.select({ type: "Point", coordinates: [lon, lat] });
    const found = await api.reverse(lon, lat, signal);
    if (signal.aborted) return;
    const outside = found.county === null && found.town === null;
    const title = found.grid?.name ?? found.town?.name ?? found.county?.name ?? app.t("outsideCity");
    show({
      kicker: app.t("spot"),
      title: outside ? app.t("outsideCity") : title,
      body: [h("dl", {}, ...placeRows(app, lon, lat, found, found.address))],
      actions: [linkButton(app)],
    });
    cityMap.reveal(lon, lat);
  };

  const follow = async (again = false) => {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    const { selected } = store.get();
    if (!again) cityMap.select();
    if (selected === null) {
      element.hidden = true;
      return;
    }
    if (element.hidden) show({ kicker: "", title: app.t("loading"), body: [] });
    try {
      if (selected.kind === "item") await showItem(selected.layer, selected.id, signal, again);
      else await showSpot(selected.lon, selected.lat, signal);
    } catch (error) {
      if (signal.aborted) return;
      const gone = error instanceof api.Refused && error.status === 404;
      if (again && !gone) return; // what the card says was right a moment ago
      cityMap.select();
      const why = error instanceof api.Unreachable ? app.t("unreachable") : reason(error);
      const id = selected.kind === "item" ? selected.id : app.t("spot");
      const retry = h("button", { type: "button", onclick: () => void follow() }, app.t("retry"));
      const said = h("p", { class: "empty" }, gone ? app.t("gone") : app.t("failed", { why }));
      show({ kicker: "", title: id, body: [said], actions: gone ? [] : [retry] });
    }
  };
  const start = () => {
    reading = follow();
  };
  store.on(["selected", "lang"], start);
  if (store.get().selected) start();

  return {
    close,
    reread() {
      if (store.get().selected?.kind === "item") reading = reading.then(() => follow(true));
    },
    choose: (hits) => void chooseAmong(app, hits).then(show),
    cell(hit, lon, lat) {
      cityMap.selectCell(hit.id);
      void cellContent(app, cityMap, hit, lon, lat).then(show);
    },
  };
}

/** Fill the card anew with its list scrolled and its history opened as they were. */
function keepingPlace(card: HTMLElement, refill: () => void): void {
  const top = card.querySelector(".body")?.scrollTop ?? 0;
  const open = card.querySelector("details")?.open ?? false;
  refill();
  const history = card.querySelector("details");
  if (history) history.open = open;
  card.querySelector(".body")?.scrollTo({ top });
}

function itemContent(
  app: App,
  cityMap: CityMap,
  layer: api.LayerDetail,
  record: api.Item,
  [lon, lat]: api.LonLat,
): Content {
  const { lang } = app.store.get();
  const { context, properties } = record;
  const rows = factRows(app, layer, properties);
  const bounds = record.geometry.type === "Point" ? null : boundsOf(record.geometry);
  const changed =
    context.changedAt === null
      ? null
      : row(
          app.t("changed"),
          h("time", { dateTime: context.changedAt, title: age(lang, context.changedAt) }, moment(context.changedAt)),
        );
  return {
    kicker: [app.title(layer.title), classWord(app, layer, properties)].filter(Boolean).join(" · "),
    title: headline(app, layer, record.id, properties),
    body: [
      h("dl", {}, row("ID", h("code", {}, record.id), copyButton(app, record.id))),
      rows.length > 0 ? h("dl", {}, ...rows) : h("p", { class: "empty" }, app.t("noFacts")),
      h("dl", {}, ...placeRows(app, lon, lat, context, null, layer)),
      h("dl", {}, context.source === null ? null : row(app.t("source"), context.source), changed),
      historyList(app, layer, record.id),
    ],
    actions: [zoomButton(app, () => cityMap.goTo({ lon, lat, bounds })), linkButton(app)],
  };
}

async function cellContent(app: App, cityMap: CityMap, hit: Hit, lon: number, lat: number): Promise<Content> {
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
    actions: [zoomButton(app, () => cityMap.goTo({ lon, lat, zoom: layer.minzoom + 0.5 }), app.t("zoomInto"))],
  };
}

async function chooseAmong(app: App, hits: readonly Hit[]): Promise<Content> {
  const shown = hits.slice(0, CHOICES);
  const lines = await Promise.all(
    shown.map(async (hit) => {
      const layer = await app.city.detail(hit.layer);
      const value = layer.classes === null ? null : hit.properties[layer.classes];
      const rows = layer.legend[app.store.get().palette] ?? [];
      const mark = rows.find((each) => each.value === String(value)) ?? rows.at(-1);
      return h(
        "button",
        {
          type: "button",
          class: "choice",
          onclick: () => app.store.set({ selected: { kind: "item", layer: hit.layer, id: hit.id } }),
        },
        mark ? swatch(mark) : null,
        h("span", { class: "name" }, headline(app, layer, hit.id, hit.properties)),
        h("span", { class: "detail" }, app.title(layer.title)),
      );
    }),
  );
  const rest = hits.length - shown.length;
  return {
    kicker: app.t("spot"),
    title: app.t("hereAre", { n: hits.length }),
    body: [...lines, rest > 0 ? h("p", { class: "empty" }, app.t("hereMore", { n: rest })) : null],
  };
}

function zoomButton(app: App, onclick: () => void, label = app.t("zoomTo")): HTMLElement {
  return h("button", { type: "button", onclick }, icon("target"), label);
}

/** The link is the page's own address: whoever opens it sees this card over this view. */
function linkButton(app: App): HTMLElement {
  const button = h("button", { type: "button" }, icon("link"), app.t("copyLink"));
  button.onclick = () => void copied(app, button, location.href);
  return button;
}
