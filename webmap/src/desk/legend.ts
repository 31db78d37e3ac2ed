/** The legend of what is drawn now: one density with its unit, and the classes of visible layers, which also filter. */
import type { LayerDetail, LayerSummary, LegendRow } from "../city/api.ts";
import { isArea } from "../map/choropleth.ts";
import { swatch } from "../map/facts.ts";
import { hasCells } from "../map/looks.ts";
import type { CityMap } from "../map/map.ts";
import { rasterLegends } from "../map/rasters.ts";
import type { DensityRange } from "../map/style.ts";
import type { App } from "../page/app.ts";
import { toCql2 } from "../page/conditions.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { shadesSection } from "./shades.ts";

export function legendPanel(element: HTMLElement, app: App, cityMap: CityMap): void {
  const { store, city } = app;
  const shownDensity = () => {
    const zoom = cityMap.map.getZoom();
    return cityMap.ranges().find((range) => zoom >= range.from && zoom < range.to) ?? null;
  };
  let drawnFor = "";

  const draw = () => {
    const zoom = cityMap.map.getZoom();
    const density = shownDensity();
    const classed = city.layers.filter(
      (layer) =>
        layer.group !== "base" &&
        store.get().layers.includes(layer.name) &&
        (layer.name === density?.layer || zoom >= layer.minzoom),
    );
    const order = store.get().layers;
    const downwards = classed.sort((a, b) => order.indexOf(b.name) - order.indexOf(a.name));
    const records = downwards.flatMap((layer) => {
      const detail = city.known(layer.name);
      return detail ? sections(app, cityMap, detail, layer.name === density?.layer ? density : null) : [];
    });
    const parts = [...records, ...rasterLegends(app)];
    element.hidden = parts.length === 0;
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.class : undefined;
    fill(element, ...parts);
    if (focused) element.querySelector<HTMLElement>(`[data-class="${CSS.escape(focused)}"]`)?.focus();
    lightUp(element, app);
  };

  const drawIfOther = () => {
    const zoom = cityMap.map.getZoom();
    const key = [
      JSON.stringify(shownDensity()),
      ...city.layers.filter((layer) => zoom >= layer.minzoom).map((each) => each.name),
    ].join();
    if (key !== drawnFor) draw();
    drawnFor = key;
  };

  const demand = () => {
    for (const name of store.get().layers.filter((each) => city.layer(each))) {
      if (!city.known(name)) void city.detail(name).then(draw, () => undefined);
    }
    draw();
  };
  store.on(["layers", "looks", "breaks", "conditions", "rasters", "hidden", "density", "lang", "palette"], demand);
  city.onNews(draw);
  cityMap.shading.on(draw);
  cityMap.map.on("zoom", drawIfOther);
  store.on(["hovered"], () => lightUp(element, app));
  // A row that was drawn anew under the pointer does not tell that the pointer left it.
  element.onpointerleave = () => store.set({ hovered: null });
  demand();
}

/** The row of what is pointed at stands out, on whichever side it is. */
function lightUp(element: HTMLElement, app: App): void {
  const { hovered } = app.store.get();
  const isClass = hovered !== null && app.city.layer(hovered.layer)?.classes === hovered.column;
  const key = isClass ? `${hovered.layer}:${hovered.value}` : "";
  for (const row of element.querySelectorAll<HTMLElement>("[data-class]"))
    row.classList.toggle("lit", key !== "" && row.dataset.class === key);
}

function sections(app: App, cityMap: CityMap, layer: LayerDetail, density: DensityRange | null): HTMLElement[] {
  const rows = (layer.legend[app.store.get().palette] ?? []).filter((row) => row.title !== undefined);
  const classes = rows.length > 1 ? [classSection(app, layer, rows, density !== null)] : [];
  if (density === null) return classes;
  if (isArea(density.look)) return [shadesSection(app, cityMap, layer, density.look)];
  const first = density.look === "heat" ? heatSection(app, cityMap, layer) : densitySection(app, cityMap, layer);
  return [first, ...classes];
}

