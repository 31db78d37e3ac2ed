/** The patrol: cameras in a grid of pictures, a screenful after another, those in turn lit on the map. */

import * as items from "../city/items.ts";
import { type Links, links as linksOf, type Site, sites as sitesOf } from "../city/video.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { kept } from "../tools/written.ts";
import { type Picture, pictureOf } from "./picture.ts";
import { choice } from "./tool.ts";
import { openCamera } from "./viewer.ts";
import { wedgesOn } from "./wedges.ts";
import * as written from "./written.ts";

const MOST_SEEING = 100;

/** Keep a patrol on the page for as long as the store names one. */
export function patrols(app: App, cityMap: CityMap): void {
  const { store } = app;
  let running: { from: string; end(): void; change(patrol: written.Patrol): void } | null = null;
  const follow = (anew = false) => {
    const patrol = written.readPatrol(store.get().patrol);
    if (patrol !== null && !anew && running?.from === patrol.from) {
      running.change(patrol);
      return;
    }
    running?.end();
    running = patrol === null ? null : { from: patrol.from, ...run(app, cityMap, patrol) };
  };
  store.on(["patrol"], () => follow());
  store.on(["lang"], () => follow(true));
  follow();
}

interface Found {
  sites: Site[];
  more: boolean;
}

/** The cameras that a patrol goes to. */
async function found(app: App, from: string, signal: AbortSignal): Promise<Found> {
  const state = app.store.get();
  const at = from === "sight" ? written.readSpot(state.sight) : null;
  if (at !== null) {
    const { cameras, truncated } = await items.sight(at, MOST_SEEING, signal);
    return { sites: cameras, more: truncated };
  }
  const filter = written.filterOf(from, state, written.drawnAreas(kept(state.marks ?? null)));
  if (filter === undefined) return { sites: [], more: false };
  const { sites, more } = await sitesOf(filter, written.MOST_SITES, signal);
  const picked = from === "picked";
  return { sites: picked ? written.inOrder(sites, written.readPicked(state.picked)) : written.walked(sites), more };
}

