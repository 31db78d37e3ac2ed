/** Coordinates under the pointer, in the frame of one's choice. */
import type { Map as MapLibre } from "maplibre-gl";
import { FRAMES, type Frame, meantFor, written } from "../city/frames.ts";
import type { App } from "../page/app.ts";
import { h } from "../page/dom.ts";
import type { Word } from "../words/i18n.ts";

const NAMES: Record<Frame, Word> = {
  "EPSG:4326": "frame_4326",
  "EPSG:4490": "frame_4490",
  "EPSG:4549": "frame_4549",
  "EPSG:4550": "frame_4550",
  "GCJ-02": "frame_gcj",
  "BD-09": "frame_bd",
};

export const frameName = (app: App, frame: Frame): string => app.t(NAMES[frame]);

/** A choice of frames; all of them on the page say and set the same. */
export function frameSelect(app: App): HTMLSelectElement {
  const select = h(
    "select",
    {
      class: "frame",
      aria: { label: app.t("frame") },
      onchange: () => app.store.set({ frame: select.value as Frame }),
    },
    ...FRAMES.map((frame) =>
      h("option", { value: frame, selected: frame === app.store.get().frame }, app.t(NAMES[frame])),
    ),
  );
  return select;
}

/** Keep an element saying where the pointer is; where there is none (a touch screen), where the centre is. */
export function pointerReadout(element: HTMLElement, app: App, map: MapLibre): void {
  const output = h("output", { class: "figures-text" });
  let at = map.getCenter();
  const say = () => {
    const { frame } = app.store.get();
    const fits = meantFor(frame, at.lng);
    output.textContent = written(frame, at.lng, at.lat);
    output.classList.toggle("doubtful", !fits);
    output.title = fits ? app.t("pointer") : app.t("outsideFrame");
  };
  const draw = () => {
    element.replaceChildren(output, frameSelect(app));
    say();
  };
  map.on("mousemove", (event) => {
    at = event.lngLat;
    say();
  });
  map.on("move", () => {
    at = map.getCenter();
    say();
  });
  app.store.on(["frame", "lang"], draw);
  draw();
}
