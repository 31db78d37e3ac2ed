/** The queue: pages of cases in the order of their time limits, kept as the city is without moving under the hand. */

import type { Brief } from "../city/incidents.ts";
import * as api from "../city/incidents.ts";
import { atMostEvery } from "../city/pace.ts";
import { fill, h, keepingFocus } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { attempt, type Bench, button } from "./bench.ts";
import { clockOf } from "./clock.ts";
import { asked, isFiltered, NO_FILTERS } from "./place.ts";
import { rowOf } from "./row.ts";
import * as rows from "./rows.ts";

const PAGE = 50;
const MOST_REFRESHED = 100;
const TOGETHER_MS = 1_000;
const TICK_MS = 30_000;

export interface QueueView {
  element: HTMLElement;
  /** The queue from its beginning: its tab or its filters are others now. */
  load(): Promise<void>;
  /** A case changed somewhere; null: anything may have. */
  heard(id: string | null): void;
  /** Show what came since. */
  takeFresh(): void;
  move(by: number): void;
  /** The row that the keyboard is at. */
  current(): string | null;
  choose(id: string, on?: boolean): void;
  chosen(): readonly string[];
  chooseNone(): void;
  /** Light the row that is pointed at elsewhere. */
  light(id: string | null): void;
  redraw(): void;
}

export interface QueueEars {
  /** Other rows are shown; `anew` when they are another queue's. */
  shown(rows: readonly Brief[], anew: boolean): void;
  pointed(id: string | null): void;
  chosen(ids: readonly string[]): void;
}

export function queueView(bench: Bench, ears: QueueEars): QueueView {
  const { app } = bench;
  const list = h("ul", { class: "rows" });
  const news = h("div", { class: "news", role: "status" });
  const foot = h("div", { class: "queue-foot" });
  const element = h("div", { class: "queue-list" }, news, list, foot);
  let held = rows.NO_ROWS;
  let at: string | null = null;
  let asking = new AbortController();
  let loaded = false;
  const chosen = new Set<string>();

  const openId = (): string | null => {
    const { beside } = bench.place();
    return beside?.kind === "case" ? beside.id : null;
  };
  const choose = (id: string, on = !chosen.has(id)): void => {
    if (on) chosen.add(id);
    else chosen.delete(id);
    drawRows();
    ears.chosen([...chosen]);
  };
  const acts = {
    open: (id: string) => bench.go({ beside: { kind: "case", id } }),
    choose,
    point(id: string | null) {
      if (id !== null) at = id;
      ears.pointed(id);
    },
  };
  const drawRows = (): void =>
    keepingFocus(list, () => {
      const now = Date.now();
      const open = openId();
      const look = ({ id }: Brief) => ({ open: id === open, chosen: chosen.has(id), gone: held.gone.has(id), now });
      fill(list, ...held.shown.map((brief) => rowOf(bench, brief, look(brief), acts)));
    });
  const drawNews = (): void => {
    const { length } = held.fresh;
    const text = length === 0 ? "" : app.t("caseFresh", { n: number(app.store.get().lang, length) });
    if (news.textContent !== text) fill(news, length > 0 && button(text, takeFresh, "fresh"));
  };
  const drawFoot = (): void => {
    const more = held.next !== null && button(app.t("caseMore"), () => void more_(), "outlined more");
    fill(foot, loaded && held.shown.length === 0 ? empty(bench) : null, more);
  };
  const draw = (anew: boolean): void => {
    drawRows();
    drawNews();
    drawFoot();
    ears.shown(held.shown, anew);
  };
  const load = (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    element.setAttribute("aria-busy", "true");
    return attempt(bench, async () => {
      const page = await api.queue({ ...asked(bench.place()), limit: PAGE }, signal);
      loaded = true;
      held = rows.begun(page.incidents, page.next);
      for (const id of chosen) if (!page.incidents.some((brief) => brief.id === id)) chosen.delete(id);
      draw(true);
      ears.chosen([...chosen]);
    }).finally(() => {
      if (!signal.aborted) element.removeAttribute("aria-busy");
    });
  };
  const more_ = (): Promise<void> =>
    attempt(bench, async () => {
      if (held.next === null) return;
      const page = await api.queueFrom({ ...asked(bench.place()), limit: PAGE }, held.next, asking.signal);
      held = rows.continued(held, page.incidents, page.next);
      draw(false);
    });
  const takeFresh = (): void => void load().then(() => list.querySelector<HTMLElement>(".open")?.focus());
  const refresh = atMostEvery(TOGETHER_MS, () => {
    if (!loaded) return;
    const { signal } = asking;
    const limit = Math.min(MOST_REFRESHED, Math.max(PAGE, held.shown.length));
    api
      .queue({ ...asked(bench.place()), limit }, signal)
      .then((page) => {
        if (signal.aborted) return;
        held = rows.refreshed(held, page.incidents, page.next === null);
        draw(false);
      })
      .catch(() => undefined); // the sign in the strip tells whether the desk follows the city
  });
  const tick = (): void => {
    const now = Date.now();
    for (const brief of held.shown) {
      const left = list.querySelector(`[data-id="${CSS.escape(brief.id)}"] .left-time`);
      if (left) left.textContent = clockOf(app.store.get().lang, brief, now).words;
    }
  };
  setInterval(tick, TICK_MS);
  const rowElement = (id: string | null): HTMLElement | null =>
    id === null ? null : list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  return {
    element,
    load,
    heard: refresh,
    takeFresh: () => held.fresh.length > 0 && takeFresh(),
    move(by) {
      at = rows.neighbour(held.shown, at, by);
      rowElement(at)?.querySelector<HTMLElement>(".open")?.focus();
    },
    current: () => (at !== null && held.shown.some(({ id }) => id === at) ? at : null),
    choose,
    chosen: () => [...chosen],
    chooseNone() {
      chosen.clear();
      drawRows();
      ears.chosen([]);
    },
    light(id) {
      for (const row of list.querySelectorAll(".lit")) row.classList.remove("lit");
      const row = rowElement(id);
      row?.classList.add("lit");
      row?.scrollIntoView({ block: "nearest" });
    },
    redraw: () => draw(false),
  };
}

/** An empty queue says why, and what to do. */
function empty(bench: Bench): HTMLElement {
  const { app } = bench;
  const { tab, filters } = bench.place();
  if (!isFiltered(filters)) return h("p", { class: "empty" }, app.t(`caseEmpty_${tab}`));
  return h(
    "p",
    { class: "empty" },
    app.t("caseEmptyFiltered"),
    " ",
    button(app.t("caseUnfilter"), () => bench.go({ filters: NO_FILTERS }), "link"),
  );
}
