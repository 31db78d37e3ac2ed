/** The panel of layers: grouped, counted, each with a switch. */
import type { Group, LayerSummary } from "../city/api.ts";
import { swatch } from "../map/facts.ts";
import { rasterGroup } from "../map/rasters.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { age, moment, number } from "../words/format.ts";

const GROUPS: readonly Group[] = ["area", "facility", "sensing", "emergency", "environment", "base"];

/** Draw the panel into an element and keep it so; `hasDensity` tells which layers are shown as cells from afar. */
export function layersPanel(element: HTMLElement, app: App, hasDensity: (name: string) => boolean): void {
  const { store, city } = app;

  const toggle = (layer: LayerSummary, on: boolean) => {
    const wanted = new Set(store.get().layers);
    if (on) wanted.add(layer.name);
    else wanted.delete(layer.name);
    const layers = city.layers.map((each) => each.name).filter((name) => wanted.has(name));
    store.set(on && hasDensity(layer.name) ? { layers, density: layer.name } : { layers });
  };

  const line = (layer: LayerSummary): HTMLElement => {
    const { lang, layers } = store.get();
    const updated = layer.updated === null ? app.t("updatedNever") : `${app.t("updated")} ${age(lang, layer.updated)}`;
    const box = h("input", {
      type: "checkbox",
      checked: layers.includes(layer.name),
      data: { layer: layer.name },
      onchange: () => toggle(layer, box.checked),
    });
    return h(
      "label",
      { class: "layer", title: `${app.title(layer.about)}\n${updated}` },
      box,
      h("span", { class: "name" }, app.title(layer.title)),
      single(app, layer),
      h("span", { class: "count" }, number(lang, layer.count)),
    );
  };

  // The panel reads from the top of the map down, as one looks at it.
  const downwards = [...city.layers].reverse();

  const draw = () => {
    const { layer, raster } = document.activeElement instanceof HTMLElement ? document.activeElement.dataset : {};
    const groups = GROUPS.map((group) => ({ group, members: downwards.filter((layer) => layer.group === group) }));
    fill(
      element,
      ...groups
        .filter(({ members }) => members.length > 0)
        .map(({ group, members }) => h("fieldset", {}, h("legend", {}, app.t(`group_${group}`)), ...members.map(line))),
      rasterGroup(app),
      city.layers.length === 0 && h("p", { class: "empty" }, app.t("noLayers")),
      dataAge(app),
    );
    const focused = layer ? `[data-layer="${CSS.escape(layer)}"]` : raster && `[data-raster="${CSS.escape(raster)}"]`;
    if (focused) element.querySelector<HTMLElement>(focused)?.focus();
  };
  store.on(["layers", "rasters", "lang", "palette"], draw);
  city.onNews(draw);
  for (const layer of city.layers) void city.detail(layer.name).then(draw, () => undefined);
  draw();
}

/** A layer of one colour needs no legend: its swatch stands in its line. */
function single(app: App, layer: LayerSummary): HTMLElement | null {
  const rows = app.city.known(layer.name)?.legend[app.store.get().palette] ?? [];
  const first = rows[0];
  return first && (rows.length === 1 || layer.group === "base") ? swatch(first) : null;
}

function dataAge(app: App): HTMLElement | null {
  const times = app.city.layers.flatMap((layer) => layer.updated ?? []);
  const latest = times.reduce((a, b) => (new Date(a) > new Date(b) ? a : b), times[0] ?? "");
  if (latest === "") return null;
  const ago = age(app.store.get().lang, latest);
  return h("p", { class: "age" }, `${app.t("updated")} `, h("time", { dateTime: latest, title: moment(latest) }, ago));
}
