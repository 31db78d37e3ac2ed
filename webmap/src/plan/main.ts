/** The planner's workbench: wires form, map, answer and what is kept together. */
import { Refused, Unreachable } from "../city/api.ts";
import { type City, loadCity } from "../city/city.ts";
import type { Draft, KeptQuestion, Page, Plan } from "../city/questions.ts";
import * as questions from "../city/questions.ts";
import { banner, footStrip, headTools, mapControls, warning } from "../desk/shell.ts";
import { type CityMap, createMap } from "../map/map.ts";
import { type App, createApp, reason } from "../page/app.ts";
import { h } from "../page/dom.ts";
import { installFonts } from "../page/fonts.ts";
import { createStore, fromFragment, IN_URL, type State, toFragment } from "../page/state.ts";
import { word } from "../words/i18n.ts";
import { type Bench, createBench } from "./bench.ts";
import { builder } from "./builder.ts";
import { answerMap } from "./drawing.ts";
import { createLink } from "./link.ts";
import { outcome } from "./outcome.ts";
import { asked, draftFrom, draftText, lacks, partOf, same } from "./question.ts";
import { runner } from "./running.ts";
import { savedQuestions } from "./saved.ts";
import { NoRoom, openShelf } from "./shelf.ts";
import { createSketch } from "./sketch.ts";
import { telling } from "./telling.ts";
// In this order: the page's own rules come last.
import "../page/theme.css";
import "../desk/page.css";
import "./plan.css";

declare global {
  interface Window {
    /** For tests: the map, and a promise that settles at its first idle. */
    __chengtu?: { map: CityMap["map"]; ready: Promise<void> };
  }
}

const GROUND = ["county", "town", "road"];
const FIRST: Draft = asked("select", { ask: "select" });

function defaultsFor(city: City | null): State {
  const ground = (city?.layers ?? []).map(({ name }) => name).filter((name) => GROUND.includes(name));
  const dark = !matchMedia("(prefers-color-scheme: light)").matches;
  // Everything of the map page that has no place here keeps its neutral value.
  const bare = fromFragment("", {
    topic: null,
    view: null,
    layers: ground,
    looks: {},
    opacity: {},
    breaks: "quantile",
    conditions: {},
    listed: null,
    hidden: {},
    rasters: [],
    density: null,
    palette: dark ? "dark" : "light",
    lang: "zh",
    frame: "EPSG:4326",
    selected: null,
    hovered: null,
  });
  return bare;
}

interface Places {
  head: HTMLElement;
  saved: HTMLElement;
  form: HTMLElement;
  telling: HTMLElement;
  run: HTMLElement;
  progress: HTMLElement;
  map: HTMLElement;
  hint: HTMLElement;
  legend: HTMLElement;
  controls: HTMLElement;
  answer: HTMLElement;
  foot: HTMLElement;
  warning: HTMLElement;
}

function layOut(root: HTMLElement): Places {
  const places: Places = {
    head: h("div", { class: "title" }),
    saved: h("div", { class: "saved" }),
    form: h("div", { class: "form" }),
    telling: h("section", { class: "telling" }),
    run: h("div", { class: "run" }),
    progress: h("div", { class: "progress", hidden: true }),
    map: h("div", { class: "map" }),
    hint: h("p", { class: "notice drawing-hint", role: "status", hidden: true }),
    legend: h("div", { class: "answer-legend", hidden: true }),
    controls: h("div", { class: "controls" }),
    answer: h("section", { class: "answer" }),
    foot: h("footer", { class: "foot" }),
    warning: h("p", { class: "notice warning", role: "note" }),
  };
  const scroll = h("div", { class: "scroll", tabIndex: -1 }, places.saved, places.form);
  root.className = "plan";
  root.replaceChildren(
    h("header", { class: "side" }, places.head, scroll, places.telling, places.run),
    h(
      "main",
      { class: "work" },
      h("div", { class: "stage" }, places.map, places.hint, places.legend, places.warning, places.controls),
      places.answer,
    ),
    places.foot,
  );
  return places;
}

async function start(root: HTMLElement): Promise<void> {
  const city = await loadCity();
  await Promise.all(city.layers.map(({ name }) => city.detail(name)));
  const defaults = defaultsFor(city);
  const store = createStore(fromFragment(location.hash, defaults));
  const app = createApp(store, city);
  const places = layOut(root);
  headTools(places.head, app);
  titled(app);
  warning(places.warning, app);
  const failed = (again: () => void) => banner(store.get().lang, app.t("tilesFailed"), again);
  const [cityMap, shelf] = await Promise.all([createMap(places.map, app, failed), openShelf()]);
  mapControls(places.controls, app, cityMap);
  footStrip(places.foot, app, cityMap);
  const bench = createBench(app, cityMap, createSketch(cityMap), draftFrom(location.hash) ?? FIRST);
  work(bench, places, shelf, defaults);
  window.__chengtu = { map: cityMap.map, ready: cityMap.ready };
  void cityMap.ready.then(() => {
    document.documentElement.dataset.ready = "true";
  });
}

