/** Calling people back: who waits, the form for the call, and beside it the three rates of a period. */
import * as api from "../city/callbacks.ts";
import { atMostEvery } from "../city/pace.ts";
import { may } from "../city/session.ts";
import { narrow } from "../page/app.ts";
import { fill, h, keepingFocus } from "../page/dom.ts";
import { age, number } from "../words/format.ts";
import { type Answering, answering } from "./answering.ts";
import { attempt, type Bench, button, departmentWord } from "./bench.ts";
import { ratesView } from "./rates.ts";
import { called, following, laidOver } from "./waiting.ts";

const PAGE = 50;
const TOGETHER_MS = 4_000;

export interface CallbacksView {
  element: HTMLElement;
  load(): Promise<void>;
  /** A case changed somewhere: somebody may wait since. */
  heard(): void;
  /** Whether the key means something here. */
  pressed(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "altKey" | "metaKey">): boolean;
  redraw(): void;
}

export function callbacksView(bench: Bench, told: (n: number) => void): CallbacksView {
  const { app } = bench;
  const calls = may(app.city.who, "hotline.take");
  const rates = ratesView(bench);
  const list = h("ol", { class: "rows callers-due" });
  const foot = h("div", { class: "queue-foot" });
  const title = h("h3", { class: "due-title" });
  const element = h("section", { class: "callbacks", aria: { labelledby: "callbacks-title" } });
  let shown: readonly api.Due[] = [];
  let next: string | null = null;
  let at: number | null = null;
  let form: Answering | null = null;
  let asking = new AbortController();
  let loaded = false;

  const take = (caller: number | null, focus: boolean): void => {
    at = caller;
    const one = shown.find((each) => each.caller === caller);
    form = one === undefined ? null : formOf(one);
    draw();
    if (one === undefined) return;
    // A phone shows one of them at a time: there the case is opened from the form.
    if (!narrow.matches) bench.go({ beside: { kind: "case", id: one.incident } });
    const row = list.querySelector<HTMLElement>(`[data-key="${one.caller}"]`);
    row?.scrollIntoView({ block: "nearest" });
    if (focus) row?.focus();
  };
  const formOf = (one: api.Due): Answering =>
    answering(
      bench,
      { kind: "callback", incident: one.incident, caller: one.caller },
      {
        done({ reached }) {
          bench.say(app.t(reached ? "answerKept" : "answerTried", { id: one.incident }));
          const then = following(shown, one.caller);
          shown = called(shown, one.caller, { reached, attempts: rates.attempts() });
          told(shown.length);
          take(then, true);
          void rates.load();
        },
      },
    );
  const seeCase = ({ incident }: api.Due): HTMLElement =>
    button(
      app.t("answerCase", { id: incident }),
      () => bench.go({ beside: { kind: "case", id: incident } }),
      "link see-case",
    );
  const rowOf = (one: api.Due): HTMLLIElement => {
    const { lang } = app.store.get();
    const now = one.caller === at;
    const tried = one.tries > 0 && h("b", { class: "tried" }, app.t("answerTries", { n: one.tries }));
    const open = h(
      "button",
      { type: "button", class: "open", data: { key: String(one.caller) } },
      h("span", { class: "first-line" }, h("b", { class: "name" }, one.title), tried),
      h(
        "span",
        { class: "second-line" },
        h("span", { class: "state" }, [one.name, one.phone].filter(Boolean).join(" · ")),
        h("span", { class: "where" }, departmentWord(bench, one.lead)),
        h("span", { class: "number" }, age(lang, one.done_at)),
      ),
    );
    open.setAttribute("aria-expanded", String(now));
    open.onclick = () => take(now ? null : one.caller, true);
    return h(
      "li",
      { class: "case-row due-row", data: { caller: String(one.caller) } },
      open,
      now && seeCase(one),
      now && form?.element,
    );
  };
  const draw = (): void => {
    const { lang } = app.store.get();
    const count = next === null ? number(lang, shown.length) : `${number(lang, shown.length)}+`;
    title.textContent = app.t("answerDue", { n: count });
    // The form that is being filled in is the same element as before; what has the focus in it keeps it.
    const active = document.activeElement;
    keepingFocus(list, () => fill(list, ...shown.map(rowOf)));
    if (active instanceof HTMLElement && list.contains(active)) active.focus({ preventScroll: true });
    const none = loaded && shown.length === 0 && h("p", { class: "empty" }, app.t("answerNobody"));
    fill(foot, none, next !== null && button(app.t("caseMore"), () => void more(), "outlined more"));
  };
  const more = (): Promise<void> =>
    attempt(bench, async () => {
      if (next === null) return;
      const page = await api.due({ limit: PAGE, cursor: next }, asking.signal);
      shown = laidOver(shown, page.callbacks, { wholly: false, now: at });
      next = page.next;
      draw();
    });
  const read = async (signal: AbortSignal): Promise<void> => {
    const page = await api.due({ limit: Math.max(PAGE, Math.min(100, shown.length)) }, signal);
    if (signal.aborted) return;
    shown = laidOver(shown, page.callbacks, { wholly: page.next === null, now: at });
    if (page.next === null || shown.length <= page.callbacks.length) next = page.next;
    loaded = true;
    told(shown.length);
    draw();
  };
  const refresh = atMostEvery(TOGETHER_MS, () => {
    if (!loaded || !calls) return;
    read(asking.signal).catch(() => undefined); // the sign in the strip tells whether the desk follows the city
  });
  const move = (by: number): void => {
    const from = shown.findIndex((one) => one.caller === at);
    const to = from < 0 ? 0 : Math.min(shown.length - 1, Math.max(0, from + by));
    take(shown[to]?.caller ?? null, true);
  };
  const KEYS: Readonly<Record<string, () => void>> = {
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    y: () => form?.answer(true),
    n: () => form?.answer(false),
    p: () => form?.show(),
  };
  const head = (): void => {
    const heading = h("h2", { id: "callbacks-title", class: "hidden-text" }, app.t("caseTab_callbacks"));
    const theirs = h("p", { class: "hint not-yours" }, app.t("answerNotYours"));
    fill(element, heading, rates.element, ...(calls ? [title, list, foot] : [theirs]));
  };
  head();
  return {
    element,
    load: () => {
      asking.abort();
      asking = new AbortController();
      const { signal } = asking;
      void rates.load();
      return calls ? attempt(bench, () => read(signal)) : Promise.resolve();
    },
    heard: refresh,
    pressed({ key, ctrlKey, altKey, metaKey }) {
      if (ctrlKey || altKey || metaKey || !calls) return false;
      const act = KEYS[key.length === 1 ? key.toLowerCase() : key];
      act?.();
      return act !== undefined;
    },
    redraw() {
      head();
      rates.redraw();
      draw();
    },
  };
}
