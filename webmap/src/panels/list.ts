/** The list beside the map: the records of a layer that meet its conditions, page by page. */

import type { LayerDetail } from "../city/api.ts";
import { written } from "../city/frames.ts";
import { atMostEvery } from "../city/pace.ts";
import * as records from "../city/records.ts";
import { classWord, headline, rowOf } from "../map/facts.ts";
import { boundsOf, middleOf } from "../map/geometry.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { sameConditions, toCql2 } from "../page/conditions.ts";
import { fill, h, iconButton, keepingFocus } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { fact, number } from "../words/format.ts";
import { conditionChips } from "./conditions.ts";
import { exportMenu } from "./export.ts";
import { type Line, type Lines, linesBox } from "./lines.ts";

const PAGE = 50;
/** More than these nobody reads, and a page should not hold. */
const MOST = 1000;
const AFTER_EVENTS_MS = 5_000;

export interface RecordsList {
  /** Records of a layer changed (null: of any): what is listed is asked for anew. */
  changed(layer: string | null): void;
}

/** Keep the list in an element while a layer is listed; `leave` is what closing it does. */
export function recordsList(element: HTMLElement, app: App, cityMap: CityMap, leave: () => void): RecordsList {
  const { store } = app;
  let pending = new AbortController();
  let order: records.Order | null = null;
  let layer: LayerDetail | null = null;
  let next: string | null = null;
  let total = "";
  /** Why the next page did not come. */
  let missed: string | null = null;
  let lines: Line[] = [];
  const box: Lines = linesBox(app, "list-title", {
    open: (line) => {
      const { geometry } = line;
      store.set({ selected: { kind: "item", layer: line.layer, id: line.id } });
      const [lon, lat] = middleOf(geometry);
      cityMap.goTo({ lon, lat, bounds: geometry.type === "Point" ? null : boundsOf(geometry) });
    },
    close: leave,
    more: () => void more(),
  });

  const head = h("header");
  const chips = h("div", { class: "conditions" });
  const sorting = h("div", { class: "sorter" });
  const end = h("div", { class: "end" });
  element.append(head, chips, sorting, box.element, end);

  const draw = () => {
    if (layer === null) return;
    const of = layer;
    const again = (changed: records.Order | null) => {
      order = changed;
      void start();
    };
    const title = h("h2", { id: "list-title" }, app.title(of.title), h("span", { class: "count" }, total));
    const filter = toCql2(store.get().conditions[of.name]);
    keepingFocus(element, () => {
      fill(head, title, exportMenu(app, of.name, filter), iconButton("close", app.t("close"), leave));
      fill(chips, ...conditionChips(app, of));
      fill(sorting, ...sorter(app, of, order, again));
      fill(end, foot());
    });
    box.draw(lines);
  };
  const foot = () => {
    const { lang } = store.get();
    if (next === null) return null;
    if (missed !== null)
      return h(
        "p",
        { class: "missed", role: "alert" },
        missed,
        h("button", { type: "button", data: { key: "more" }, onclick: () => void more() }, app.t("retry")),
      );
    if (lines.length >= MOST) return h("p", { class: "empty" }, app.t("moreNot", { n: number(lang, MOST) }));
    return h(
      "button",
      { type: "button", class: "more-lines", data: { key: "more" }, onclick: () => void more() },
      app.t("more", { n: PAGE }),
    );
  };
  const take = (page: records.RecordsPage, of: LayerDetail) => {
    next = page.next;
    missed = null;
    lines = [...lines, ...page.records.map((record) => lineOf(app, of, record))];
    const { lang } = store.get();
    if (page.total !== null) total = app.t(page.estimated ? "totalAbout" : "total", { n: number(lang, page.total) });
    else total = app.t(next === null ? "total" : "totalUnknown", { n: number(lang, lines.length) });
    draw();
    if (lines.length === 0) box.say(app.t("noRecords"));
  };
  const failed = (error: unknown, signal: AbortSignal) => {
    if (signal.aborted) return;
    box.say(failure(app, error), h("button", { type: "button", onclick: () => void start() }, app.t("retry")));
  };
  const start = async () => {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    const { listed, conditions } = store.get();
    missed = null;
    element.hidden = listed === null || app.city.layer(listed) === undefined;
    if (listed === null || element.hidden) {
      layer = null;
      return;
    }
    try {
      const detail = await app.city.detail(listed);
      if (signal.aborted) return;
      if (layer?.name !== listed) [order, lines, next, total] = [null, [], null, app.t("loading")];
      layer = detail;
      const filter = toCql2(conditions[listed]);
      const page = await records.firstPage(listed, { filter, order, limit: PAGE }, signal);
      if (signal.aborted) return;
      lines = [];
      take(page, detail);
    } catch (error) {
      draw();
      failed(error, signal);
    }
  };
  const more = async () => {
    const { signal } = pending;
    const of = layer;
    if (next === null || of === null || lines.length >= MOST) return;
    const from = next;
    next = null;
    try {
      const page = await records.nextPage(from, signal);
      if (!signal.aborted) take(page, of);
    } catch (error) {
      if (signal.aborted) return;
      // What was read stays; the way on is below it.
      next = from;
      missed = failure(app, error);
      draw();
    }
  };

  const anew = atMostEvery(AFTER_EVENTS_MS, () => {
    // Whoever has read far down keeps the place.
    if (layer !== null && lines.length <= PAGE) void start();
  });
  store.on(["listed", "conditions", "lang"], ({ listed, conditions, lang }, before) => {
    const same = listed === before.listed && lang === before.lang;
    if (same && (listed === null || sameConditions(conditions[listed], before.conditions[listed]))) return;
    void start();
  });
  store.on(["hovered", "selected"], () => box.light());
  store.on(["palette"], () => layer !== null && lines.length > 0 && box.draw(lines));
  void start();
  return {
    changed(name) {
      if (layer !== null && (name === null || name === layer.name)) anew();
    },
  };
}

