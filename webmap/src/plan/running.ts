/** One run at a time: asked, fetched, cancelled; what it is doing and for how long is told meanwhile. */

import type { Page } from "../city/questions.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { number } from "../words/format.ts";
import { type Answer, MOST_ROWS, whole } from "./answer.ts";
import type { Bench } from "./bench.ts";
import { button } from "./controls.ts";

const TICK_MS = 100;

export interface Runner {
  /** Ask by `asking`, and hand on what came; nothing if it was cancelled or failed. */
  run(asking: (signal: AbortSignal) => Promise<Page>): Promise<Answer | null>;
  running(): boolean;
}

export function runner(element: HTMLElement, bench: Bench): Runner {
  const { app } = bench;
  let pending: AbortController | null = null;
  const phase = h("span", { role: "status" });
  const clock = h("span", { class: "clock", aria: { hidden: "true" } });

  const end = (text: string, kind: "" | "wrong"): void => {
    fill(element, h("p", { class: kind, role: kind === "wrong" ? "alert" : "status" }, text));
    element.hidden = text === "";
  };
  const begin = (cancel: () => void): (() => void) => {
    const started = performance.now();
    const tick = (): void => {
      clock.textContent = app.t("planSeconds", { n: ((performance.now() - started) / 1000).toFixed(1) });
    };
    tick();
    const timer = window.setInterval(tick, TICK_MS);
    fill(element, phase, clock, button(app.t("planCancel"), cancel, { class: "outlined", id: "plan-cancel" }));
    element.hidden = false;
    return () => clearInterval(timer);
  };
  return {
    running: () => pending !== null,
    async run(asking) {
      pending?.abort();
      const mine = new AbortController();
      pending = mine;
      const stopClock = begin(() => mine.abort());
      phase.textContent = app.t("planPhase_asking");
      try {
        const page = await asking(mine.signal);
        const all = Math.min(page.count, MOST_ROWS);
        const { lang } = app.store.get();
        const told = (n: number): void => {
          phase.textContent = app.t("planPhase_reading", { n: number(lang, n), all: number(lang, all) });
        };
        const answer = await whole(page, mine.signal, told);
        if (pending !== mine) return null;
        end("", "");
        return answer;
      } catch (error) {
        if (pending !== mine) return null;
        if (mine.signal.aborted) end(app.t("planCancelled"), "");
        else end(app.t("planFailed", { why: why(app, error) }), "wrong");
        return null;
      } finally {
        stopClock();
        if (pending === mine) pending = null;
      }
    },
  };
}
