/** One case beside the queue: what it is, what may be done, who told of it, and every step that it took. */

import type { Carries, Case, Offer, Step } from "../city/incidents.ts";
import * as api from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import { actionsView } from "./actions.ts";
import { type Bench, button, codeWord, lightSign } from "./bench.ts";
import { callersView } from "./callers.ts";
import { atOnce } from "./carried.ts";
import { duplicatesView } from "./duplicates.ts";
import { factsView } from "./facts.ts";
import { formFor } from "./form.ts";
import { photosView } from "./photos.ts";
import { responsibleView } from "./responsible.ts";
import { timeLeft } from "./row.ts";
import { timelineView } from "./timeline.ts";

export interface CaseView {
  element: HTMLElement;
  open(id: string): Promise<void>;
  close(): void;
  /** It changed somewhere. */
  heard(): void;
  /** Take a step, or open its form. */
  press(step: string, fill?: boolean): void;
  redraw(): void;
}

export interface CaseEars {
  /** It is read, or read anew; null: it is closed. */
  read(found: Case | null): void;
  /** A step of this desk was taken. */
  stepped(id: string): void;
}

export function caseView(bench: Bench, ears: CaseEars): CaseView {
  const { app } = bench;
  const element = h("article", { class: "case", aria: { labelledby: "case-title" } });
  const notice = h("div", { class: "conflict", role: "alert", hidden: true });
  const form = h("div", { class: "step-form" });
  let held: Case | null = null;
  let reading = new AbortController();
  let busy = false;

  const lastStep = (of: Case | null): number => of?.steps.reduce((most, { id }) => Math.max(most, id), 0) ?? 0;
  const warn = (...children: (Node | string)[]): void => {
    notice.hidden = children.length === 0;
    fill(notice, ...children);
  };
  const read = async (id: string, signal: AbortSignal): Promise<void> => {
    const found = await api.incident(id, signal);
    if (signal.aborted) return;
    held = found;
    draw();
    ears.read(found);
  };
  const open = async (id: string): Promise<void> => {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    const other = held?.incident.id !== id;
    if (other) {
      held = null;
      warn();
      fill(form);
      fill(element, closing(), h("p", { class: "hint" }, "…"));
    }
    try {
      await read(id, signal);
      if (other) element.scrollTo(0, 0);
    } catch (error) {
      if (signal.aborted) return;
      fill(element, closing(), h("p", { class: "complaint", role: "alert" }, why(app, error)));
    }
  };
  const closing = (): HTMLElement => {
    const away = iconButton("close", app.t("caseClose"), () => bench.go({ beside: null }));
    return h("div", { class: "case-close" }, away);
  };
  /** Somebody else was quicker: what they did, and the case as it is now. */
  const conflict = async (id: string, seen: number, error: unknown): Promise<void> => {
    await read(id, reading.signal);
    const since = held?.steps.filter((step) => step.id > seen) ?? [];
    if (since.length === 0) throw error;
    const lines = since.map((step) => h("li", {}, sinceWords(bench, step)));
    warn(h("b", {}, app.t("caseOvertaken")), h("ul", {}, ...lines), h("p", {}, app.t("caseLookAgain")));
    element.scrollTo(0, 0);
  };
  const take = async (offer: Offer, carries: Carries, key: string): Promise<string | null> => {
    if (held === null || busy) return null;
    const { id } = held.incident;
    const seen = lastStep(held);
    busy = true;
    try {
      await api.takeStep(id, offer.step, { expected: seen, carries, key });
      warn();
      fill(form);
      bench.say(app.t("caseDone", { step: app.title(offer.title), id }));
      await read(id, reading.signal);
      // The form that had the focus is gone.
      if (document.activeElement === document.body)
        element.querySelector<HTMLElement>("#case-title")?.focus({ preventScroll: true });
      ears.stepped(id);
      return null;
    } catch (error) {
      if (!api.overtaken(error)) return why(app, error);
      fill(form);
      return conflict(id, seen, error).then(
        () => null,
        (kept: unknown) => why(app, kept),
      );
    } finally {
      busy = false;
    }
  };
  const press = (step: string, filling = false): void => {
    const offer = held?.offers.find((each) => each.step === step);
    if (held === null || offer === undefined) return;
    if (!offer.allowed) {
      warn(offer.why === null ? app.title(offer.title) : app.title(offer.why));
      return;
    }
    warn();
    if (atOnce(offer) && !filling) void take(offer, {}, newKey()).then((wrong) => wrong !== null && warn(wrong));
    else formFor(form, bench, held, offer, (carries, key) => take(offer, carries, key));
  };
  const merge = (into: string): void => {
    const offer = held?.offers.find(({ step }) => step === "merge");
    if (offer !== undefined) void take(offer, { into }, newKey()).then((wrong) => wrong !== null && warn(wrong));
  };
  const draw = (): void => {
    if (held === null) return;
    const { incident } = held;
    const head = h(
      "header",
      { class: "case-head" },
      h(
        "p",
        { class: "kicker" },
        lightSign(bench, incident.light),
        h("span", {}, codeWord(bench, "level", incident.level)),
        h("span", { class: "state" }, codeWord(bench, "state", incident.state)),
        timeLeft(bench, incident, Date.now()),
      ),
      h("h2", { id: "case-title", tabIndex: -1 }, incident.title),
      h("p", { class: "number" }, incident.id),
    );
    const active = document.activeElement;
    const within = active instanceof HTMLElement && active !== element && element.contains(active);
    fill(
      element,
      closing(),
      head,
      notice,
      actionsView(bench, held.offers, press),
      form,
      factsView(bench, incident),
      responsibleView(bench, incident, reading.signal),
      photosView(bench, held, reading.signal),
      callersView(bench, held, () => void read(incident.id, reading.signal).catch(() => undefined)),
      duplicatesView(bench, held, merge, reading.signal),
      timelineView(bench, held.steps),
    );
    // Who was at a button goes on from the same one, or from the head of the case; what is being filled in stays.
    if (within && !element.contains(document.activeElement)) {
      const { step } = active.dataset;
      const same = step === undefined ? null : element.querySelector<HTMLElement>(`.actions [data-step="${step}"]`);
      (same ?? element.querySelector<HTMLElement>("#case-title"))?.focus({ preventScroll: true });
    }
  };
  return {
    element,
    open,
    close() {
      reading.abort();
      held = null;
      fill(form);
      warn();
      fill(element);
      ears.read(null);
    },
    heard() {
      const before = held;
      if (before === null || busy) return;
      const { id } = before.incident;
      // What somebody is writing stays under the hand: they are told, and the server refuses what no longer fits.
      if (form.childElementCount === 0 && element.querySelector(".answering, .purpose") === null) {
        void read(id, reading.signal).catch(() => undefined);
        return;
      }
      void api
        .incident(id, reading.signal)
        .then((found) => {
          const since = found.steps.filter((step) => step.id > lastStep(before));
          if (since.length === 0 || held !== before) return;
          const look = button(app.t("caseLook"), () => {
            warn();
            fill(form);
            void open(id);
          });
          warn(h("ul", {}, ...since.map((step) => h("li", {}, sinceWords(bench, step)))), look);
        })
        .catch(() => undefined);
    },
    press,
    redraw: draw,
  };
}

const sinceWords = (bench: Bench, step: Step): string =>
  bench.app.t("caseSince", {
    who: step.actor,
    what: bench.app.title(step.title),
    time: moment(bench.app.store.get().lang, step.at),
  });
