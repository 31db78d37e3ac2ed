/** The card of one record: facts in words, where it is and who answers for it, and what may be asked about it. */
import type { LayerDetail, LonLat } from "../city/api.ts";
import type { Held } from "../city/items.ts";
import { classWord, factRows, headline, row, rowOf } from "../map/facts.ts";
import { boundsOf } from "../map/geometry.ts";
import type { CityMap } from "../map/map.ts";
import { placeRows } from "../map/where.ts";
import type { App } from "../page/app.ts";
import { copyButton } from "../page/copy.ts";
import { h } from "../page/dom.ts";
import { videoRow } from "../video/doors.ts";
import { age, deliveryWord, moment, sourceWord } from "../words/format.ts";
import { action, type Content } from "./content.ts";
import { historyList } from "./history.ts";
import { goThere, linkButton, linksRow } from "./links.ts";
import { nearbyList } from "./nearby.ts";
import { seenBy } from "./sight.ts";

export interface Doing {
  edit(): void;
  goBack(since: string): void;
}

export function recordContent(
  app: App,
  cityMap: CityMap,
  layer: LayerDetail,
  { record }: Held,
  { middle, doing }: { middle: LonLat; doing: Doing },
): Content {
  const { context, properties, geometry } = record;
  const [lon, lat] = middle;
  const rows = factRows(app, layer, properties, context.standards);
  const bounds = geometry.type === "Point" ? null : boundsOf(geometry);
  return {
    kicker: [app.title(layer.title), classWord(app, layer, properties)].filter(Boolean).join(" · "),
    mark: rowOf(app, layer, properties),
    title: headline(app, layer, record.id, properties),
    body: [
      h("dl", {}, row("ID", h("code", {}, record.id), copyButton(app, record.id))),
      rows.length > 0 ? h("dl", {}, ...rows) : h("p", { class: "empty" }, app.t("noFacts")),
      h("dl", {}, ...placeRows(app, lon, lat, context, null, layer)),
      h("dl", {}, ...makingRows(app, context)),
      historyList(app, layer, { id: record.id, now: record }, layer.may.edit ? doing.goBack : undefined),
      nearbyList(app, { lon, lat }, record),
      seenBy(app, { lon, lat }),
      videoRow(app, layer.name, record),
      linksRow(app, layer, record, middle),
    ],
    actions: [
      goThere(app, cityMap, { lon, lat, bounds }),
      linkButton(app),
      layer.may.edit ? action("pencil", app.t("edit"), doing.edit) : null,
    ],
  };
}

/** Where the record comes from, and who changed it when. */
function makingRows(
  app: App,
  { source, delivery, changedAt, changedBy }: Held["record"]["context"],
): (HTMLElement | null)[] {
  const { lang } = app.store.get();
  const brought =
    delivery &&
    h("span", { class: "code" }, app.t("deliveredBy", { title: deliveryWord(lang, delivery), id: delivery.id }));
  const who = changedBy && h("span", { class: "code" }, app.t("changedBy", { who: changedBy }));
  return [
    source === null ? null : row(app.t("source"), sourceWord(lang, source), brought || null),
    changedAt === null
      ? null
      : row(
          app.t("changed"),
          h("time", { dateTime: changedAt, title: age(lang, changedAt) }, moment(lang, changedAt)),
          who || null,
        ),
  ];
}

/** What is left of a record that was retired: its history, and for those who may the way back. */
export function goneContent(app: App, layer: LayerDetail, id: string, goBack: (since: string) => void): Content {
  return {
    kicker: app.title(layer.title),
    title: id,
    body: [
      h("p", { class: "empty" }, app.t("gone")),
      historyList(app, layer, { id, now: null }, layer.may.edit ? goBack : undefined),
    ],
  };
}
