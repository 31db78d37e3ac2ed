/** Wires the parts of the page together. */

import { objectCard } from "../card/card.ts";
import { Refused, Unreachable } from "../city/api.ts";
import { type City, loadCity } from "../city/city.ts";
import { type Topic, topics } from "../city/topics.ts";
import { cameraViews } from "../map/cameras.ts";
import { cutNote } from "../map/cut.ts";
import { type CityMap, createMap } from "../map/map.ts";
import { type App, createApp } from "../page/app.ts";
import { banner, begin } from "../page/begin.ts";
import {
  blank,
  createStore,
  fromFragment,
  IN_URL,
  NOTHING_LOOSE,
  type State,
  type Store,
  toFragment,
} from "../page/state.ts";
import { why } from "../page/why.ts";
import { topicColumn } from "../panels/column.ts";
import { createDoors } from "../panels/doors.ts";
import { traceLines } from "../panels/highlight.ts";
import { recordsList } from "../panels/list.ts";
import { searchResults } from "../panels/results.ts";
import { arranged, change, topicChooser } from "../panels/topic.ts";
import { mapTools } from "../tools/bar.ts";
import { patrols } from "../video/patrol.ts";
import { followCity, type Parts } from "./follow.ts";
import { layersPanel } from "./layers.ts";
import { legendPanel } from "./legend.ts";
import { pointing } from "./pointing.ts";
import { inGroups, openHit, searchBox } from "./search.ts";
import { buildShell, footStrip, headTools, mapControls, panelSheet, type Shell, warning } from "./shell.ts";
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
import "../panels/panels.css";
import "../video/video.css";
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
  return { ...blank(), layers: first.length > 0 ? first : names, density: "component" };
}

/** What the URL says, and for all else what its topic does. */
function stateFromUrl(defaultsOf: (topic: string | null) => State): State {
  const { topic } = fromFragment(location.hash, defaultsOf(null));
  return fromFragment(location.hash, defaultsOf(topic));
}

/** Keep URL and state the same, whichever of them changes. */
function mirror(store: Store, defaultsOf: (topic: string | null) => State, follow: (state: State) => void): void {
  store.on(IN_URL, (state) => {
    const fragment = toFragment(state, defaultsOf(state.topic));
    window.history.replaceState(null, "", fragment === "" ? location.pathname : `#${fragment}`);
  });
  addEventListener("hashchange", () => {
    const state = stateFromUrl(defaultsOf);
    store.set({ ...NOTHING_LOOSE, ...state });
    follow(state);
  });
}

/** Topics that cannot be had are no reason to be without a map. */
function withoutTopics(error: unknown): Error {
  if (error instanceof Unreachable || error instanceof Refused || error instanceof SyntaxError) return error;
  throw error;
}

async function start(root: HTMLElement): Promise<void> {
  const [city, found] = await Promise.all([loadCity(), topics().catch(withoutTopics)]);
  const known = found instanceof Error ? [] : found;
  const plain = defaultsFor(city);
  const defaultsOf = (name: string | null) => {
    const topic = known.find((each) => each.name === name);
    return topic ? arranged(plain, topic) : { ...plain, topic: name };
  };
  const store = createStore(stateFromUrl(defaultsOf));
  const app = createApp(store, city);
  const shell = buildShell(root);
  headTools(shell.head, app, "map");
  panelSheet(shell, app);
  warning(shell.warning, app);
  // The map is of use without them; who wants them back loads the page, whose address still names the topic.
  if (found instanceof Error) {
    banner(store.get().lang, app.t("topicsFailed", { why: why(app, found) }), () => location.reload());
  }
  const over = new AbortController();
  const drawn = drawCity(shell, app, known, defaultsOf);
  followCity(app, drawn, liveSign(shell.live, app), over.signal);
  await drawn.catch((error: unknown) => {
    over.abort();
    throw error;
  });
}

async function drawCity(
  shell: Shell,
  app: App,
  known: readonly Topic[],
  defaultsOf: (topic: string | null) => State,
): Promise<Parts> {
  const { store } = app;
  const doors = createDoors(store, (layer) => defaultsOf(store.get().topic).conditions[layer]);
  const column = topicColumn(shell.topicPanels, app, known, doors);
  const failed = (again: () => void) => banner(store.get().lang, app.t("tilesFailed"), again);
  const cityMap = await createMap(shell.map, app, failed);
  const { map } = cityMap;
  layersPanel(shell.layers, app, cityMap);
  legendPanel(shell.legend, app, cityMap);
  const results = searchResults(shell.results, app, (hit) => openHit(app, cityMap, hit), inGroups);
  searchBox(shell.search, app, cityMap, results.show);
  mapControls(shell.controls, app, cityMap);
  footStrip(shell.foot, app, cityMap);
  const card = objectCard(shell.card, app, cityMap);
  pointing(shell.map, app, cityMap, card, column.columns);
  cameraViews(app, cityMap);
  traceLines(app, cityMap);
  cutNote(shell.cut, app, cityMap);
  mapTools(shell, app, cityMap);
  patrols(app, cityMap);

  topicChooser(shell.topic, app, known, (name) => {
    const wanted = defaultsOf(name);
    store.set(change(wanted));
    if (wanted.view) cityMap.goTo({ ...wanted.view });
  });
  const list = recordsList(shell.list, app, cityMap, doors.leave);

  mirror(store, defaultsOf, ({ view }) => {
    if (view) map.jumpTo({ center: [view.lon, view.lat], zoom: view.zoom });
    else cityMap.wholeCity();
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (!shell.card.hidden) {
      event.preventDefault(); // else the same key would close the question that closing may lead to
      card.close();
    } else if (!shell.results.hidden) results.close();
    else if (!shell.list.hidden) doors.leave();
  });
  window.__chengtu = { map, ready: cityMap.ready };
  void cityMap.ready.then(() => {
    document.documentElement.dataset.ready = "true";
  });
  const heard = (layer: string | null) => {
    column.changed(layer);
    list.changed(layer);
  };
  return { cityMap, card, heard };
}

begin(start);
