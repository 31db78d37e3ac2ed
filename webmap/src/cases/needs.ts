/** What residents need, and what was visited: two lists of the desk, of one's own areas. */
import type { Named } from "../city/api.ts";
import { type CareWords, careWords, type Need, needsOf } from "../city/care.ts";
import { may } from "../city/session.ts";
import { fill, h, keepingFocus } from "../page/dom.ts";
import { age, shortMoment } from "../words/format.ts";
import { attempt, type Bench, button } from "./bench.ts";
import { entryTitle, NEED_MARK, placeWords, select } from "./entries.ts";
import type { Marked } from "./mapped.ts";
import { asked, isLate, NEED_STATES, type NeedState, type Sought } from "./needlist.ts";
import { visitsView } from "./visits.ts";

const EVERY_MS = 30_000;
const PARTS = ["needs", "visits"] as const;
type Part = (typeof PARTS)[number];

export interface NeedsView {
  element: HTMLElement;
  load(): Promise<void>;
  /** The needs of one grid only. */
  within(area: string): void;
  /** The row after or before the one that the keyboard is at. */
  move(by: number): void;
  redraw(): void;
}

export interface NeedsEars {
  /** Other needs are listed. */
  shown(marks: readonly Marked[], anew: boolean): void;
  changed(): void;
}

