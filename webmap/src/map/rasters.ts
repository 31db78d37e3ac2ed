/** Rasters: their switches among the layers, and for each that is shown a legend with its unit. */
import type { Raster } from "../city/api.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { opacitySlider } from "./opacity.ts";

export interface RasterSwitches {
  /** The group of switches with their sliders; null in a city without rasters. */
  element(): HTMLElement | null;
  /** The state changed. */
  update(): void;
}

/** Elements stay while the language does: a slider that is being dragged is never taken away. */
export function rasterSwitches(app: App): RasterSwitches {
  const { store, city } = app;
  let told = "";
  let group: HTMLElement | null = null;
  let updates: (() => void)[] = [];
  const update = () => {
    for (const each of updates) each();
  };
  return {
    update,
    element() {
      const rasters = city.rasters();
      const key = [store.get().lang, ...rasters.map(({ name }) => name)].join();
      if (key !== told) {
        told = key;
        const lines = rasters.map((raster) => line(app, raster));
        updates = lines.map((each) => each.update);
        const parts = lines.flatMap((each) => each.parts);
        group = lines.length === 0 ? null : h("fieldset", {}, h("legend", {}, app.t("rasters")), ...parts);
      }
      update();
      return group;
    },
  };
}

function line(app: App, raster: Raster): { parts: HTMLElement[]; update(): void } {
  const { store, city } = app;
  const box = h("input", { type: "checkbox", data: { raster: raster.name } });
  box.onchange = () => {
    const on = (name: string) => (name === raster.name ? box.checked : store.get().rasters.includes(name));
    store.set({ rasters: city.rasters().flatMap(({ name }) => (on(name) ? [name] : [])) });
  };
  const label = h(
    "label",
    { class: "layer", title: `${app.title(raster.about)}\n${app.title(raster.attribution)}` },
    box,
    h("span", { class: "name" }, app.title(raster.title)),
  );
  const opacity = opacitySlider(app, raster.name, app.title(raster.title));
  return {
    parts: [label, opacity.element],
    update() {
      box.checked = store.get().rasters.includes(raster.name);
      opacity.element.hidden = !box.checked;
      opacity.update();
    },
  };
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