function lineOf(app: App, layer: LayerDetail, record: records.RecordsPage["records"][number]): Line {
  const { lang, frame } = app.store.get();
  const { id, geometry, properties } = record;
  const states = layer.fields
    .filter(({ name, kind }) => kind === "code" && name !== layer.classes && /^(state|status)$/.test(name))
    .map((field) =>
      properties[field.name] == null ? null : fact(lang, layer, field, properties[field.name] as string),
    );
  const { address } = properties;
  const where = typeof address === "string" && address !== "" ? address : written(frame, ...middleOf(geometry));
  const name = headline(app, layer, id, properties);
  const kind = classWord(app, layer, properties);
  return {
    key: id,
    layer: layer.name,
    id,
    geometry,
    name,
    mark: () => rowOf(app, layer, properties),
    detail: [kind === name ? null : kind, ...states].filter(Boolean).join(" · "),
    where,
  };
}

/** What the records are sorted by: their id, or a field that can be asked for, up or down. */
function sorter(
  app: App,
  layer: LayerDetail,
  order: records.Order | null,
  change: (order: records.Order | null) => void,
): HTMLElement[] {
  const fields = layer.fields.filter((field) => field.filter || field.name === layer.label);
  const select = h(
    "select",
    {
      data: { key: "sort" },
      aria: { label: app.t("sortBy") },
      onchange: () => change(select.value === "" ? null : { column: select.value, down: order?.down ?? false }),
    },
    h("option", { value: "" }, app.t("sortNone")),
    ...fields.map(({ name, title }) => h("option", { value: name }, app.title(title))),
    h("option", { value: "changed_at" }, app.t("changed")),
  );
  select.value = order?.column ?? "";
  const way = h(
    "button",
    {
      type: "button",
      data: { key: "sort-way" },
      disabled: order === null,
      onclick: () => order && change({ ...order, down: !order.down }),
    },
    app.t(order?.down ? "sortDown" : "sortUp"),
  );
  return [h("span", { aria: { hidden: "true" } }, app.t("sortBy")), select, way];
}
