/** The topics of a wall, one after the other: each with its map and its panels, as many sheets as these need. */
import type { Topic } from "../city/topics.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import type { State } from "../page/state.ts";
import { type Keeper, keepPanels, type Reading } from "../panels/keep.ts";
import { askingRound } from "../panels/reading.ts";
import { arranged, change } from "../panels/topic.ts";
import { blocksOf } from "./blocks.ts";
import { pack, type Sheet } from "./pack.ts";
import type { Shell } from "./shell.ts";
import { line } from "./text.ts";

export interface Carousel {
  /** The topic by so many further on (or back). */
  step(by: number): void;
  /** The sheet of panels by so many further on (or back). */
  turn(by: number): void;
  showTopic(name: string): void;
  /** Stop, or go on. */
  pause(): void;
  /** Put something else in the place of the panels, or (null) the panels back, and let time stand still meanwhile. */
  hold(instead: HTMLElement | null): void;
  /** Where the topic's map looks. */
  home(): void;
  changed(layer: string | null): void;
  /** Sizes changed: lay everything out anew. */
  relaid(): void;
  /** Of when the oldest figure in sight is. */
  at(): string | null;
}

const TICK_MS = 500;
/** No sheet of panels goes before it can be read. */
const LEAST_SHEET_S = 8;
const AHEAD_S = 6;

export function carousel(
  shell: Shell,
  app: App,
  cityMap: CityMap,
  topics: readonly Topic[],
  { plain, seconds, now }: { plain: State; seconds: number | null; now: () => number },
): Carousel {
  const lanes = () => Number(shell.root.dataset.lanes);
  let index = 0;
  let readings: (Reading | undefined)[] = [];
  let keeper: Keeper | null = null;
  let over = new AbortController();
  let sheets: Sheet[] = [];
  let turn = 0;
  let elapsed_s = 0;
  let paused = false;
  let held: HTMLElement | null = null;
  let ahead: { index: number; readings: Reading[] } | null = null;
  let asking = false;
  let due = false;

  const topic = () => topics[index] as Topic;
  const turns = () => Math.max(1, Math.ceil(sheets.length / lanes()));
  const turn_s = () => Math.max(LEAST_SHEET_S, (seconds ?? topic().wall?.seconds ?? 30) / turns());
  const inSight = () => sheets.slice(turn * lanes(), (turn + 1) * lanes());

  const advance = () =>
    shell.progress.style.setProperty("--done", String(Math.min(1, (turn + elapsed_s / turn_s()) / turns())));
  /** Only what is another than before comes slowly: figures that are asked for anew must not make the column blink. */
  const draw = (another: boolean) => {
    const shown = held ? [held] : inSight().map(({ element }) => element);
    const unheard = topic().panels.some((_, panel) => readings[panel] === undefined);
    const nothing = h("div", { class: "sheet" }, line("name", app.t(unheard ? "loading" : "wallNothing")));
    shell.lanes.ariaBusy = String(unheard);
    shell.lanes.classList.toggle("another", another);
    fill(shell.lanes, ...(shown.length > 0 ? shown : [nothing]).map((each) => h("div", { class: "lane" }, each)));
    advance();
  };
  const layOut = (another = false) => {
    due = false;
    sheets = pack(blocksOf(app, topic(), readings, Date.now()), shell.measure);
    turn = Math.min(turn, turns() - 1);
    draw(another);
  };
  // Panels answer one by one: what comes together is laid out once.
  const soon = () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => layOut());
  };
  const home = () => {
    const { view } = topic();
    if (view) cityMap.goTo({ ...view });
    else cityMap.wholeCity();
  };
  const show = (next: number) => {
    over.abort();
    over = new AbortController();
    index = (next + topics.length) % topics.length;
    readings = ahead?.index === index ? ahead.readings : [];
    ahead = null;
    turn = 0;
    elapsed_s = 0;
    fill(shell.title, line("", app.title(topic().title)));
    app.store.set(change(arranged(plain, topic())));
    home();
    for (const { layer } of topic().layers) void app.city.detail(layer).then(soon, () => undefined);
    keeper = keepPanels(
      topic(),
      (panel, reading) => {
        readings[panel] = reading;
        soon();
      },
      over.signal,
      now,
    );
    layOut(true);
  };
  /** Ask what the next topic will show, so that it comes at once. */
  const prepare = async (): Promise<void> => {
    const next = (index + 1) % topics.length;
    const coming = topics[next];
    if (coming === undefined || asking || next === index || ahead?.index === next) return;
    asking = true;
    const { signal } = over;
    const round = askingRound(coming, signal, now);
    const answers = await Promise.allSettled(coming.panels.map((panel) => round.panel(panel)));
    asking = false;
    if (signal.aborted) return;
    const heardAt = Date.now();
    const known = answers.map((answer): Reading => {
      const data = answer.status === "fulfilled" ? answer.value : null;
      return { data, absent: false, problem: null, heardAt };
    });
    ahead = { index: next, readings: known };
  };
  const go = (next: number) => {
    turn = next;
    elapsed_s = 0;
    if (turns() > 1) draw(true);
    else advance();
  };
  const tick = () => {
    if (paused || held) return;
    elapsed_s += TICK_MS / 1000;
    if (turn === turns() - 1 && elapsed_s > turn_s() - AHEAD_S) void prepare();
    if (elapsed_s < turn_s()) advance();
    else if (turn + 1 < turns()) go(turn + 1);
    else if (topics.length > 1) show(index + 1);
    else go(0);
  };
  setInterval(tick, TICK_MS);
  show(0);

  return {
    step: (by) => show(index + by),
    turn: (by) => go((turn + by + turns()) % turns()),
    showTopic(name) {
      const found = topics.findIndex((each) => each.name === name);
      if (found >= 0 && found !== index) show(found);
    },
    pause() {
      paused = !paused;
      fill(shell.paused, paused && app.t("wallPaused"));
    },
    hold(instead) {
      held = instead;
      draw(true);
    },
    home,
    changed: (layer) => keeper?.changed(layer),
    relaid: soon,
    at: () => {
      const times = inSight().flatMap(({ at }) => at ?? []);
      return held || times.length === 0 ? null : (times.sort()[0] ?? null);
    },
  };
}
