/** The panel of layers: those that are shown in their order from the top, then all others by group. */
import type { Group } from "../city/api.ts";
import type { CityMap } from "../map/map.ts";
import { rasterSwitches } from "../map/rasters.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { age, moment } from "../words/format.ts";
import { type Entry, layerEntry } from "./entry.ts";
import { moved } from "./order.ts";

const GROUPS: readonly Group[] = ["event", "area", "facility", "sensing", "emergency", "environment", "base"];

/** Draw the panel into an element and keep it so. */
export function layersPanel(element: HTMLElement, app: App, cityMap: CityMap): void {
  const { store, city } = app;
  const said = h("p", { class: "hidden-text", aria: { live: "polite" } });
  const shown = h("fieldset", { class: "shown" });
  const rest = h("div", {});
  const ordering = {
    entries: () => [...shown.querySelectorAll<HTMLElement>(":scope > .entry")],
    move(entry: HTMLElement, to: number) {
      const name = entry.dataset.entry ?? "";
      store.set({ layers: moved(store.get().layers, name, to, (each) => entries.has(each)) });
      const layer = city.layer(name);
      if (layer) {
        const values = { layer: app.title(layer.title), n: to + 1, of: ordering.entries().length };
        said.textContent = app.t("layerMoved", values);
      }
    },
  };
  const rasters = rasterSwitches(app);
  const entries = new Map<string, Entry>(
    city.layers.map((layer) => [layer.name, layerEntry(app, cityMap, layer, ordering)]),
  );

  // Elements stay as they are and only move: a slider that is being dragged is never taken away.
  const arrange = () => {
    const focused = document.activeElement;
    const { layers } = store.get();
    const on = [...layers].reverse().flatMap((name) => entries.get(name)?.element ?? []);
    const off = [...city.layers].reverse().filter(({ name }) => !layers.includes(name));
    for (const entry of entries.values()) entry.update();
    arranged(shown, [
      h("legend", {}, app.t("layersShown")),
      ...(on.length > 0 ? on : [h("p", { class: "empty" }, app.t("layersShownNone"))]),
    ]);
    const groups = GROUPS.map((group) => ({ group, members: off.filter((layer) => layer.group === group) }));
    fill(
      rest,
      ...groups
        .filter(({ members }) => members.length > 0)
        .map(({ group, members }) =>
          h(
            "fieldset",
            {},
            h("legend", {}, app.t(`group_${group}`)),
            ...members.flatMap(({ name }) => entries.get(name)?.element ?? []),
          ),
        ),
      rasters.element(),
      dataAge(app),
    );
    shown.hidden = city.layers.length === 0;
    if (focused instanceof HTMLElement) refocus(element, focused);
  };
  store.on(["layers", "rasters", "lang", "palette"], arrange);
  store.on(["looks", "opacity", "conditions", "listed"], () => {
    for (const entry of entries.values()) entry.update();
    rasters.update();
  });
  city.onNews(arrange);
  for (const layer of city.layers) void city.detail(layer.name).then(arrange, () => undefined);
  fill(element, shown, rest, city.layers.length === 0 && h("p", { class: "empty" }, app.t("noLayers")), said);
  arrange();
}

/** Put children in their order without taking out those that stand right already. */
function arranged(parent: HTMLElement, children: readonly HTMLElement[]): void {
  for (const gone of [...parent.children]) if (!children.includes(gone as HTMLElement)) gone.remove();
  for (const [at, child] of children.entries()) {
    if (parent.children[at] !== child) parent.insertBefore(child, parent.children[at] ?? null);
  }
}

/** What was focused is focused again where it went, or its like where it was made anew. */
function refocus(within: HTMLElement, focused: HTMLElement): void {
  if (document.activeElement === focused || document.activeElement !== document.body) return;
  if (focused.isConnected) {
    focused.focus({ preventScroll: true });
    return;
  }
  const { raster } = focused.dataset;
  if (raster) within.querySelector<HTMLElement>(`[data-raster="${CSS.escape(raster)}"]`)?.focus();
}

function dataAge(app: App): HTMLElement | null {
  const times = app.city.layers.flatMap((layer) => layer.updated ?? []);
  const latest = times.reduce((a, b) => (new Date(a) > new Date(b) ? a : b), times[0] ?? "");
  if (latest === "") return null;
  const ago = age(app.store.get().lang, latest);
  return h(
    "p",
    { class: "age" },
    `${app.t("updated")} `,
    h("time", { dateTime: latest, title: moment(app.store.get().lang, latest) }, ago),
  );
}
