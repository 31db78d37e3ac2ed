/** Wires the parts of the page together. */

import { objectCard } from "../card/card.ts";
import { Refused, Unreachable } from "../city/api.ts";
import { type City, loadCity } from "../city/city.ts";
import { cameraViews } from "../map/cameras.ts";
import { cutNote } from "../map/cut.ts";
import { type CityMap, createMap } from "../map/map.ts";
import { type App, createApp, reason } from "../page/app.ts";
import { installFonts } from "../page/fonts.ts";
import { createStore, fromFragment, IN_URL, type State, type Store, toFragment } from "../page/state.ts";
import { mapTools } from "../tools/bar.ts";
import { word } from "../words/i18n.ts";
import { followCity, type Parts } from "./follow.ts";
import { layersPanel } from "./layers.ts";
import { legendPanel } from "./legend.ts";
import { pointing } from "./pointing.ts";
import { searchBox } from "./search.ts";
import { banner, buildShell, footStrip, headTools, mapControls, panelSheet, type Shell, warning } from "./shell.ts";
import { liveSign } from "./sign.ts";
// In this order: the rules for phones come last.
import "../page/theme.css";
import "./page.css";
import "./panels.css";
import "../card/card.css";
import "../card/form.css";
import "./looks.css";
import "../card/stack.css";
import "../tools/tools.css";
import "./phone.css";

declare global {
  interface Window {
    /** For tests: the map, and a promise that settles at its first idle. */
    __chengtu?: { map: CityMap["map"]; ready: Promise<void> };
  }
}

const SHOWN_FIRST = ["county", "town", "road", "component", "place"];

function defaultsFor(city: City | null): State {
  const names = city?.layers.map((layer) => layer.name) ?? [];
  const first = names.filter((name) => SHOWN_FIRST.includes(name));
  return {
    topic: null,
    view: null,
    layers: first.length > 0 ? first : names,
    looks: {},
    opacity: {},
    breaks: "quantile",
    conditions: {},
    listed: null,
    hidden: {},
    rasters: [],
    density: "component",
    palette: matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark",
    lang: "zh",
    frame: "EPSG:4326",
    selected: null,
    hovered: null,
  };
}

/** Keep URL and state the same, whichever of them changes. */
function mirror(store: Store, defaults: State, follow: (state: State) => void): void {
  store.on(IN_URL, (state) => {
    const fragment = toFragment(state, defaults);
    window.history.replaceState(null, "", fragment === "" ? location.pathname : `#${fragment}`);
  });
  addEventListener("hashchange", () => {
    const state = fromFragment(location.hash, defaults);
    store.set({ marks: undefined, ...state });
    follow(state);
  });
}

async function start(root: HTMLElement): Promise<void> {
  const city = await loadCity();
  const defaults = defaultsFor(city);
  const store = createStore(fromFragment(location.hash, defaults));
  const app = createApp(store, city);
  const shell = buildShell(root);
  headTools(shell.head, app);
  panelSheet(shell, app);
  warning(shell.warning, app);
  const over = new AbortController();
  const drawn = drawCity(shell, app, defaults);
  followCity(app, drawn, liveSign(shell.live, app), over.signal);
  await drawn.catch((error: unknown) => {
    over.abort();
    throw error;
  });
}

async function drawCity(shell: Shell, app: App, defaults: State): Promise<Parts> {
  const { store } = app;
  const failed = (again: () => void) => banner(store.get().lang, app.t("tilesFailed"), again);
  const cityMap = await createMap(shell.map, app, failed);
  const { map } = cityMap;
  layersPanel(shell.layers, app, cityMap);
  legendPanel(shell.legend, app, cityMap);
  searchBox(shell.search, app, cityMap);
  mapControls(shell.controls, app, cityMap);
  footStrip(shell.foot, app, cityMap);
  const card = objectCard(shell.card, app, cityMap);
  pointing(shell.map, app, cityMap, card);
  cameraViews(app, cityMap);
  cutNote(shell.cut, app, cityMap);
  mapTools(shell, app, cityMap);

  mirror(store, defaults, ({ view }) => {
    if (view) map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom });
    else cityMap.wholeCity();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || shell.card.hidden || document.querySelector("dialog[open]")) return;
    event.preventDefault(); // else the same key would close the question that closing may lead to
    card.close();
  });
  window.__chengtu = { map, ready: cityMap.ready };
  void cityMap.ready.then(() => {
    document.documentElement.dataset.ready = "true";
  });
  return { cityMap, card };
}

function begin(): void {
  const root = document.querySelector<HTMLElement>("#app");
  if (root === null) throw new TypeError("the page has no #app");
  start(root).catch((error: unknown) => {
    const { lang } = fromFragment(location.hash, defaultsFor(null));
    const why = error instanceof Unreachable ? word(lang, "unreachable") : word(lang, "failed", { why: reason(error) });
    banner(lang, why, begin);
    if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
  });
}

installFonts();
begin();
