/** The data clerk's page: bring a file, see what it is, set right what is wrong, load it, and take it back. */

import { loadCity } from "../city/city.ts";
import type { Places } from "../city/intake.ts";
import { may } from "../city/session.ts";
import { headTools } from "../desk/shell.ts";
import { createMap } from "../map/map.ts";
import { type App, createApp } from "../page/app.ts";
import { begin, langOfUrl, wayOut } from "../page/begin.ts";
import { fill, h } from "../page/dom.ts";
import { signIn } from "../page/signin.ts";
import { blank, createStore, fromFragment, type State, toFragment } from "../page/state.ts";
import { whyIn } from "../page/why.ts";
import { word } from "../words/i18n.ts";
import { deliveryView } from "./delivery.ts";
import type { Desk, Place } from "./desk.ts";
import { homeView } from "./home.ts";
import { KINDS, NO_PLACES, placesMap, ROLE_OF, SIGNS } from "./places.ts";
import { unsaved, uploadView } from "./upload.ts";
import "../page/theme.css";
import "./data.css";

const GROUND = ["county", "town", "road"];

const defaults = (): State => ({ ...blank(), layers: GROUND });

function placeFrom(fragment: string): Place {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  const upload = given.get("upload");
  if (upload !== null && /^[\w-]{24}$/.test(upload)) return { upload };
  const delivery = Number(given.get("delivery") ?? Number.NaN);
  return Number.isInteger(delivery) && delivery > 0 ? { delivery } : null;
}

function fragmentOf(place: Place, state: State): string {
  const kept = toFragment({ ...defaults(), palette: state.palette, lang: state.lang }, defaults());
  const own = place === null ? "" : "upload" in place ? `upload=${place.upload}` : `delivery=${place.delivery}`;
  return [own, kept].filter(Boolean).join("&");
}

async function start(root: HTMLElement): Promise<void> {
  const city = await loadCity();
  const given = fromFragment(location.hash, defaults());
  const here = GROUND.filter((name) => city.layer(name) !== undefined);
  const app = createApp(createStore({ ...given, layers: here, view: null, selected: null }), city);
  const head = h("header", { class: "title" });
  const wrong = h("p", { class: "complaint", role: "alert", hidden: true });
  const view = h("div", { class: "view" });
  const beside = h("aside", { class: "beside" });
  const ground = h("div", { class: "ground" });
  const keys = h("div", { class: "keys" });
  const foot = h("footer", { class: "strip" });
  fill(root, head, h("main", { class: "desk" }, wrong, view), beside, foot);
  beside.append(ground, keys);
  headTools(head, app, "data");
  drawFoot(foot, app);

  const mapped = createMap(ground, app, () => complain(app.t("tilesFailed"))).then((cityMap) => {
    const places = placesMap(cityMap);
    document.documentElement.dataset.ready = "true";
    window.__chengtu = { map: cityMap.map, ready: cityMap.ready };
    return places;
  });
  const complain = (text: string | null): void => {
    wrong.hidden = text === null;
    wrong.textContent = text ?? "";
  };
  // A file that is dropped beside the zone would take the place of the page.
  for (const event of ["dragover", "drop"]) addEventListener(event, (dropped) => dropped.preventDefault());
  addEventListener("beforeunload", (event) => {
    if (unsaved()) event.preventDefault();
  });
  let place = placeFrom(location.hash);
  let over = new AbortController();
  const open = (): void => {
    over.abort();
    over = new AbortController();
    complain(null);
    const desk: Desk = { app, go, show, only, complain };
    show(NO_PLACES);
    if (!may(app.city.who, "data.deliver")) fill(view, signInFirst(app));
    else if (place === null) homeView(view, desk, over.signal);
    else if ("upload" in place) uploadView(view, desk, place.upload, over.signal);
    else deliveryView(view, desk, place.delivery, over.signal);
    name();
  };
  const name = (): void => {
    const heading = view.querySelector<HTMLElement>("h2");
    document.title = `${heading?.textContent || app.t("dataTitle")} · ${app.t("brand")}`;
  };
  const go = (to: Place): void => {
    place = to;
    const fragment = fragmentOf(place, app.store.get());
    history.pushState(null, "", fragment === "" ? location.pathname : `#${fragment}`);
    open();
    document.querySelector(".desk")?.scrollTo(0, 0);
  };
  const show = (places: Places): void => {
    drawKeys(keys, app, places);
    void mapped.then((map) => map.show(places));
  };
  const only: Desk["only"] = (kind) => void mapped.then((map) => map.only(kind));
  for (const event of ["popstate", "hashchange"])
    addEventListener(event, () => {
      const { palette, lang } = fromFragment(location.hash, app.store.get());
      app.store.set({ palette, lang });
      place = placeFrom(location.hash);
      open();
    });
  app.store.on(["lang", "palette"], (state, before) => {
    history.replaceState(null, "", `#${fragmentOf(place, state)}`);
    if (state.lang === before.lang) return name();
    drawFoot(foot, app);
    open();
  });
  open();
  await mapped;
}

/** Whoever has not signed in, or may not bring data in, learns what this page is for, and what is missing. */
function signInFirst(app: App): HTMLElement {
  if (app.city.who.actor !== null)
    return h(
      "section",
      { class: "first" },
      h("h2", {}, app.t("peopleLacksRight")),
      h("p", {}, app.t("peopleLacksRightWhy", { right: "data.deliver" })),
    );
  return h(
    "section",
    { class: "first" },
    h("h2", {}, app.t("dataNeedsRight")),
    h("p", {}, app.t("dataNeedsRightWhy")),
    h("button", { type: "button", class: "primary", onclick: () => signIn(app) }, app.t("signIn")),
  );
}

function drawFoot(element: HTMLElement, app: App): void {
  const { city, basemap } = app.city;
  const base = basemap === null ? [] : [app.title(basemap.attribution), basemap.approval];
  const told = [app.t("brand"), app.title(city.attribution), city.mapApproval, ...base].filter(Boolean).join(" · ");
  const badge = h(
    "strong",
    { class: "badge", hidden: !city.synthetic, title: app.t("syntheticWhy") },
    app.t("synthetic"),
  );
  fill(element, badge, h("span", { class: "source", title: told }, told));
}

/** The signs on the map in words, and whether they are all. */
function drawKeys(element: HTMLElement, app: App, places: Places): void {
  const here = KINDS.filter((kind) => places.features.some((each) => each.properties.kind === kind));
  element.hidden = here.length === 0;
  const keys = here.map((kind) => {
    const sign = h("i", { class: "sign", aria: { hidden: "true" } }, SIGNS[kind]);
    const key = h("span", { class: "key" }, sign, app.t(`dataKind_${kind}`));
    key.style.setProperty("--kind", `var(--${ROLE_OF[kind]})`);
    return key;
  });
  fill(element, ...keys, places.truncated && h("span", { class: "hint" }, app.t("dataSample")));
}

/** Here the reason stands in place of the page. */
function unopened(root: HTMLElement, error: unknown): void {
  const lang = langOfUrl();
  const { name, act } = wayOut(error, () => location.reload());
  const button = h("button", { type: "button", class: "primary", onclick: act }, word(lang, name));
  fill(root, h("section", { class: "first", role: "alert" }, h("p", {}, whyIn(lang, error)), button));
}

begin(start, unopened);
