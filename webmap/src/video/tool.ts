/** The tool of cameras: a click asks which of them see the point; and the start of a patrol. */

import * as items from "../city/items.ts";
import { classWord } from "../map/facts.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { kept } from "../tools/written.ts";
import { number } from "../words/format.ts";
import { pickButton } from "./doors.ts";
import { openCamera } from "./viewer.ts";
import { type Wedges, wedgesOn } from "./wedges.ts";
import * as written from "./written.ts";

const MOST = 30;

/** Fill the tool's panel; the returned function ends it and clears the map. */
export function videoTool(app: App, cityMap: CityMap, body: HTMLElement): () => void {
  const { store } = app;
  const wedges = wedgesOn(cityMap, "sight");
  const found = h("div", { class: "sight", aria: { live: "polite" } });
  const patrol = h("div", { class: "patrol-form" });
  let pending = new AbortController();

  const ask = async () => {
    pending.abort();
    pending = new AbortController();
    const { signal } = pending;
    const at = written.readSpot(store.get().sight);
    drawPatrol();
    if (at === null) {
      wedges.show([]);
      fill(found, h("p", { class: "hint" }, app.t("sightHint")), h("p", { class: "hint" }, app.t("sightKeys")));
      return;
    }
    wedges.show([], at);
    try {
      const [sight] = await Promise.all([items.sight(at, MOST, signal), app.city.detail(written.CAMERAS)]);
      if (signal.aborted) return;
      wedges.show(sight.cameras, at);
      fill(found, ...results(app, sight, wedges));
    } catch (error) {
      if (!signal.aborted) fill(found, h("p", { class: "empty" }, failure(app, error)));
    }
  };
  const drawPatrol = () => fill(patrol, ...patrolForm(app));

  fill(body, h("h3", {}, app.t("sightWho")), found, h("h3", {}, app.t("patrol")), patrol);
  const release = pointed(cityMap, (at) => store.set({ sight: written.writeSpot(at) }));
  const off = [store.on(["sight"], () => void ask()), store.on(["picked", "conditions", "marks"], drawPatrol)];
  void ask();
  return () => {
    for (const each of [...off, release]) each();
    pending.abort();
    wedges.end();
  };
}

/** Clicks on the map, and Space for its middle, mean a point and nothing else. */
function pointed(cityMap: CityMap, meant: (at: { lon: number; lat: number }) => void): () => void {
  const { map } = cityMap;
  const canvas = map.getCanvas();
  const click = ({ lngLat }: { lngLat: { lng: number; lat: number } }) => meant({ lon: lngLat.lng, lat: lngLat.lat });
  const key = (event: KeyboardEvent) => {
    if (event.key !== " ") return;
    event.preventDefault();
    click({ lngLat: map.getCenter() });
  };
  canvas.dataset.tool = "video";
  canvas.style.cursor = "crosshair";
  map.on("click", click);
  canvas.addEventListener("keydown", key);
  return () => {
    map.off("click", click);
    canvas.removeEventListener("keydown", key);
    delete canvas.dataset.tool;
    canvas.style.cursor = "";
  };
}

function results(app: App, { cameras, unknown, truncated }: items.Sight, wedges: Wedges): HTMLElement[] {
  const clear = cameras.filter(({ blocked }) => blocked !== true);
  const hidden = cameras.filter(({ blocked }) => blocked === true);
  const lines = (title: string | null, list: readonly items.Camera[]): HTMLElement[] =>
    list.length === 0
      ? []
      : [...(title === null ? [] : [h("h3", {}, title)]), ...list.map((each) => cameraLine(app, each, wedges))];
  return [
    ...(cameras.length === 0 ? [h("p", { class: "empty" }, app.t("sightNone"))] : []),
    ...lines(null, clear),
    ...lines(app.t("sightBlocked"), hidden),
    ...lines(app.t("sightUnknown"), unknown),
    ...(truncated ? [h("p", { class: "hint" }, app.t("sightMore", { n: MOST }))] : []),
    ...(cameras.some(({ blocked }) => blocked !== null) ? [h("p", { class: "hint" }, app.t("sightFlat"))] : []),
  ];
}

function cameraLine(app: App, camera: items.Camera, wedges: Wedges): HTMLElement {
  const layer = app.city.known(written.CAMERAS);
  const status = layer && camera.status !== "ON" ? classWord(app, layer, { status: camera.status }) : null;
  const line = h(
    "button",
    { type: "button", class: "choice", onclick: () => void openCamera(app, camera) },
    h("span", { class: "name" }, camera.name ?? camera.id),
    h("span", { class: "detail" }, [whereFrom(app, camera), status].filter(Boolean).join(" · ")),
    h("span", { class: "detail why" }, obstacleWords(app, camera)),
  );
  const row = h("div", { class: "camera-line" }, line, pickButton(app, camera.id));
  for (const come of ["pointerenter", "focusin"]) row.addEventListener(come, () => wedges.light(camera.id));
  for (const leave of ["pointerleave", "focusout"]) row.addEventListener(leave, () => wedges.light(null));
  return row;
}

function whereFrom(app: App, { distance_m, bearing_deg }: items.Camera): string {
  if (bearing_deg === null) return app.t("sightAtFoot");
  const way = app.t("ways").split(",")[written.windOf(bearing_deg)] ?? "";
  return app.t("sightFrom", { n: number(app.store.get().lang, distance_m), way });
}

function obstacleWords(app: App, { obstacle }: items.Camera): string {
  if (!obstacle) return "";
  const { name, how } = obstacle;
  if (how === "height") return name ? app.t("sightBy", { name }) : app.t("sightByAny");
  return name ? app.t("sightByPlan", { name }) : app.t("sightByPlanAny");
}

/** Which cameras, how many at once, how long each screenful stays. */
function patrolForm(app: App): HTMLElement[] {
  const { store } = app;
  const state = store.get();
  const picked = written.readPicked(state.picked).length;
  const sources: [string, string][] = [
    ["listed", app.t("patrolListed")],
    ...(written.readSpot(state.sight) ? [["sight", app.t("patrolSight")] as [string, string]] : []),
    ...(written.drawnAreas(kept(state.marks ?? null)).length > 0
      ? [["drawn", app.t("patrolDrawn")] as [string, string]]
      : []),
    ...(picked > 0 ? [["picked", app.t("patrolPicked", { n: picked })] as [string, string]] : []),
  ];
  const from = choice(sources, sources.at(-1)?.[0] ?? "listed");
  const sizes = written.SIZES.map((n): [string, string] => [String(n), app.t("patrolSizeOf", { n })]);
  const paces = written.PACES_S.map((n): [string, string] => [String(n), app.t("patrolSeconds", { n })]);
  const size = choice(sizes, String(written.USUAL.size));
  const seconds = choice(paces, String(written.USUAL.seconds));
  const start = () => store.set({ patrol: `${size.value}/${seconds.value}/${from.value}` });
  const label = (text: string, select: HTMLElement) => h("label", {}, h("span", { class: "detail" }, text), select);
  return [
    label(app.t("patrolFrom"), from),
    h("div", { class: "pair" }, label(app.t("patrolSize"), size), label(app.t("patrolEvery"), seconds)),
    h("button", { type: "button", class: "primary", onclick: start }, app.t("patrolStart")),
  ];
}

export function choice(options: readonly [value: string, text: string][], chosen: string): HTMLSelectElement {
  const select = h("select", {}, ...options.map(([value, text]) => h("option", { value }, text)));
  select.value = chosen;
  return select;
}
