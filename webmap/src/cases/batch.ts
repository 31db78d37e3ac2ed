/** Several cases at once: the steps that they have in common, one form for all, and each one's own result. */

import type { Carries, Offer, StepResult } from "../city/incidents.ts";
import * as api from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { number } from "../words/format.ts";
import { attempt, type Bench, button, stepWord } from "./bench.ts";
import { atOnce } from "./carried.ts";
import { inCommon } from "./common.ts";
import { formFor } from "./form.ts";
import { STEP_KEYS } from "./keys.ts";

const MOST = 100;
/** So many of the chosen are looked at to know what may be done with them. */
const LOOKED_AT = 5;

export interface BatchView {
  element: HTMLElement;
  chosen(ids: readonly string[]): void;
  /** Take a step with what is chosen. */
  press(step: string, fill?: boolean): void;
  /** Take a step with others than those that are chosen. */
  take(ids: readonly string[], step: string, carries: Carries): Promise<void>;
}

export interface BatchEars {
  done(): void;
  none(): void;
}

export function batchView(bench: Bench, ears: BatchEars): BatchView {
  const { app } = bench;
  const bar = h("div", { class: "batch-bar", hidden: true });
  const form = h("div", { class: "step-form" });
  const results = h("div", { class: "results", role: "status" });
  const element = h("section", { class: "batch", aria: { label: app.t("caseBatch") } }, bar, form, results);
  let ids: readonly string[] = [];
  let offers: readonly Offer[] = [];
  let asking = new AbortController();

  const run = async (
    of: readonly string[],
    offer: Pick<Offer, "step">,
    words: string,
    carries: Carries,
  ): Promise<string | null> => {
    try {
      const told = await api.takeSteps(of.slice(0, MOST), offer.step, { carries, key: newKey() });
      fill(form);
      show(words, told.results);
      ears.done();
      return null;
    } catch (error) {
      return why(app, error);
    }
  };
  const press = (step: string, filling = false): void => {
    const offer = offers.find((each) => each.step === step);
    if (offer === undefined || ids.length === 0) return;
    const of = ids;
    const words = app.title(offer.title);
    if (atOnce(offer) && !filling) void run(of, offer, words, {}).then((wrong) => bench.complain(wrong));
    else formFor(form, bench, null, offer, (carries) => run(of, offer, words, carries));
  };
  const show = (words: string, told: readonly StepResult[]): void => {
    const done = told.filter((each) => each.done).length;
    const lines = told
      .filter((each) => !each.done)
      .map((each) => h("li", {}, h("b", {}, each.id), " ", resultWords(bench, each)));
    const { lang } = app.store.get();
    const sum = app.t("caseBatchDone", { step: words, n: number(lang, done), of: number(lang, told.length) });
    const away = iconButton("close", app.t("caseClose"), () => fill(results));
    fill(results, h("p", {}, h("b", {}, sum), away), lines.length > 0 && h("ul", {}, ...lines));
  };
  const draw = (): void => {
    bar.hidden = ids.length === 0;
    if (bar.hidden) {
      fill(form);
      return;
    }
    const buttons = offers.map((offer) => {
      const key = STEP_KEYS[offer.step];
      return h(
        "button",
        { type: "button", class: "outlined", data: { step: offer.step }, onclick: () => press(offer.step) },
        app.title(offer.title),
        key !== undefined && h("kbd", {}, key.toUpperCase()),
      );
    });
    const over = ids.length > MOST && h("span", { class: "hint" }, app.t("caseBatchMost", { n: MOST }));
    const count = h("b", {}, app.t("caseChosen", { n: number(app.store.get().lang, ids.length) }));
    fill(
      bar,
      h("p", {}, count, over, button(app.t("caseChooseNone"), ears.none, "link")),
      h("div", { class: "buttons" }, ...buttons),
    );
  };
  const look = async (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    await attempt(bench, async () => {
      const found = await Promise.all(ids.slice(0, LOOKED_AT).map((id) => api.incident(id, signal)));
      if (signal.aborted) return;
      offers = inCommon(found.map((each) => each.offers));
      draw();
    });
  };
  return {
    element,
    chosen(now) {
      ids = now;
      draw();
      if (ids.length > 0) void look();
    },
    press,
    async take(of, step, carries) {
      const wrong = await run(of, { step }, stepWord(bench, step), carries);
      if (wrong !== null) bench.complain(wrong);
    },
  };
}

const resultWords = ({ app }: Bench, { why: told, code }: StepResult): string =>
  told !== undefined ? app.title(told) : (code ?? app.t("caseNotDone"));
