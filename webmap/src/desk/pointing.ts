/** Pointing at the map: a pointer over things, a few words beside it, and a card on click, tap or Enter. */
import type { MapMouseEvent, Point } from "maplibre-gl";
import type { Card } from "../card/card.ts";
import { classCounts, classWord, headline } from "../map/facts.ts";
import { foremost, type Hit, hitsAt } from "../map/hits.ts";
import type { CityMap } from "../map/map.ts";
import { type App, coarse } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import type { Hovered } from "../page/state.ts";
import { worthLighting } from "../panels/highlight.ts";
import { number } from "../words/format.ts";

const FINGER_PX = 16;
const POINTER_PX = 4;
const CLASSES_SHOWN = 4;

/** `wanted` tells, by layer, the columns that panels tell apart. */
export function pointing(
  element: HTMLElement,
  app: App,
  cityMap: CityMap,
  card: Card,
  wanted: () => ReadonlyMap<string, ReadonlySet<string>>,
): void {
  const { map } = cityMap;
  const tooltip = h("div", { class: "tooltip", hidden: true, aria: { hidden: "true" } });
  element.append(tooltip);
  const base = new Set(app.city.layers.filter((layer) => layer.group === "base").map((layer) => layer.name));
  let frame = 0;

  const inspect = (point: Point) => {
    const hits = foremost(hitsAt(map, point, coarse.matches ? FINGER_PX : POINTER_PX, base));
    const [first] = hits;
    const { lng: lon, lat } = map.unproject(point);
    app.store.set({ selected: null });
    if (first === undefined) app.store.set({ selected: { kind: "spot", lon, lat } });
    else if (first.part === "cells") card.cell(first, lon, lat);
    else if (first.area !== null) app.store.set({ selected: { kind: "item", layer: first.area, id: first.id } });
    else if (hits.length > 1) card.choose(hits);
    else app.store.set({ selected: { kind: "item", layer: first.layer, id: first.id } });
  };

  const hover = (event: MapMouseEvent) => {
    const [first] = foremost(hitsAt(map, event.point, POINTER_PX, base));
    map.getCanvas().style.cursor = first ? "pointer" : "";
    const { lng, lat } = event.lngLat;
    cityMap.point(
      worthLighting(app, cityMap, wanted(), first ?? null, [lng, lat]) ?? (first ? pointedAt(app, first) : null),
    );
    const words = first ? describe(app, cityMap, first) : [];
    tooltip.hidden = words.length === 0;
    fill(tooltip, ...words);
    const { x, y } = event.point;
    const left = x > element.clientWidth - 240;
    tooltip.style.transform = `translate(${x}px, ${y}px) translate(${left ? "calc(-100% - 14px)" : "14px"}, 14px)`;
  };

  // While a tool has the map in hand, what is clicked is meant for the tool.
  const taken = () => map.getCanvas().dataset.tool !== undefined;
  map.on("click", (event) => {
    if (taken()) return;
    cancelAnimationFrame(frame);
    tooltip.hidden = true;
    inspect(event.point);
  });
  map.on("mousemove", (event) => {
    if (coarse.matches || map.isMoving() || taken()) return;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => hover(event));
  });
  for (const gone of ["mouseout", "movestart"] as const) {
    map.on(gone, () => {
      cancelAnimationFrame(frame);
      tooltip.hidden = true;
      cityMap.point(null);
    });
  }
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !taken()) inspect(map.project(map.getCenter()));
  });
}

/** What the legend lights up: the class of a record, or an area. */
function pointedAt(app: App, { part, layer, area, id, properties }: Hit): Hovered | null {
  if (area !== null) return { layer, column: area === "grid" ? "grid_id" : "admin_code", value: id };
  const column = app.city.layer(layer)?.classes ?? null;
  if (part !== "record" || column === null) return null;
  const value = properties[column];
  return { layer, column, value: value === undefined || value === null ? null : String(value) };
}

function describe(app: App, cityMap: CityMap, hit: Hit): (Node | string)[] {
  const layer = app.city.known(hit.layer);
  if (layer === undefined) {
    void app.city.detail(hit.layer).catch(() => undefined);
    return [];
  }
  const { lang } = app.store.get();
  if (hit.part === "record") {
    const about = [app.title(layer.title), classWord(app, layer, hit.properties)].filter(Boolean).join(" · ");
    return [h("b", {}, headline(app, layer, hit.id, hit.properties)), h("p", {}, about)];
  }
  if (hit.area !== null) {
    const shade = cityMap.shading.current()?.areas.get(hit.id);
    const told = shade
      ? `${app.title(layer.title)} ${number(lang, shade.n)} · ${app.t("perKm2")} ${number(lang, shade.perKm2, shade.perKm2 < 10 ? 1 : 0)}`
      : app.title(layer.title);
    return [h("b", {}, String(hit.properties.name ?? hit.id)), h("p", {}, told)];
  }
  const density = Number(hit.properties.d);
  const counts = classCounts(app, layer, hit.properties).slice(0, CLASSES_SHOWN);
  return [
    h("b", {}, `${app.title(layer.title)} ${number(lang, Number(hit.properties.n))}`),
    h("p", {}, `${app.t("perKm2")} ${number(lang, density, density < 10 ? 1 : 0)}`),
    ...counts.map(({ name, count }) => h("p", { class: "line" }, h("span", {}, name), number(lang, count))),
  ];
}
