/** A topic arranges the page: what the rest of the URL differs from, and the chooser in the head. */
import type { Topic } from "../city/topics.ts";
import type { App } from "../page/app.ts";
import { fill, h, icon } from "../page/dom.ts";
import type { State } from "../page/state.ts";

/** The state that a topic begins with; what it does not say is as on the plain page. */
export function arranged(plain: State, topic: Topic | null): State {
  if (topic === null) return plain;
  const each = <T>(of: (layer: Topic["layers"][number]) => T | undefined): Record<string, T> =>
    Object.fromEntries(topic.layers.flatMap((layer) => (of(layer) == null ? [] : [[layer.layer, of(layer) as T]])));
  return {
    ...plain,
    topic: topic.name,
    view: topic.view,
    layers: topic.layers.map(({ layer }) => layer),
    looks: each(({ look }) => (look === "symbol" ? undefined : look)),
    opacity: each(({ opacity }) => opacity),
    conditions: each(({ conditions }) => conditions),
    rasters: topic.rasters,
    density: topic.density,
  };
}

/** What choosing a topic changes: all but how one reads the page and what one has open. */
export function change(defaults: State): Partial<State> {
  const { topic, layers, looks, opacity, breaks, conditions, hidden, rasters, density } = defaults;
  return { topic, layers, looks, opacity, breaks, conditions, hidden, rasters, density, listed: null };
}

/** The chooser; `choose` is told the name, or null for none. Without topics there is no chooser. */
export function topicChooser(
  element: HTMLElement,
  app: App,
  topics: readonly Topic[],
  choose: (name: string | null) => void,
): void {
  element.hidden = topics.length === 0;
  const select = h("select", { id: "topic", onchange: () => choose(select.value === "" ? null : select.value) });
  fill(element, icon("topic"), select);
  const draw = () => {
    const { topic } = app.store.get();
    const known = topics.some(({ name }) => name === topic);
    select.setAttribute("aria-label", app.t("topic"));
    fill(
      select,
      h("option", { value: "" }, app.t("topicNone")),
      ...topics.map(({ name, title }) => h("option", { value: name }, app.title(title))),
      !known && topic !== null && h("option", { value: topic }, topic),
    );
    select.value = topic ?? "";
    select.title = topics.map(({ name, about }) => (name === topic ? app.title(about) : "")).join("");
  };
  app.store.on(["topic", "lang"], draw);
  draw();
}