// Heat tells more from less, not how much: its ramp has words at its ends and no numbers.
function heatSection(app: App, cityMap: CityMap, layer: LayerDetail): HTMLElement {
  const roles = cityMap.roles();
  const ends = [app.t("heatLow"), app.t("heatHigh")];
  const ramp = h("div", { class: "ramp", role: "img", aria: { label: ends.join(" – ") } });
  ramp.style.setProperty("--ramp", [2, 3, 4, 5].map((step) => roles[`ramp${step}`]).join(","));
  return h(
    "section",
    { class: "density" },
    h(
      "header",
      {},
      h("h3", {}, app.t("heatOf", { layer: app.title(layer.title) })),
      h("span", { class: "unit" }, app.t("heatUnit")),
    ),
    ramp,
    h("div", { class: "ticks" }, ...ends.map((end) => h("span", {}, end))),
  );
}

function densitySection(app: App, cityMap: CityMap, layer: LayerDetail): HTMLElement {
  const { lang, palette } = app.store.get();
  const colours = layer.density.colours[palette] ?? [];
  const ramp = h("div", { class: "ramp", role: "img", aria: { label: layer.density.stops.join(" – ") } });
  ramp.style.setProperty("--ramp", colours.join(","));
  const compact = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB", { notation: "compact" });
  return h(
    "section",
    { class: "density" },
    h("header", {}, chooser(app, cityMap, layer), h("span", { class: "unit" }, app.title(layer.density.unit))),
    ramp,
    h("div", { class: "ticks" }, ...layer.density.stops.map((stop) => h("span", {}, compact.format(stop)))),
  );
}

/** Which layer's density is shown; a choice where several could be. */
function chooser(app: App, cityMap: CityMap, layer: LayerDetail): HTMLElement {
  const zoom = cityMap.map.getZoom();
  const others = app.city.layers.filter(
    (each) => app.store.get().layers.includes(each.name) && cellsBelow(each) > zoom,
  );
  if (others.length < 2) return h("h3", {}, app.t("densityOf", { layer: app.title(layer.title) }));
  const select = h(
    "select",
    { aria: { label: app.t("densityChoose") }, onchange: () => app.store.set({ density: select.value }) },
    ...others.map((each) =>
      h(
        "option",
        { value: each.name, selected: each.name === layer.name },
        app.t("densityOf", { layer: app.title(each.title) }),
      ),
    ),
  );
  return select;
}

// Layers that show records at every zoom have no cells.
const cellsBelow = (layer: LayerSummary): number => (hasCells(layer) ? layer.minzoom : 0);

function classSection(app: App, layer: LayerDetail, rows: readonly LegendRow[], asDensity: boolean): HTMLElement {
  const { conditions, hidden, lang } = app.store.get();
  // The counts are of all records: beside a map that shows some of them they would be wrong.
  const counts = toCql2(conditions[layer.name]) === null ? layer.counts : null;
  const off = hidden[layer.name] ?? [];
  const toggle = (value: string) => {
    const values = off.includes(value) ? off.filter((each) => each !== value) : [...off, value];
    app.store.set({ hidden: { ...hidden, [layer.name]: values } });
  };
  const point = (value: string | null) => {
    const column = layer.classes;
    app.store.set({ hovered: value === null || column === null ? null : { layer: layer.name, column, value } });
  };
  return h(
    "section",
    { class: asDensity ? "classes far" : "classes" },
    h("h3", { title: app.t("filterHint") }, app.title(layer.title)),
    h(
      "div",
      { class: "rows" },
      ...rows.map((row) => {
        const name = row.title ? app.title(row.title) : app.t("other");
        const count = row.value === null ? undefined : counts?.[row.value];
        const inside = [
          swatch(row),
          h("span", { class: "name" }, name),
          count === undefined ? null : h("span", { class: "count" }, number(lang, count)),
        ];
        const { value } = row;
        if (value === null) return asDensity ? null : h("div", { class: "class" }, ...inside);
        const pressed = String(!off.includes(value));
        return h(
          "button",
          {
            type: "button",
            class: "class",
            aria: { pressed },
            data: { class: `${layer.name}:${value}` },
            onclick: () => toggle(value),
            onpointerenter: () => point(value),
            onpointerleave: () => point(null),
            onfocus: () => point(value),
            onblur: () => point(null),
          },
          ...inside,
        );
      }),
    ),
  );
}
