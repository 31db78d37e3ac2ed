/** How opaque a layer or a raster is drawn: a slider for it, kept in the state and so in the link. */
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";

export interface OpacitySlider {
  element: HTMLElement;
  /** The state changed. */
  update(): void;
}

/** `title` says of what, to those who hear it. */
export function opacitySlider(app: App, name: string, title: string): OpacitySlider {
  const { store } = app;
  const slider = h("input", { type: "range", min: "10", max: "100", step: "5", id: `opacity-${name}` });
  slider.setAttribute("aria-label", `${title} ${app.t("opacity")}`);
  const value = h("output", {});
  slider.oninput = () => {
    const { [name]: _, ...others } = store.get().opacity;
    const share = Number(slider.value) / 100;
    store.set({ opacity: share === 1 ? others : { ...others, [name]: share } });
  };
  return {
    element: h("div", { class: "layer-opacity" }, h("label", { htmlFor: slider.id }, app.t("opacity")), slider, value),
    update() {
      const share = Math.round((store.get().opacity[name] ?? 1) * 100);
      slider.value = String(share);
      value.textContent = `${share}%`;
    },
  };
}
