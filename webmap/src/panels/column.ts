/** The panels of the chosen topic in a column beside the map, or on a phone in a sheet from below. */
import type { Topic } from "../city/topics.ts";
import { type App, narrow } from "../page/app.ts";
import { fill, h, keepingFocus } from "../page/dom.ts";
import type { Doors } from "./doors.ts";
import { doorColumns, lightDoors } from "./drawing.ts";
import { type Keeper, keepPanels, type Reading, UNHEARD } from "./keep.ts";
import { drawPanel } from "./panel.ts";
import { reportButtons } from "./report.ts";

export interface Column {
  /** Records of a layer changed (null: of any). */
  changed(layer: string | null): void;
  /** By layer, the columns that the figures now shown tell apart. */
  columns(): Map<string, Set<string>>;
}

const AGES_MS = 20_000;

/** Keep the column in an element: whichever topic is chosen, its panels. */
export function topicColumn(element: HTMLElement, app: App, topics: readonly Topic[], doors: Doors): Column {
  const { store } = app;
  const body = h("div", { class: "tiles", id: "tiles", tabIndex: -1 });
  const handle = h("button", { type: "button", class: "handle", aria: { controls: "tiles" } });
  let keeper: Keeper | null = null;
  let over = new AbortController();
  let redraw: () => void = () => undefined;

  const open = (on: boolean) => {
    element.classList.toggle("open", on);
    handle.setAttribute("aria-expanded", String(on));
  };
  const show = (topic: Topic) => {
    const explained = new Set<string>();
    const slots = topic.panels.map(() => h("div", { class: "slot" }));
    const readings: Reading[] = [];
    const draw = (index: number, reading: Reading) => {
      readings[index] = reading;
      const [panel, slot] = [topic.panels[index], slots[index]];
      // The legend stands under the layers already, where its classes can be switched off.
      if (panel === undefined || slot === undefined || panel.kind === "legend") return;
      const key = `panel-${index}`;
      const now = Date.now();
      const again = () => keeper?.again();
      const framing = { key, scale: 1, doors, explained, refresh_s: topic.refresh_s, now, again };
      keepingFocus(slot, () => fill(slot, drawPanel(app, panel, reading, framing)));
      lightDoors(slot, app, doors);
    };
    redraw = () => {
      for (const [index, reading] of readings.entries()) if (reading) draw(index, reading);
    };
    const report = topic.panels.length > 0 && reportButtons(app, { topic: topic.name }, topic.name);
    fill(body, h("h2", { class: "hidden-text" }, app.title(topic.title)), ...slots, report);
    for (const index of topic.panels.keys()) draw(index, UNHEARD);
    keeper = keepPanels(topic, draw, over.signal);
    const ages = window.setInterval(redraw, AGES_MS);
    over.signal.addEventListener("abort", () => clearInterval(ages), { once: true });
  };
  const follow = () => {
    over.abort();
    over = new AbortController();
    keeper = null;
    redraw = () => undefined;
    const { topic: name } = store.get();
    const topic = topics.find((each) => each.name === name);
    element.hidden = name === null;
    document.documentElement.classList.toggle("with-topic", name !== null);
    if (topic) show(topic);
    // A server without topics (or one that did not tell them) says so elsewhere: this one may well be there.
    else
      fill(
        body,
        name !== null && h("p", { class: "empty" }, app.t(topics.length > 0 ? "topicGone" : "topicsNone", { name })),
      );
    fill(handle, app.t("figures"));
  };
  element.append(handle, body);
  handle.onclick = () => open(!element.classList.contains("open"));
  store.on(["topic"], follow);
  store.on(["lang"], follow);
  store.on(["palette"], () => redraw());
  store.on(["hovered", "conditions", "listed"], () => lightDoors(body, app, doors));
  store.on(["selected", "listed"], ({ selected, listed }) => narrow.matches && (selected || listed) && open(false));
  narrow.addEventListener("change", () => open(!narrow.matches));
  open(!narrow.matches);
  follow();
  return { changed: (layer) => keeper?.changed(layer), columns: () => doorColumns(body) };
}
