/** The planner's workbench: wires form, map, answer and what is kept together. */

import { type City, loadCity } from "../city/city.ts";
import type { Draft, KeptQuestion, Plan } from "../city/questions.ts";
import * as questions from "../city/questions.ts";
import { footStrip, headTools, mapControls, warning } from "../desk/shell.ts";
import { type CityMap, createMap } from "../map/map.ts";
import { type App, createApp } from "../page/app.ts";
import { banner, begin } from "../page/begin.ts";
import { h } from "../page/dom.ts";
import { blank, createStore, fromFragment, IN_URL, type State, toFragment } from "../page/state.ts";
import { Said } from "../page/why.ts";
import { type Bench, createBench } from "./bench.ts";
import { builder } from "./builder.ts";
import { answerMap } from "./drawing.ts";
import { createLink } from "./link.ts";
import { type Outcome, outcome } from "./outcome.ts";
import { asked, draftFrom, draftText, lacks, partOf, same } from "./question.ts";
import { runner } from "./running.ts";
import { type Saved, savedQuestions } from "./saved.ts";
import { NoRoom, openShelf, type Shelf } from "./shelf.ts";
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
const MOST_EARLIER = 20;
const FIRST: Draft = asked("select", { ask: "select" });

function defaultsFor(city: City | null): State {
  const ground = (city?.layers ?? []).map(({ name }) => name).filter((name) => GROUND.includes(name));
  return { ...blank(), layers: ground };
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
  headTools(places.head, app, "plan");
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

/** Form, answer and what is kept, each told what the others did. */
function work(bench: Bench, places: Places, shelf: Shelf, defaults: State): void {
  const { app } = bench;
  // Read before anything changes the URL.
  const [linked, given] = [partOf(location.hash, "kept"), draftFrom(location.hash)];
  const link = createLink();
  const drawn = answerMap(app, bench.cityMap, link, places.legend);
  const take = (question: KeptQuestion): void => {
    saved.take(question);
    bench.change(structuredClone(question.question), "new");
  };
  const result = outcome(places.answer, bench, link, drawn, (answer, title) =>
    keep(bench, shelf, saved, answer.page.asked, title).then(take),
  );
  const saved = savedQuestions(places.saved, bench, shelf, take, result.compare);
  const run = runButton(bench, places, shelf, saved, result);
  telling(places.telling, bench, run.told);
  builder(places.form, bench);
  drawHint(bench, places.hint);
  const mirror = mirrored(bench, saved, defaults);
  bench.onChange(() => {
    if (saved.current() === null) saved.fold();
    run.draw();
    mirror();
  });
  void saved.refresh().then(() => {
    const kept = linked === null ? undefined : saved.find(linked);
    if (kept === undefined) return;
    if (given === null) take(kept);
    else saved.take(kept);
    run.draw();
    mirror();
  });
}

async function keep(bench: Bench, shelf: Shelf, saved: Saved, question: Draft, title: string): Promise<KeptQuestion> {
  if (JSON.stringify(question).includes('"result":')) throw new Said(bench.app.t("planKeepResult"));
  try {
    const kept = await shelf.keep(title, question);
    await saved.refresh();
    return saved.find(kept.id) ?? kept;
  } catch (error) {
    throw error instanceof NoRoom ? new Said(bench.app.t("planKeptFull")) : error;
  }
}

interface RunButton {
  draw(): void;
  /** What the server says of the question; null while it cannot be asked. */
  told(plan: Plan | null): void;
}

/** The button that asks what is built; a question that is kept, and was not changed, keeps what it finds. */
function runButton(bench: Bench, places: Places, shelf: Shelf, saved: Saved, result: Outcome): RunButton {
  const { app } = bench;
  const running = runner(places.progress, bench);
  const button = h("button", { type: "button", class: "primary run-button", id: "plan-run" });
  const edited = h("p", { class: "hint" });
  let plan: Plan | null = null;
  const unchanged = (): KeptQuestion | null => {
    const current = saved.current();
    return current !== null && same(current.question, bench.draft()) ? current : null;
  };
  const draw = (): void => {
    button.textContent = app.t("planRun");
    button.disabled = lacks(bench.draft()).length > 0 || plan === null;
    edited.textContent = saved.current() !== null && unchanged() === null ? app.t("planEdited") : "";
  };
  const go = async (): Promise<void> => {
    const [question, draft, said] = [unchanged(), bench.draft(), plan];
    const answer = await running.run((signal) =>
      question === null ? questions.ask(draft, signal) : shelf.run(question, signal),
    );
    if (answer === null) return;
    const { id, title, count } = answer.page;
    bench.earlier.unshift({ id, title: `${app.title(title)} · ${app.t("planRows", { n: count })}` });
    bench.earlier.splice(MOST_EARLIER);
    result.show(answer, said);
    if (question !== null) await saved.refresh();
  };
  button.onclick = () => void go();
  places.run.append(button, places.progress, edited);
  app.store.on(["lang"], draw);
  draw();
  return {
    draw,
    told(said) {
      plan = said;
      draw();
    },
  };
}

/** Keep the question and the URL the same, whichever of them changes. */
function mirrored(bench: Bench, saved: Saved, defaults: State): () => void {
  const { store } = bench.app;
  const mirror = (): void => {
    const current = saved.current();
    const kept = current === null ? "" : `kept=${encodeURIComponent(current.id)}`;
    const parts = [toFragment(store.get(), defaults), draftText(bench.draft()), kept];
    window.history.replaceState(null, "", `#${parts.filter(Boolean).join("&")}`);
  };
  store.on(IN_URL, mirror);
  addEventListener("hashchange", () => {
    const draft = draftFrom(location.hash);
    store.set(fromFragment(location.hash, defaults));
    if (draft !== null && !same(draft, bench.draft())) bench.change(draft, "new");
  });
  return mirror;
}

/** While something is drawn the map says how to finish, and how to stop. */
function drawHint({ app, sketch }: Bench, element: HTMLElement): void {
  sketch.onTool((tool) => {
    element.hidden = tool === null;
    element.textContent = tool === null ? "" : app.t(tool === "point" ? "planPicking" : "planDrawing");
  });
}

begin(start);
