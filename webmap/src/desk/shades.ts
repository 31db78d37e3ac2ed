/** The legend of areas that are coloured by density: their classes, how these came about, and what is in none. */
import type { LayerDetail } from "../city/api.ts";
import { MOST_BOUNDS } from "../map/breaks.ts";
import { rampColours, type Shades, span } from "../map/choropleth.ts";
import { swatch } from "../map/facts.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import type { Breaks } from "../page/state.ts";
import { number } from "../words/format.ts";

/** `wished` is the area layer that the colours are of from closer up, where another one stands in for it. */
export function shadesSection(app: App, cityMap: CityMap, layer: LayerDetail, wished: string): HTMLElement {
  const shades = cityMap.shading.current();
  const area = app.city.layer(shades?.by ?? wished);
  const title = app.t("areasOf", { layer: app.title(layer.title), area: area ? app.title(area.title) : "" });
  const refused = cityMap.shading.refused();
  return h(
    "section",
    { class: "density shades" },
    h("header", {}, h("h3", {}, title), h("span", { class: "unit" }, app.title(layer.density.unit))),
    shades === null &&
      h("p", { class: "hint" }, refused === null ? app.t("loading") : app.t("failed", { why: refused })),
    shades !== null && h("div", { class: "rows" }, ...rows(app, cityMap, shades)),
    ...(shades === null ? [] : notes(app, shades, wished)),
    chooser(app, shades),
  );
}

function rows(app: App, cityMap: CityMap, shades: Shades): HTMLElement[] {
  const { lang } = app.store.get();
  const colours = rampColours(cityMap.roles(), shades.classes.length);
  const line = (colour: string, words: string, n: number) =>
    h(
      "div",
      { class: "class" },
      swatch({ colour, shape: "fill" }),
      h("span", { class: "name" }, words),
      h("span", { class: "count" }, app.t("areasCount", { n: number(lang, n) })),
    );
  // The densest stand on top, as on a scale.
  const classes = shades.classes
    .map(({ from, to, n }, at) => line(colours[at] ?? "", span(lang, from, to), n))
    .reverse();
  const empty = shades.empty > 0 ? [line("transparent", app.t("areasEmpty"), shades.empty)] : [];
  return [...classes, ...empty];
}

function notes(app: App, shades: Shades, wished: string): HTMLElement[] {
  const { lang } = app.store.get();
  const closer = app.city.layer(wished);
  const said = [
    shades.outside > 0 && app.t("areasOutside", { n: number(lang, shades.outside) }),
    shades.truncated && app.t("areasCut"),
    wished !== shades.by && closer !== undefined && app.t("areasInstead", { area: app.title(closer.title) }),
  ];
  return said.flatMap((text) => (text ? [h("p", { class: "hint" }, text)] : []));
}

const KINDS = ["quantile", "jenks", "manual"] as const;

function chooser(app: App, shades: Shades | null): HTMLElement {
  const { store } = app;
  const { breaks } = store.get();
  const kind = typeof breaks === "string" ? breaks : "manual";
  const select = h(
    "select",
    { aria: { label: app.t("breaksBy") }, data: { class: "breaks" } },
    ...KINDS.map((each) => h("option", { value: each, selected: each === kind }, app.t(`breaks_${each}`))),
  );
  select.onchange = () => {
    const inner = shades?.classes.slice(1).map(({ from }) => from) ?? [];
    const next = select.value === "manual" ? (inner.length > 0 ? inner : [1]) : (select.value as Breaks);
    store.set({ breaks: next });
  };
  return h("div", { class: "breaks" }, select, kind === "manual" && bounds(app, breaks as readonly number[]));
}

function bounds(app: App, breaks: readonly number[]): HTMLElement {
  const label = app.t("breaksBounds");
  const input = h("input", {
    type: "text",
    inputMode: "decimal",
    value: breaks.join(", "),
    title: label,
    aria: { label },
    data: { class: "bounds" },
  });
  input.onchange = () => {
    const given = boundsIn(input.value);
    input.setCustomValidity(given === null ? app.t("breaksWrong") : "");
    if (given === null) input.reportValidity();
    else app.store.set({ breaks: given });
  };
  input.oninput = () => input.setCustomValidity("");
  return input;
}

/** Rising numbers between commas or spaces; null where they are none, too many or do not rise. */
export function boundsIn(text: string): number[] | null {
  const given = text
    .split(/[,，、;；\s]+/)
    .filter(Boolean)
    .map(Number);
  const rising = given.every((bound, at) => Number.isFinite(bound) && (at === 0 || bound > (given[at - 1] as number)));
  return rising && given.length > 0 && given.length <= MOST_BOUNDS ? given : null;
}
