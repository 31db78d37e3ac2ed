/** How a job goes, asked for until it is over. */
import type { Work } from "../city/intake.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";

const ASK_MS = 500;
const STAGES: Record<string, Word> = {
  reading: "dataStage_reading",
  checking: "dataStage_checking",
  placing: "dataStage_placing",
  cells: "dataStage_cells",
  "search terms": "dataStage_terms",
  records: "dataStage_records",
  undo: "dataStage_undo",
};
/** A job that waits for so long has no worker. */
const NO_WORKER_S = 10;

export const atWork = (work: Work | null): boolean => work?.state === "queued" || work?.state === "running";

/** Ask again and again until the job is over, or `over` aborts; returns what was answered last. */
export async function followed<T>(
  ask: () => Promise<T>,
  workOf: (answer: T) => Work | null,
  told: (work: Work) => void,
  over: AbortSignal,
): Promise<T> {
  for (;;) {
    const answer = await ask();
    over.throwIfAborted();
    const work = workOf(answer);
    if (work !== null) told(work);
    if (!atWork(work)) return answer;
    await new Promise((settle) => setTimeout(settle, ASK_MS));
    over.throwIfAborted();
  }
}

/** How much of the whole is done: the stages that are over, and the part of this one. */
export function shareDone({ steps, step = 1, done, amount }: Work): number {
  if (steps === 0) return 0;
  const part = done != null && amount ? Math.min(1, done / amount) : 0;
  return Math.min(1, (Math.max(0, step - 1) + part) / steps);
}

function amountDone(app: App, { done, amount }: Work): string {
  const n = (value: number) => number(app.store.get().lang, value);
  if (amount != null && done != null) return app.t("dataOfRows", { done: n(Math.min(done, amount)), all: n(amount) });
  const known = amount ?? done;
  return known ? app.t("dataRows", { n: n(known) }) : "";
}

/** A bar with the stage in words; returns the element and what to call with each state. */
export function progressBar(app: App, cancel: (() => void) | null): { element: HTMLElement; tell(work: Work): void } {
  const bar = h("progress", { max: 1 });
  const text = h("span", { role: "status" });
  const stop = h("button", { type: "button", onclick: cancel }, app.t("cancel"));
  const element = h("div", { class: "working" }, bar, text, cancel !== null && stop);
  return {
    element,
    tell(work) {
      if (work.state === "queued") bar.removeAttribute("value");
      else bar.value = shareDone(work);
      bar.setAttribute("aria-label", app.t(`dataWork_${work.kind}`));
      const late = work.state === "queued" && Date.now() / 1000 - work.since > NO_WORKER_S;
      const stage = STAGES[work.stage ?? ""];
      const doing = stage === undefined ? app.t(`dataWork_${work.kind}`) : app.t(stage);
      const much = amountDone(app, work);
      const told = late
        ? app.t("dataNoWorker")
        : work.state === "queued"
          ? app.t("dataQueued")
          : `${doing}${much && ` ${much}`}${work.steps > 0 ? ` (${work.step ?? 1}/${work.steps})` : ""}`;
      if (text.textContent !== told) fill(text, told);
    },
  };
}
