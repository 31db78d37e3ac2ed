/** What would be asked, as the server says it: in words, as CQL2 and as JSON; or what is still missing. */

import type { Plan } from "../city/questions.ts";
import * as questions from "../city/questions.ts";
import { copyButton } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { number } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import type { Bench } from "./bench.ts";
import { lacks } from "./question.ts";

const WAIT_MS = 250;

/** `told` is called with what the server said, or null while the question cannot be asked. */
export function telling(element: HTMLElement, bench: Bench, told: (plan: Plan | null) => void): void {
  const { app } = bench;
  const statement = h("p", { class: "statement", role: "status" });
  const note = h("p", { class: "hint" });
  const forms = h("details", { class: "forms" });
  let asking = new AbortController();
  let timer = 0;
  let last: Plan | null = null;

  const say = (plan: Plan): void => {
    statement.classList.remove("lacking", "wrong");
    statement.textContent = app.title(plan.statement);
    note.textContent =
      plan.estimate === null ? "" : app.t("planEstimate", { n: number(app.store.get().lang, plan.estimate) });
    const json = JSON.stringify(plan.asked, null, 1);
    const text = plan.cql2?.text ?? "";
    const open = forms.open;
    fill(
      forms,
      h("summary", {}, `${app.t("planCql2")} · ${app.t("planJson")}`),
      text === ""
        ? h("p", { class: "hint" }, plan.cql2 === null && plan.layer !== null ? app.t("planNoCql2") : "")
        : h("div", { class: "form-text" }, h("pre", { class: "code cql2", tabIndex: 0 }, text), copyButton(app, text)),
      h("div", { class: "form-text" }, h("pre", { class: "code json", tabIndex: 0 }, json), copyButton(app, json)),
    );
    forms.open = open;
    forms.hidden = false;
  };
  const refuse = (text: string, kind: "lacking" | "wrong"): void => {
    statement.classList.toggle("lacking", kind === "lacking");
    statement.classList.toggle("wrong", kind === "wrong");
    statement.textContent = text;
    note.textContent = "";
    forms.hidden = true;
    last = null;
    told(null);
  };
  const ask = async (): Promise<void> => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    try {
      const plan = await questions.plan(bench.draft(), signal);
      if (signal.aborted) return;
      last = plan;
      say(plan);
      told(plan);
    } catch (error) {
      if (!signal.aborted) refuse(app.t("planCannotAsk", { why: why(app, error) }), "wrong");
    }
  };
  const update = (): void => {
    clearTimeout(timer);
    asking.abort();
    const missing = lacks(bench.draft());
    if (missing.length > 0) {
      const what = missing
        .map((each) => app.t(`planLack_${each}` as Word))
        .join(app.store.get().lang === "zh" ? "、" : ", ");
      refuse(app.t("planLacks", { what }), "lacking");
    } else timer = window.setTimeout(() => void ask(), WAIT_MS);
  };
  const title = h("h3", {});
  const name = () => {
    title.textContent = app.t("planWillAsk");
    if (last !== null) say(last);
    else update();
  };
  fill(element, title, statement, note, forms);
  bench.onChange(update);
  app.store.on(["lang"], name);
  name();
}