export function needsView(bench: Bench, areas: () => Promise<readonly Named[]>, ears: NeedsEars): NeedsView {
  const { app } = bench;
  const { who } = app.city;
  const open: Record<Part, boolean> = {
    needs: may(who, "need.take") || may(who, "need.report"),
    visits: may(who, "visit.view") || may(who, "visit.write"),
  };
  const element = h("section", { class: "needs", aria: { labelledby: "needs-title" } });
  const head = h("div", { class: "needs-head" });
  const list = h("ol", { class: "rows need-rows" });
  const foot = h("div", { class: "queue-foot" });
  const visits = visitsView(bench, areas);
  let part: Part = open.needs ? "needs" : "visits";
  let sought: Sought = { state: "going", kind: "", area: "" };
  let words: CareWords | null = null;
  let named: readonly Named[] = [];
  let shown: readonly Need[] = [];
  let next: number | null = null;
  let loaded = false;
  let asking = new AbortController();

  const set = (patch: Partial<Sought>): void => {
    sought = { ...sought, ...patch };
    void load();
  };
  const read = async (signal: AbortSignal, limit: number, anew: boolean): Promise<void> => {
    words ??= await careWords();
    const page = await needsOf({ ...asked(sought), limit }, null, signal);
    shown = page.needs;
    next = page.next;
    loaded = true;
    draw();
    ears.shown(shown.map(markOf), anew);
  };
  const load = (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    ears.shown([], false);
    if (part === "visits") {
      draw();
      return visits.load();
    }
    if (named.length === 0)
      void areas().then((found) => {
        named = found;
        drawHead();
      });
    return attempt(bench, () => read(signal, PAGE, true));
  };
  const more = (): Promise<void> =>
    attempt(bench, async () => {
      const page = await needsOf(asked(sought), next, asking.signal);
      shown = [...shown, ...page.needs];
      next = page.next;
      draw();
      ears.shown(shown.map(markOf), false);
    });
  // Needs are not told of by /live: who looks at them asks again.
  setInterval(() => {
    if (!loaded || part !== "needs" || element.hidden || document.visibilityState !== "visible") return;
    read(asking.signal, Math.min(MOST, Math.max(PAGE, shown.length)), false).catch(() => undefined);
    ears.changed();
  }, EVERY_MS);

  const rowOf = (need: Need): HTMLLIElement => {
    const { lang } = app.store.get();
    const { beside } = bench.place();
    const title = entryTitle(bench, words?.kinds, need.kind);
    const late = isLate(need, Date.now());
    const wish =
      need.wish_at !== null &&
      h(
        "span",
        { class: "left-time", data: { kind: late ? "over" : "in" } },
        late && h("i", { class: "light", data: { light: "yellow" }, aria: { hidden: "true" } }, "▲ "),
        app.t(late ? "needsLate" : "needsWish", { time: shortMoment(lang, need.wish_at) }),
      );
    const drill = need.scenario !== null && h("b", { class: "badge" }, app.t("needDrill"));
    const row = h(
      "button",
      { type: "button", class: "open", data: { key: `need-${need.id}` } },
      h("span", { class: "first-line" }, h("b", { class: "name" }, title), drill, wish),
      h(
        "span",
        { class: "second-line" },
        h("span", { class: "state" }, entryTitle(bench, words?.states, need.state)),
        h("span", { class: "where" }, [need.words, placeWords(bench, need, named)].filter(Boolean).join(" · ")),
        h("span", { class: "number" }, app.t("needsSince", { age: age(lang, need.told_at) })),
      ),
    );
    row.onclick = () => bench.go({ beside: { kind: "need", id: need.id } });
    if (beside?.kind === "need" && beside.id === need.id) row.setAttribute("aria-current", "true");
    return h("li", { class: "case-row need-row", data: { need: String(need.id) } }, row);
  };
  const drawHead = (): void =>
    keepingFocus(head, () => {
      const both = open.needs && open.visits;
      fill(head, both && partTabs(), part === "needs" && filters());
    });
  const partTabs = (): HTMLElement => {
    const tabs = PARTS.map((name) =>
      h(
        "button",
        { type: "button", class: "chip", data: { key: name }, aria: { pressed: String(name === part) } },
        app.t(`needsPart_${name}`),
      ),
    );
    for (const [at, tab] of tabs.entries())
      tab.onclick = () => {
        part = PARTS[at] ?? part;
        void load();
      };
    return h("div", { class: "chips parts", role: "group", aria: { label: app.t("needsParts") } }, ...tabs);
  };
  const filters = (): HTMLElement => {
    const states: [NeedState, string][] = NEED_STATES.map((state) => [
      state,
      state === "going" ? app.t("needsState_going") : entryTitle(bench, words?.states, state),
    ]);
    const known = named.some(({ id }) => id === sought.area) || sought.area === "";
    const own: [string, string][] = known ? [] : [[sought.area, app.t("needsGrid", { id: sought.area })]];
    return h(
      "div",
      { class: "need-filters", role: "search" },
      select(bench, "needsState", states, sought.state, (state) => set({ state: state as NeedState })),
      select(
        bench,
        "needsKind",
        [["", app.t("needsAnyKind")], ...(words?.kinds ?? []).map(({ code, title }) => pair(code, app.title(title)))],
        sought.kind,
        (kind) => set({ kind }),
      ),
      select(
        bench,
        "needsArea",
        [["", app.t("needsAnyArea")], ...own, ...named.map(({ id, name }) => pair(id, name))],
        sought.area,
        (area) => set({ area }),
      ),
    );
  };
  const draw = (): void => {
    drawHead();
    list.hidden = foot.hidden = part !== "needs";
    visits.element.hidden = part !== "visits";
    keepingFocus(list, () => fill(list, ...shown.map(rowOf)));
    const plain = sought.state === "going" && sought.kind === "" && sought.area === "";
    const none = app.t(plain ? "needsGoingNone" : "needsNone");
    fill(
      foot,
      loaded && shown.length === 0 && h("p", { class: "empty" }, none),
      next !== null && button(app.t("needsMore"), () => void more(), "outlined more"),
    );
  };
  const heading = h("h2", { id: "needs-title", class: "hidden-text" });
  fill(element, heading, head, list, foot, visits.element);
  return {
    element,
    load,
    within(area) {
      part = "needs";
      bench.go({ tab: "needs" });
      set({ area });
    },
    move(by) {
      const rows = [...list.querySelectorAll<HTMLElement>(".open")];
      const { activeElement } = document;
      const at = activeElement instanceof HTMLElement ? rows.indexOf(activeElement) : -1;
      rows[Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
    },
    redraw() {
      heading.textContent = app.t("needsTitle");
      visits.redraw();
      draw();
    },
  };
}

const PAGE = 50;
const MOST = 200;

const pair = (code: string, words: string): [string, string] => [code, words];

const markOf = (need: Need): Marked => ({
  id: `${NEED_MARK}${need.id}`,
  lon: need.lon,
  lat: need.lat,
  light: isLate(need, Date.now()) ? "yellow" : need.state === "arranged" ? "green" : "none",
});
