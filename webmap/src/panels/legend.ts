/** A legend to look at: the classes of the layers that are shown, as swatches, and the ramp of the one density. */
import type { LayerDetail } from "../city/api.ts";
import { swatch } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";

/** Of the layers that are shown now; those whose details have not arrived are left out. */
export function drawLegend(app: App): HTMLElement {
  const { layers, density } = app.store.get();
  const known = [...layers].reverse().flatMap((name) => app.city.known(name) ?? []);
  const dense = known.find(({ name }) => name === density);
  const others = known.filter(({ group }) => group !== "base");
  return h(
    "div",
    { class: "legend-shown" },
    dense ? ramp(app, dense) : null,
    ...others.map((layer) => classes(app, layer)),
  );
}

function ramp(app: App, layer: LayerDetail): HTMLElement {
  const { palette, lang } = app.store.get();
  const band = h("div", { class: "ramp" });
  band.style.setProperty("--ramp", (layer.density.colours[palette] ?? []).join(","));
  const compact = new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB", { notation: "compact" });
  return h(
    "section",
    {},
    h(
      "p",
      {},
      app.t("densityOf", { layer: app.title(layer.title) }),
      " ",
      h("span", { class: "unit" }, app.title(layer.density.unit)),
    ),
    band,
    h("div", { class: "ticks" }, ...layer.density.stops.map((stop) => h("span", {}, compact.format(stop)))),
  );
}

function classes(app: App, layer: LayerDetail): HTMLElement {
  const rows = layer.legend[app.store.get().palette] ?? [];
  const named = rows.filter(({ title }) => title !== undefined);
  const shown = named.length > 1 ? named : rows.slice(0, 1);
  return h(
    "section",
    {},
    ...shown.map((row) =>
      h(
        "p",
        { class: "key" },
        swatch(row),
        h("span", {}, app.title(named.length > 1 && row.title ? row.title : layer.title)),
      ),
    ),
  );
}
