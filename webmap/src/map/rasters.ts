/** Rasters: their switches among the layers, and for each that is shown a legend with its unit. */
import type { Raster } from "../city/api.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { number } from "../words/format.ts";

/** The group of switches; null in a city without rasters. */
export function rasterGroup(app: App): HTMLElement | null {
  const { store, city } = app;
  const rasters = city.rasters();
  if (rasters.length === 0) return null;
  const line = (raster: Raster): HTMLElement => {
    const box = h("input", {
      type: "checkbox",
      checked: store.get().rasters.includes(raster.name),
      data: { raster: raster.name },
      onchange: () => {
        const on = (name: string) => (name === raster.name ? box.checked : store.get().rasters.includes(name));
        store.set({ rasters: rasters.map((each) => each.name).filter(on) });
      },
    });
    return h(
      "label",
      { class: "layer", title: `${app.title(raster.about)}\n${app.title(raster.attribution)}` },
      box,
      h("span", { class: "name" }, app.title(raster.title)),
    );
  };
  return h("fieldset", {}, h("legend", {}, app.t("rasters")), ...rasters.map(line));
}

/** What the colours of the shown rasters mean. */
export function rasterLegends(app: App): HTMLElement[] {
  const { lang, rasters } = app.store.get();
  return app.city
    .rasters()
    .filter((raster) => rasters.includes(raster.name))
    .map((raster) => {
      const values = raster.legend.map(({ value }) => number(lang, value));
      const bar = h("div", { class: "ramp", role: "img", aria: { label: values.join(" – ") } });
      bar.style.setProperty("--ramp", colourStops(raster));
      const unit = [raster.unit, raster.synthetic && app.t("syntheticShort")].filter(Boolean).join(" · ");
      return h(
        "section",
        { class: raster.steps ? "density steps" : "density" },
        h("header", {}, h("h3", {}, app.title(raster.title)), h("span", { class: "unit" }, unit)),
        bar,
        h("div", { class: "ticks" }, ...values.map((value) => h("span", {}, value))),
        raster.least !== null && h("p", { class: "hint" }, app.t("leastShown", { n: number(lang, raster.least) })),
      );
    });
}

/** The colours side by side where they stand for classes, else blending into each other. */
export function colourStops({ legend, steps }: Pick<Raster, "legend" | "steps">): string {
  if (!steps) return legend.map(({ colour }) => colour).join(",");
  const share = 100 / legend.length;
  return legend.map(({ colour }, index) => `${colour} ${share * index}% ${share * (index + 1)}%`).join(",");
}
