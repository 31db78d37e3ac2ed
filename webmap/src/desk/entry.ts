/** A layer in the panel: one line, and behind it how it is drawn and which of its records. */
import type { LayerSummary } from "../city/api.ts";
import { swatch } from "../map/facts.ts";
import { hasCells, looksFor, withLook } from "../map/looks.ts";
import type { CityMap } from "../map/map.ts";
import { opacitySlider } from "../map/opacity.ts";
import type { App } from "../page/app.ts";
import { toCql2 } from "../page/conditions.ts";
import { fill, h, icon } from "../page/dom.ts";
import type { Look } from "../page/state.ts";
import { age, number } from "../words/format.ts";
import { type Filters, layerFilters } from "./filters.ts";
import { grip, type Ordering, put } from "./order.ts";

export interface Entry {
  element: HTMLElement;
  /** The state or what is known of the layer changed. */
  update(): void;
}

export function layerEntry(app: App, cityMap: CityMap, layer: LayerSummary, ordering: Ordering): Entry {
  const { store } = app;
  const element = h("div", { class: "entry", data: { entry: layer.name } });
  const box = h("input", { type: "checkbox", data: { layer: layer.name } });
  box.onchange = () => store.set(switched(app, cityMap, layer.name, box.checked));
  const name = h("span", { class: "name" });
  const marks = h("span", { class: "layer-marks" });
  const count = h("span", { class: "count" });
  const label = h("label", { class: "layer" }, box, name, marks, count);
  const menu = h("div", { class: "layer-menu", id: `menu-${layer.name}`, hidden: true, role: "group" });
  const more = h(
    "button",
    { type: "button", class: "icon-button unfold", aria: { controls: menu.id, expanded: "false" } },
    icon("down"),
  );
  let handle = grip(element, "", ordering);
  let inside: Menu | null = null;

  const open = (on: boolean) => {
    menu.hidden = !on;
    more.setAttribute("aria-expanded", String(on));
    element.classList.toggle("open", on);
    if (on && inside === null) {
      inside = layerMenu(app, layer);
      fill(menu, ...inside.parts);
    }
    if (on) inside?.update();
  };
  more.onclick = () => open(!element.classList.contains("open"));

  let told = "";
  const words = () => {
    const { lang } = store.get();
    if (told === lang) return;
    told = lang;
    const title = app.title(layer.title);
    const fresh = grip(element, app.t("layerMove", { layer: title }), ordering);
    const focused = handle === document.activeElement;
    handle.replaceWith(fresh);
    handle = fresh;
    if (focused) fresh.focus();
    more.title = app.t("layerMenu", { layer: title });
    more.setAttribute("aria-label", more.title);
    menu.setAttribute("aria-label", more.title);
    name.textContent = title;
    inside = null; // its words are of the other language
    if (!menu.hidden) open(true);
  };
  const update = () => {
    const { lang, layers, conditions } = store.get();
    const shown = layers.includes(layer.name);
    words();
    const updated = layer.updated === null ? app.t("updatedNever") : `${app.t("updated")} ${age(lang, layer.updated)}`;
    label.title = `${app.title(layer.about)}\n${updated}`;
    box.checked = shown;
    count.textContent = number(lang, layer.count);
    const filtered = toCql2(conditions[layer.name]) !== null;
    fill(marks, single(app, layer), filtered && filterMark(app));
    handle.hidden = !shown;
    more.hidden = !shown;
    if (!shown) open(false);
    else if (!menu.hidden) inside?.update();
  };
  element.append(h("div", { class: "layer-line" }, handle, label, more), menu);
  return { element, update };
}

function switched(app: App, cityMap: CityMap, name: string, on: boolean): Partial<ReturnType<App["store"]["get"]>> {
  const shown = app.store.get().layers;
  if (!on) return { layers: shown.filter((each) => each !== name) };
  const layers = put(shown, name, app.city.layers);
  return cityMap.isDense(name) ? { layers, density: name } : { layers };
}

/** A layer of one colour needs no legend: its swatch stands in its line. */
function single(app: App, layer: LayerSummary): HTMLElement | null {
  const rows = app.city.known(layer.name)?.legend[app.store.get().palette] ?? [];
  const first = rows[0];
  return first && (rows.length === 1 || layer.group === "base") ? swatch(first) : null;
}

function filterMark(app: App): HTMLElement {
  const mark = h("span", { class: "filtered", role: "img", title: app.t("layerFiltered") }, icon("funnel"));
  mark.setAttribute("aria-label", app.t("layerFiltered"));
  return mark;
}

interface Menu {
  parts: HTMLElement[];
  update(): void;
}

function layerMenu(app: App, layer: LayerSummary): Menu {
  const { store } = app;
  const looks = looksFor(layer, (name) => app.city.layer(name) !== undefined);
  const hint = h("p", { class: "hint" });
  const buttons = looks.map((look) =>
    h(
      "button",
      {
        type: "button",
        data: { look },
        onclick: () => store.set(withLook(store.get(), layer.name, look)),
      },
      app.t(`look_${look}`),
    ),
  );
  const choice = h("div", { class: "layer-choices", role: "group", aria: { label: app.t("look") } }, ...buttons);
  const opacity = opacitySlider(app, layer.name, app.title(layer.title));
  const filters: Filters = layerFilters(app, layer);
  const update = () => {
    const state = store.get();
    const look = state.looks[layer.name] ?? "symbol";
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.look === look));
    hint.textContent = lookHint(app, layer, look);
    hint.hidden = hint.textContent === "";
    opacity.update();
    filters.update();
  };
  return { parts: [...(looks.length > 1 ? [choice, hint] : []), opacity.element, filters.element], update };
}

/** Where on the zoom scale a look is not what its name says. */
function lookHint(app: App, layer: LayerSummary, look: Look): string {
  if (look === "symbol") return hasCells(layer) ? app.t("lookSymbolFrom", { zoom: layer.minzoom }) : "";
  if (look === "cells") return app.t("lookCellsTo", { zoom: layer.minzoom });
  if (look !== "grid" || app.city.layer("town") === undefined) return "";
  return app.t("lookAreas", { zoom: app.city.layer("grid")?.minzoom ?? 0 });
}
