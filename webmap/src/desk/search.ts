/** The search box: type, arrow keys, Enter; "/" from anywhere; Esc to leave. */

import * as api from "../city/api.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h, icon, iconButton } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { put } from "./order.ts";

const WAIT_MS = 150;

/** `listAll` is what Enter does with a query that nothing was chosen for. */
export function searchBox(element: HTMLElement, app: App, cityMap: CityMap, listAll: (q: string) => void): void {
  const { store } = app;
  let hits: api.SearchHit[] = [];
  let active = -1;
  let pending = new AbortController();
  let timer = 0;

  const input = h("input", {
    type: "search",
    id: "search",
    autocomplete: "off",
    spellcheck: false,
    maxLength: 100,
    role: "combobox",
    aria: { autocomplete: "list", controls: "hits", expanded: "false" },
  });
  const list = h("div", { id: "hits", class: "hits", role: "listbox", hidden: true });
  const status = h("p", { class: "hidden-text", role: "status" });
  const clear = iconButton("close", "", () => {
    reset();
    input.focus();
  });
  element.append(icon("search"), input, h("kbd", { aria: { hidden: "true" } }, "/"), clear, list, status);

  const expand = (open: boolean) => {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
  };
  const reset = () => {
    pending.abort();
    clearTimeout(timer);
    input.value = "";
    hits = [];
    element.classList.remove("filled");
    activate(-1);
    expand(false);
  };
  const activate = (index: number) => {
    active = index;
    for (const [at, option] of list.querySelectorAll("[role=option]").entries()) {
      option.setAttribute("aria-selected", String(at === index));
      if (at === index) option.scrollIntoView({ block: "nearest" });
    }
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else input.setAttribute("aria-activedescendant", `hit-${index}`);
  };
  const open = (hit: api.SearchHit) => {
    expand(false);
    input.blur();
    openHit(app, cityMap, hit);
  };
  const all = () => {
    const q = input.value.trim();
    pending.abort();
    clearTimeout(timer);
    expand(false);
    if (q !== "") listAll(q);
  };
  const drawHits = () => {
    const q = input.value.trim();
    fill(
      list,
      ...grouped(app, hits, open),
      hits.length === 0 && h("p", { class: "empty" }, app.t("searchNone", { q })),
      hits.length > 1 && allLine(app, all),
    );
    status.textContent = app.t("searchCount", { n: hits.length });
    expand(true);
    // Of several none is chosen yet: Enter lists them all, an arrow key chooses.
    activate(hits.length === 1 ? 0 : -1);
  };
  const ask = async () => {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    try {
      const { results } = await api.search(input.value.trim(), store.get().lang, signal);
      if (signal.aborted) return;
      hits = inGroups(results);
      drawHits();
    } catch (error) {
      if (signal.aborted) return;
      fill(list, h("p", { class: "empty" }, failure(app, error)));
      expand(true);
    }
  };

  input.oninput = () => {
    clearTimeout(timer);
    element.classList.toggle("filled", input.value !== "");
    if (input.value.trim() === "") reset();
    else timer = window.setTimeout(() => void ask(), WAIT_MS);
  };
  input.onfocus = () => hits.length > 0 && expand(true);
  input.onkeydown = (event) => {
    if (event.isComposing) return; // Enter and arrows belong to the input method while a word is being composed
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = hits[active];
    if (step !== undefined && hits.length > 0) activate(stepped(active, step, hits.length));
    else if (event.key === "Enter" && chosen && !list.hidden) open(chosen);
    else if (event.key === "Enter") all();
    else if (event.key === "Escape") {
      if (input.value === "") input.blur();
      reset();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  element.addEventListener("focusout", (event) => {
    if (!element.contains(event.relatedTarget as Node | null)) expand(false);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.matches("input, select, textarea");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });

  const name = () => {
    input.placeholder = app.t("searchHint");
    input.setAttribute("aria-label", `${app.t("search")}: ${app.t("searchHint")}`);
    list.setAttribute("aria-label", app.t("search"));
    clear.title = app.t("clear");
    clear.setAttribute("aria-label", app.t("clear"));
    reset();
  };
  store.on(["lang"], name);
  name();
}

/** The next choice: past either end there is the query itself, with nothing chosen. */
export function stepped(active: number, step: number, count: number): number {
  const next = active + step;
  if (next >= count) return -1;
  return next < -1 ? count - 1 : next;
}

/** What Enter does, for those who click. */
function allLine(app: App, all: () => void): HTMLElement {
  const line = h(
    "div",
    { class: "all", role: "presentation", onclick: all },
    app.t("allResults"),
    h("kbd", {}, "Enter"),
  );
  line.onpointerdown = (event) => event.preventDefault();
  return line;
}

/** Hits of one layer together, the layers in the order of their best hit. */
export function inGroups(hits: readonly api.SearchHit[]): api.SearchHit[] {
  return [...byLayer(hits).values()].flat();
}

function byLayer(hits: readonly api.SearchHit[]): Map<string, api.SearchHit[]> {
  const groups = new Map<string, api.SearchHit[]>();
  for (const hit of hits) {
    const name = hit.layer ?? hit.kind;
    groups.set(name, [...(groups.get(name) ?? []), hit]);
  }
  return groups;
}

function grouped(app: App, hits: readonly api.SearchHit[], open: (hit: api.SearchHit) => void): HTMLElement[] {
  let index = 0;
  return [...byLayer(hits)].map(([name, members]) => {
    const layer = app.city.layer(name);
    const title = layer ? app.title(layer.title) : app.t(name === "cell" ? "cell" : "coordinates");
    return h(
      "div",
      { role: "group", aria: { label: title } },
      h("h3", { aria: { hidden: "true" } }, title),
      ...members.map((hit) => {
        const option = h(
          "div",
          { id: `hit-${index}`, role: "option", class: "hit", aria: { selected: "false" } },
          h("span", { class: "name" }, hit.label),
          hit.detail && h("span", { class: "detail" }, hit.detail),
        );
        index += 1;
        // Before the input loses focus, which would fold the list away.
        option.onpointerdown = (event) => event.preventDefault();
        option.onclick = () => open(hit);
        return option;
      }),
    );
  });
}

/** Show a hit: its layer switched on, the map there, its card open. */
export function openHit(app: App, cityMap: CityMap, hit: api.SearchHit): void {
  const { store, city } = app;
  const { lon, lat, bounds } = hit;
  if (hit.layer !== null && hit.id !== null && city.layer(hit.layer)) {
    const layers = put(store.get().layers, hit.layer, city.layers);
    store.set({ layers, selected: { kind: "item", layer: hit.layer, id: hit.id } });
  } else {
    store.set({ selected: { kind: "spot", lon, lat } });
  }
  cityMap.goTo({ lon, lat, bounds });
}