function run(app: App, cityMap: CityMap, given: written.Patrol) {
  const { store } = app;
  const pending = new AbortController();
  const wedges = wedgesOn(cityMap, "patrol");
  const came = document.activeElement;
  let patrol = given;
  let sites: Site[] = [];
  let links: Links = { picture: null, stream: null };
  let pictures: Picture[] = [];
  let at = 0;
  let paused = false;
  let due: ReturnType<typeof setTimeout> | undefined;

  const title = h("h2", { tabIndex: -1, id: "patrol-title" }, app.t("patrol"));
  const count = h("span", { class: "count" });
  const broken = h("span", { class: "broken", role: "status" });
  const tools = h("div", { class: "patrol-tools" });
  const grid = h("div", { class: "pictures" });
  const note = h("p", { class: "hint" });
  const element = h(
    "section",
    { class: "patrol", role: "region", aria: { labelledby: "patrol-title" }, data: { covers: "" } },
    h("header", {}, title, count, broken, tools),
    grid,
    h("footer", {}, note, h("p", { class: "hint keys" }, app.t("patrolKeys"))),
  );

  const screen = () => sites.slice(at, at + patrol.size);
  const wait = () => {
    clearTimeout(due);
    if (!paused && sites.length > patrol.size) due = setTimeout(() => step(1), patrol.seconds * 1000);
  };
  const step = (by: 1 | -1) => {
    // Nobody watches a hidden page: the platform is not asked for pictures that are not seen.
    if (!document.hidden) {
      at = written.turned(at, by, { size: patrol.size, total: sites.length });
      show();
    }
    wait();
  };
  const play = (on: boolean) => {
    paused = !on;
    drawTools();
    wait();
  };
  const close = () => store.set({ patrol: undefined });
  const fullScreen = () => {
    if (document.fullscreenElement === null) void element.requestFullscreen();
    else void document.exitFullscreen();
  };
  const tellBroken = () => {
    const n = pictures.filter((each) => each.element.dataset.outcome === "broken").length;
    broken.textContent = n > 0 ? app.t("patrolBroken", { n }) : "";
  };
  const show = () => {
    for (const each of pictures) each.stop();
    const shown = screen();
    pictures = shown.map((site) => watched(site));
    grid.dataset.size = String(patrol.size);
    fill(grid, ...pictures.map((each) => each.element));
    for (const each of pictures) each.load();
    count.textContent = app.t("patrolOf", { from: at + 1, to: at + shown.length, n: sites.length });
    wedges.show(shown);
    const [only] = shown;
    wedges.light(shown.length === 1 && only ? only.id : null);
    cityMap.goTo(placeOf(shown));
  };
  const watched = (site: Site): Picture => {
    const picture = pictureOf(app, site, links, tellBroken);
    const { element: figure } = picture;
    const open = h("button", {
      type: "button",
      class: "over",
      aria: { label: `${app.t("videoOpen")} ${site.name ?? site.id}` },
      onclick: () => {
        play(false);
        void openCamera(app, site);
      },
    });
    figure.append(open);
    const light = () => {
      for (const each of pictures) each.element.classList.toggle("lit", each === picture);
      wedges.light(site.id);
    };
    figure.addEventListener("pointerenter", light);
    open.addEventListener("focus", light);
    return picture;
  };
  const drawTools = () => {
    const focused = tools.querySelector<HTMLElement>(":focus")?.dataset.key;
    const sizes = written.SIZES.map((n): [string, string] => [String(n), app.t("patrolSizeOf", { n })]);
    const paces = [...new Set([...written.PACES_S, patrol.seconds])].sort((a, b) => a - b);
    const size = choice(sizes, String(patrol.size));
    const seconds = choice(
      paces.map((n) => [String(n), app.t("patrolSeconds", { n })]),
      String(patrol.seconds),
    );
    const rewrite = () => store.set({ patrol: `${size.value}/${seconds.value}/${patrol.from}` });
    for (const [select, word] of [
      [size, "patrolSize"],
      [seconds, "patrolEvery"],
    ] as const) {
      select.setAttribute("aria-label", app.t(word));
      select.dataset.key = word;
      select.onchange = rewrite;
    }
    const keyed = (key: string, button: HTMLButtonElement) => {
      button.dataset.key = key;
      return button;
    };
    fill(
      tools,
      size,
      seconds,
      keyed(
        "previous",
        iconButton("previous", app.t("patrolPrevious"), () => step(-1)),
      ),
      keyed(
        "play",
        iconButton(paused ? "play" : "pause", app.t(paused ? "patrolPlay" : "patrolPause"), () => play(paused)),
      ),
      keyed(
        "next",
        iconButton("next", app.t("patrolNext"), () => step(1)),
      ),
      keyed("full", iconButton("expand", app.t("patrolFull"), fullScreen)),
      keyed("close", iconButton("close", app.t("close"), close)),
    );
    if (focused) tools.querySelector<HTMLElement>(`[data-key="${focused}"]`)?.focus();
  };
  const keys: Record<string, () => void> = {
    " ": () => play(paused),
    ArrowRight: () => step(1),
    ArrowLeft: () => step(-1),
    f: fullScreen,
    F: fullScreen,
    Escape: close,
  };
  element.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    const own =
      event.target instanceof HTMLSelectElement || (event.target instanceof HTMLButtonElement && event.key === " ");
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey || (own && event.key !== "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  });

  const begin = async () => {
    fill(grid, h("p", { class: "empty" }, app.t("loading")));
    try {
      const [told, met] = await Promise.all([
        linksOf(),
        found(app, patrol.from, pending.signal),
        app.city.detail(written.CAMERAS),
      ]);
      if (pending.signal.aborted) return;
      links = told;
      sites = met.sites;
      note.textContent = [
        links.picture?.synthetic ? app.t("videoSynthetic") : "",
        met.more ? app.t("patrolCut", { n: sites.length }) : "",
      ]
        .filter(Boolean)
        .join(" · ");
      if (sites.length === 0) fill(grid, h("p", { class: "empty" }, app.t("patrolNone")));
      else void cityMap.ready.then(() => !pending.signal.aborted && show());
      wait();
    } catch (error) {
      if (pending.signal.aborted) return;
      const retry = h("button", { type: "button", onclick: () => void begin() }, app.t("retry"));
      fill(grid, h("p", { class: "empty" }, failure(app, error)), retry);
    }
  };
  drawTools();
  document.body.append(element);
  title.focus();
  void begin();

  return {
    change(next: written.Patrol) {
      patrol = next;
      at = Math.floor(at / patrol.size) * patrol.size;
      drawTools();
      if (sites.length > 0) show();
      wait();
    },
    end() {
      clearTimeout(due);
      pending.abort();
      for (const each of pictures) each.stop();
      wedges.end();
      element.remove();
      if (came instanceof HTMLElement && came.isConnected) came.focus();
    },
  };
}

/** Where the map goes to show these cameras and what they look at. */
function placeOf(shown: readonly Site[]): Parameters<CityMap["goTo"]>[0] {
  const lons = shown.map(({ lon }) => lon);
  const lats = shown.map(({ lat }) => lat);
  const [west, south] = [Math.min(...lons), Math.min(...lats)];
  const [east, north] = [Math.max(...lons), Math.max(...lats)];
  return { lon: (west + east) / 2, lat: (south + north) / 2, bounds: [west, south, east, north] };
}
