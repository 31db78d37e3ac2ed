/** The parts of a wall: the map, a strip with what must stand under it, and a column of few words. */
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { timeOfDay } from "../words/format.ts";
import { layoutOf, type Scale, scaleOf, screenNow } from "./scale.ts";
import type { Setting } from "./setting.ts";
import { line } from "./text.ts";

export interface Shell {
  root: HTMLElement;
  map: HTMLElement;
  pulse: HTMLElement;
  title: HTMLElement;
  clock: HTMLElement;
  paused: HTMLElement;
  banner: HTMLElement;
  lanes: HTMLElement;
  /** Of the size of a lane, unseen: to measure in. */
  measure: HTMLElement;
  progress: HTMLElement;
  age: HTMLElement;
}

export function buildShell(root: HTMLElement, app: App): Shell {
  const pulse = h("div", { class: "pulse", hidden: true });
  const map = h("main", { class: "map" });
  const title = h("h1", {});
  const clock = h("time", { class: "clock latin" });
  const paused = h("p", { class: "paused", role: "status" });
  const banner = h("div", { class: "wall-banner", role: "alert", hidden: true });
  const lanes = h("div", { class: "lanes" });
  const measure = h("div", { class: "lane measure", aria: { hidden: "true" } });
  const bar = h("span");
  const progress = h("div", { class: "progress", aria: { hidden: "true" } }, bar);
  const age = h("p", { class: "age" });
  const { city, basemap } = app.city;
  const told = [app.title(city.attribution), basemap && app.title(basemap.attribution)].filter(Boolean).join(" · ");
  const approvals = [city.mapApproval, basemap?.approval].filter(Boolean).join(" · ");
  fill(
    root,
    h("div", { class: "stage" }, map, pulse),
    h("footer", { class: "strip" }, line("", told)),
    h(
      "aside",
      { class: "column" },
      h("header", {}, title, clock, paused),
      progress,
      banner,
      h("div", { class: "body" }, lanes, measure),
      h("div", { class: "end" }, age, approvals !== "" && line("approval", approvals)),
    ),
  );
  return { root, map, pulse, title, clock, paused, banner, lanes, measure, progress: bar, age };
}

/** Set the sizes of type and the layout for this screen, and again whenever it is another. */
export function sized({ root }: Shell, { inches, far_m, lang }: Setting, changed: () => void): () => Scale {
  const read = (): Scale => {
    const scale = scaleOf(screenNow(inches), far_m);
    // Without Han characters there is but one size.
    return lang === "zh" ? scale : { ...scale, han: scale.latin };
  };
  const set = () => {
    const scale = read();
    const { strip, lane, lanes } = layoutOf(scale, innerWidth, innerHeight);
    const sizes = { han: scale.han, latin: scale.latin, figure: scale.figure, strip, lane };
    for (const [name, px] of Object.entries(sizes)) root.style.setProperty(`--${name}`, `${px}px`);
    root.style.setProperty("--lanes", String(lanes));
    root.dataset.lanes = String(lanes);
    changed();
  };
  set();
  let due = 0;
  addEventListener("resize", () => {
    clearTimeout(due);
    due = window.setTimeout(set, 200);
  });
  return read;
}

/** "14:03". */
export const hour = (ms: number): string => timeOfDay(new Date(ms).toISOString());

/** One line after the other, the first of them strong; nothing hides the element. */
export function say(element: HTMLElement, lines: readonly string[]): void {
  const text = lines.join("\n");
  element.hidden = lines.length === 0;
  if (element.dataset.text === text) return; // it is read out when it changes, and only then
  element.dataset.text = text;
  fill(element, ...lines.map((each, index) => line(index === 0 ? "strong" : "", each)));
}
