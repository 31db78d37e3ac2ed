/** The page around the map: its parts, the tools in the head, the strip at the foot, and what went wrong. */
import { ScaleControl } from "maplibre-gl";
import { may } from "../city/session.ts";
import { pointerReadout } from "../map/coordinates.ts";
import type { CityMap } from "../map/map.ts";
import { type App, narrow } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { exercisesDialog, OPENS } from "../page/exercises.ts";
import { noticeBell } from "../page/notices.ts";
import { caseLink, type PageName, pageLinks } from "../page/pages.ts";
import { atTheDoor, doorName } from "../page/signin.ts";
import type { Lang } from "../words/i18n.ts";

export interface Shell {
  map: HTMLElement;
  head: HTMLElement;
  topic: HTMLElement;
  search: HTMLElement;
  panel: HTMLElement;
  layers: HTMLElement;
  legend: HTMLElement;
  /** Records or search results, in the place of the layers. */
  list: HTMLElement;
  results: HTMLElement;
  card: HTMLElement;
  /** The panels of the chosen topic. */
  topicPanels: HTMLElement;
  controls: HTMLElement;
  /** What the map must never be seen without. */
  warning: HTMLElement;
  cut: HTMLElement;
  live: HTMLElement;
  foot: HTMLElement;
}

/** The page's parts, empty, in the order in which the keyboard visits them. */
export function buildShell(root: HTMLElement): Shell {
  const head = h("div", { class: "title" });
  const topic = h("div", { class: "topic", hidden: true });
  const search = h("div", { class: "search", role: "search" });
  const list = h("section", { class: "list", hidden: true, aria: { labelledby: "list-title" } });
  const layers = h("div", { class: "layers" });
  const legend = h("div", { class: "legend", hidden: true });
  const results = h("section", { class: "list", hidden: true, aria: { labelledby: "results-title" } });
  const panel = h("div", { class: "panel" });
  const card = h("article", { class: "card", hidden: true, aria: { labelledby: "card-title" }, data: { covers: "" } });
  const topicPanels = h("aside", { class: "topic-panels", hidden: true, data: { covers: "" } });
  const controls = h("div", { class: "controls" });
  const map = h("main", { class: "map" });
  const foot = h("footer", { class: "foot" });
  const warning = h("p", { class: "notice warning", role: "note" });
  const cut = h("p", { class: "notice", aria: { live: "polite" } });
  const notices = h("div", { class: "notices" }, warning, cut);
  const live = h("span", { class: "live", role: "status" });
  const top = h("header", { class: "head", data: { covers: "" } }, head, topic, search);
  fill(
    root,
    h("div", { class: "left", data: { covers: "" } }, top, list, results, panel),
    map,
    notices,
    controls,
    card,
    topicPanels,
    foot,
  );
  foot.append(live);
  return {
    map,
    head,
    topic,
    search,
    panel,
    layers,
    legend,
    list,
    results,
    card,
    topicPanels,
    controls,
    warning,
    cut,
    live,
    foot,
  };
}

/** The head: whose map it is, the switches of language, palette and sign-in, and the way to the other pages. */
export function headTools(element: HTMLElement, app: App, here: PageName): void {
  const { store, city } = app;
  const bell = noticeBell(app, { href: (id) => caseLink(app, id) });
  const draw = () => {
    const { lang, palette } = store.get();
    const dark = palette === "dark";
    const other: Lang = lang === "zh" ? "en" : "zh";
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    document.title = `${app.title(city.city.title)} · ${app.t("brand")}`;
    const key = iconButton("key", doorName(app), () => atTheDoor(app));
    key.classList.toggle("on", city.who.actor !== null);
    fill(
      element,
      h("h1", {}, app.title(city.city.title)),
      h(
        "button",
        {
          type: "button",
          class: "icon-button",
          title: app.t("toOther"),
          // What is seen is a part of what is heard, so that who speaks to the browser can say what they see.
          aria: { label: `${app.t("otherLang")} ${app.t("toOther")}` },
          onclick: () => store.set({ lang: other }),
        },
        app.t("otherLang"),
      ),
      iconButton(dark ? "sun" : "moon", app.t(dark ? "toLight" : "toDark"), () =>
        store.set({ palette: dark ? "light" : "dark" }),
      ),
      may(city.who, OPENS) && iconButton("drill", app.t("exTitle"), () => exercisesDialog(app)),
      bell,
      key,
      pageLinks(app, here),
    );
  };
  store.on(["lang", "palette"], draw);
  draw();
}

/** Layers and legend: a column on a desk, a sheet that opens upwards on a phone. */
export function panelSheet({ panel, layers, legend }: Shell, app: App): void {
  const body = h("div", { class: "sheet", id: "sheet" }, layers, legend);
  const handle = h("button", { type: "button", class: "handle", aria: { controls: "sheet" } });
  const open = (on: boolean) => {
    panel.classList.toggle("open", on);
    handle.setAttribute("aria-expanded", String(on));
  };
  const name = () => {
    const { layers: shown } = app.store.get();
    fill(handle, app.t("layers"), h("span", { class: "count" }, String(shown.length)));
  };
  handle.onclick = () => open(!panel.classList.contains("open"));
  app.store.on(["layers", "lang"], name);
  // On a phone there is room for one sheet.
  app.store.on(["selected", "listed"], ({ selected, listed }) => {
    if (narrow.matches && (selected || listed)) open(false);
  });
  name();
  open(!narrow.matches);
  narrow.addEventListener("change", () => open(!narrow.matches));
  panel.append(handle, body);
}

export function mapControls(element: HTMLElement, app: App, cityMap: CityMap): void {
  const draw = () =>
    fill(
      element,
      iconButton("plus", app.t("zoomIn"), () => cityMap.map.zoomIn()),
      iconButton("minus", app.t("zoomOut"), () => cityMap.map.zoomOut()),
      iconButton("home", app.t("wholeCity"), () => cityMap.wholeCity()),
    );
  app.store.on(["lang"], draw);
  draw();
}

/** The strip at the foot: what kind of data this is, whose, the scale and the coordinates. */
export function footStrip(element: HTMLElement, app: App, cityMap: CityMap): void {
  const { city, basemap } = app.city;
  const scale = new ScaleControl({ maxWidth: 96, unit: "metric" }).onAdd(cityMap.map);
  const badge = h("strong", { class: "badge", hidden: !city.synthetic });
  const source = h("span", { class: "source" });
  const readout = h("div", { class: "readout" });
  element.prepend(badge, source);
  element.append(scale, readout);
  pointerReadout(readout, app, cityMap.map);
  const draw = () => {
    badge.textContent = app.t("synthetic");
    badge.title = app.t("syntheticWhy");
    const base = basemap === null ? [] : [app.title(basemap.attribution), basemap.approval];
    const told = [app.t("brand"), app.title(city.attribution), city.mapApproval, ...base].filter(Boolean).join(" · ");
    source.textContent = told;
    source.title = told;
  };
  app.store.on(["lang"], draw);
  draw();
}

/** What is wrong with the base map, for as long as it is drawn. */
export function warning(element: HTMLElement, app: App): void {
  const text = app.city.basemap?.warning ?? null;
  const draw = () => {
    element.textContent = text === null ? "" : app.title(text);
  };
  app.store.on(["lang"], draw);
  draw();
}