function titled(app: App): void {
  const name = (): void => {
    document.title = `${app.t("planTitle")} · ${app.title(app.city.city.title)} · ${app.t("brand")}`;
  };
  app.store.on(["lang", "palette"], name);
  name();
}

function work(bench: Bench, places: Places, shelf: Awaited<ReturnType<typeof openShelf>>, defaults: State): void {
  const { app } = bench;
  const link = createLink();
  const drawn = answerMap(app, bench.cityMap, link, places.legend);
  let plan: Plan | null = null;

  const keep = async (question: Draft, title: string): Promise<void> => {
    try {
      const kept = await shelf.keep(title, question);
      await saved.refresh();
      saved.take(saved.find(kept.id) ?? kept);
      mirror();
    } catch (error) {
      throw error instanceof NoRoom ? new Error(app.t("planKeptFull")) : error;
    }
  };
  const namesResult = (draft: Draft): boolean => JSON.stringify(draft).includes('"result":');
  const result = outcome(places.answer, bench, link, drawn, async (answer, title) => {
    if (namesResult(answer.page.asked)) throw new Error(app.t("planKeepResult"));
    await keep(answer.page.asked, title);
  });
  const running = runner(places.progress, bench);
  const saved = savedQuestions(places.saved, bench, shelf, take, (_, comparison) => result.compare(comparison));

  const isCurrent = (): KeptQuestion | null => {
    const current = saved.current();
    return current !== null && same(current.question, bench.draft()) ? current : null;
  };
  const go = async (): Promise<void> => {
    const question = isCurrent();
    const draft = bench.draft();
    const asking = (signal: AbortSignal): Promise<Page> =>
      question === null ? questions.ask(draft, signal) : shelf.run(question, signal);
    drawRun();
    const told = plan;
    const answer = await running.run(asking);
    drawRun();
    if (answer === null) return;
    bench.earlier.unshift({
      id: answer.page.id,
      title: `${app.title(answer.page.title)} · ${app.t("planRows", { n: answer.page.count })}`,
    });
    bench.earlier.splice(20);
    result.show(answer, told);
    if (question !== null) await saved.refresh();
  };
  const button = h("button", { type: "button", class: "primary run-button", id: "plan-run" });
  const edited = h("p", { class: "hint" });
  button.onclick = () => void go();
  places.run.append(button, places.progress, edited);
  function drawRun(): void {
    button.textContent = app.t("planRun");
    button.disabled = lacks(bench.draft()).length > 0 || plan === null;
    edited.textContent = saved.current() !== null && isCurrent() === null ? app.t("planEdited") : "";
  }
  function take(question: KeptQuestion): void {
    saved.take(question);
    bench.change(structuredClone(question.question));
  }

  telling(places.telling, bench, (said) => {
    plan = said;
    drawRun();
  });
  builder(places.form, bench);
  bench.onChange(() => {
    if (saved.current() === null) saved.fold();
    drawRun();
    mirror();
  });
  app.store.on(["lang"], drawRun);
  drawHint(bench, places.hint);

  function mirror(): void {
    const state = toFragment(app.store.get(), defaults);
    const current = saved.current();
    const parts = [state, draftText(bench.draft()), current === null ? "" : `kept=${encodeURIComponent(current.id)}`];
    window.history.replaceState(null, "", `#${parts.filter(Boolean).join("&")}`);
  }
  app.store.on(IN_URL, mirror);
  addEventListener("hashchange", () => {
    app.store.set(fromFragment(location.hash, defaults));
    const draft = draftFrom(location.hash);
    if (draft !== null && !same(draft, bench.draft())) bench.change(draft);
  });
  void saved.refresh().then(() => {
    const id = partOf(location.hash, "kept");
    const kept = id === null ? undefined : saved.find(id);
    if (kept === undefined) return;
    if (draftFrom(location.hash) === null) take(kept);
    else saved.take(kept);
    drawRun();
  });
  drawRun();
}

/** While something is drawn the map says how to finish, and how to stop. */
function drawHint({ app, sketch }: Bench, element: HTMLElement): void {
  sketch.onTool((tool) => {
    element.hidden = tool === null;
    element.textContent = tool === null ? "" : app.t(tool === "point" ? "planPicking" : "planDrawing");
  });
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
