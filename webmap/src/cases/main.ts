/** The desk of dispatchers and departments: queue, map, case and call side by side, kept as the city is. */

import { loadCity } from "../city/city.ts";
import { departments } from "../city/departments.ts";
import { lines } from "../city/hotline.ts";
import { rules } from "../city/incidents.ts";
import { headTools } from "../desk/shell.ts";
import { createMap } from "../map/map.ts";
import { type App, createApp } from "../page/app.ts";
import { banner, begin, langOfUrl, wayOut } from "../page/begin.ts";
import { fill, h } from "../page/dom.ts";
import { signIn } from "../page/signin.ts";
import { blank, createStore, fromFragment, type State } from "../page/state.ts";
import { whyIn } from "../page/why.ts";
import { word } from "../words/i18n.ts";
import type { Bench } from "./bench.ts";
import { deskOf } from "./desk.ts";
import { layOut, type Places } from "./layout.ts";
import { homeOf, type Place, placeFrom, placeText } from "./place.ts";
// In this order: the page's own rules come last.
import "../page/theme.css";
import "../desk/page.css";
import "./cases.css";

const GROUND = ["county", "town", "road"];
const SAID_MS = 8_000;

async function start(root: HTMLElement): Promise<void> {
  const city = await loadCity();
  const here = [...GROUND, "incident"].filter((name) => city.layer(name) !== undefined);
  const given = fromFragment(location.hash, { ...blank(), layers: here });
  const state: State = { ...given, layers: here, view: null, selected: null, conditions: {}, looks: {} };
  const app = createApp(createStore(state), city);
  const places = layOut(root, app);
  headTools(places.head, app, "cases");
  titled(app);
  if (city.layer("incident") === undefined) {
    root.dataset.view = "queue";
    fill(places.queue, signInFirst(app));
    app.store.on(["lang"], () => fill(places.queue, signInFirst(app)));
  }
  const failed = (again: () => void) => banner(app.store.get().lang, app.t("tilesFailed"), again);
  const cityMap = await createMap(places.map, app, failed);
  window.__chengtu = { map: cityMap.map, ready: cityMap.ready };
  void cityMap.ready.then(() => {
    document.documentElement.dataset.ready = "true";
  });
  if (city.layer("incident") === undefined) return;
  const [layer, known, table, called] = await Promise.all([city.detail("incident"), departments(), rules(), lines()]);
  const bench = benchOf(app, places, { layer, departments: known.departments, rules: table });
  deskOf(bench, places, cityMap, called.lines);
}

/** What the parts share; `go` keeps the URL, and tells them by an event of the page. */
function benchOf(app: App, places: Places, known: Pick<Bench, "layer" | "departments" | "rules">): Bench {
  const home = homeOf(app.city.who);
  let place = placeFrom(location.hash, home);
  let said = 0;
  const told = new Set<(now: Place, before: Place) => void>();
  const turn = (to: Place): void => {
    const before = place;
    place = to;
    for (const listener of told) listener(place, before);
  };
  const fragment = (): string => {
    const { lang, palette } = app.store.get();
    const own = placeText(place);
    return `#${[own, `lang=${lang}`, `palette=${palette}`].filter(Boolean).join("&")}`;
  };
  for (const event of ["popstate", "hashchange"])
    addEventListener(event, () => {
      const { palette, lang } = fromFragment(location.hash, app.store.get());
      app.store.set({ palette, lang });
      turn(placeFrom(location.hash, home));
    });
  app.store.on(["lang", "palette"], () => history.replaceState(null, "", fragment()));
  return {
    app,
    ...known,
    place: () => place,
    onPlace: (listener) => void told.add(listener),
    go(to) {
      const before = place;
      const next = { ...place, ...to };
      if (placeText(next) === placeText(before)) return;
      place = next;
      const address = fragment();
      place = before;
      // Going back leads from case to case and from queue to queue, not through every letter of a search.
      if (next.beside !== before.beside || next.tab !== before.tab) history.pushState(null, "", address);
      else history.replaceState(null, "", address);
      turn(next);
    },
    say(text) {
      places.said.textContent = text;
      clearTimeout(said);
      said = window.setTimeout(() => {
        places.said.textContent = "";
      }, SAID_MS);
    },
    complain(text) {
      places.wrong.hidden = text === null;
      places.wrong.textContent = text ?? "";
    },
  };
}

function titled(app: App): void {
  const name = (): void => {
    document.title = `${app.t("caseTitle")} · ${app.title(app.city.city.title)} · ${app.t("brand")}`;
  };
  app.store.on(["lang", "palette"], name);
  name();
}

/** Whoever has not signed in learns what this page is for, and what is missing. */
function signInFirst(app: App): HTMLElement {
  return h(
    "section",
    { class: "first" },
    h("h2", {}, app.t("caseNeedsRight")),
    h("p", {}, app.t("caseNeedsRightWhy")),
    h("button", { type: "button", class: "primary", onclick: () => signIn(app) }, app.t("signIn")),
  );
}

/** Here the reason stands in place of the page. */
function unopened(root: HTMLElement, error: unknown, again: () => void): void {
  const lang = langOfUrl();
  const { name, act } = wayOut(error, again);
  const button = h("button", { type: "button", class: "primary", onclick: act }, word(lang, name));
  fill(root, h("section", { class: "first", role: "alert" }, h("p", {}, whyIn(lang, error)), button));
}

begin(start, unopened);
