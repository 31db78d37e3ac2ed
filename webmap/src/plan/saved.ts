/** The questions that are ready and those that are kept: taken up, run again, their runs compared, taken away. */

import type { KeptQuestion, Run } from "../city/questions.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { failure, why } from "../page/why.ts";
import { moment, number, second } from "../words/format.ts";
import type { Bench } from "./bench.ts";
import { type Compared, compare } from "./compare.ts";
import { button, choice, labelled } from "./controls.ts";
import type { Shelf } from "./shelf.ts";

export interface Saved {
  /** Ask for the list again. */
  refresh(): Promise<void>;
  /** Make room for a question of one's own. */
  fold(): void;
  /** The one that the form shows, as long as it is the same. */
  current(): KeptQuestion | null;
  take(question: KeptQuestion | null): void;
  find(id: string): KeptQuestion | undefined;
}

export function savedQuestions(
  element: HTMLElement,
  bench: Bench,
  shelf: Shelf,
  taken: (question: KeptQuestion) => void,
  compared: (compared: Compared) => void,
): Saved {
  const { app } = bench;
  let list: KeptQuestion[] = [];
  let current: KeptQuestion | null = null;
  let runsOpen = false;
  const problem = h("p", { class: "wrong", role: "alert" });
  const shelfOf = h("details", { class: "shelf", open: true });

  const entry = (question: KeptQuestion): HTMLElement => {
    const title = app.title(question.title);
    const mine = current?.id === question.id;
    const take = h(
      "button",
      { type: "button", class: "question", data: { question: question.id }, aria: { pressed: String(mine) } },
      title,
    );
    take.onclick = () => taken(question);
    const remove = question.ready
      ? null
      : iconButton("close", app.t("planForget", { name: title }), () => void forget(question));
    return h("li", {}, h("div", { class: "question-line" }, take, remove));
  };
  const card = (question: KeptQuestion): HTMLElement => {
    const { lang } = app.store.get();
    const { last, about } = question;
    return h(
      "div",
      { class: "current" },
      h("h2", {}, app.title(question.title)),
      about ? h("p", { class: "detail" }, app.title(about)) : null,
      last
        ? h("p", { class: "detail" }, app.t("planLast", { time: moment(lang, last.at), n: number(lang, last.rows) }))
        : null,
      runsOf(question),
    );
  };
  const forget = async (question: KeptQuestion): Promise<void> => {
    if (
      !(await sure(
        app.t("planForgetSure", { name: app.title(question.title) }),
        app.t("planForgetYes"),
        app.t("cancel"),
      ))
    )
      return;
    try {
      await shelf.forget(question.id);
      if (current?.id === question.id) current = null;
      await refresh();
    } catch (error) {
      problem.textContent = why(app, error);
    }
  };
  const runsOf = (question: KeptQuestion): HTMLElement => {
    const place = h("details", { class: "runs", open: runsOpen }, h("summary", {}, app.t("planRuns")));
    place.ontoggle = () => {
      runsOpen = place.open;
    };
    void shelf
      .runs(question.id)
      .then((runs) => place.append(...runsChooser(bench, shelf, question, runs, compared)))
      .catch((error: unknown) => place.append(h("p", { class: "wrong" }, why(app, error))));
    return place;
  };
  const draw = (): void => {
    const ready = list.filter((each) => each.ready);
    const kept = list.filter((each) => !each.ready);
    fill(
      shelfOf,
      h("summary", {}, app.t("planSaved")),
      h("h3", {}, app.t("planReady")),
      h("ul", { class: "questions" }, ...ready.map(entry)),
      h("h3", {}, app.t("planKept")),
      shelf.atServer ? null : h("p", { class: "hint" }, app.t("planKeptHere")),
      kept.length === 0
        ? h("p", { class: "hint" }, app.t("planKeptNone"))
        : h("ul", { class: "questions" }, ...kept.map(entry)),
    );
    const hint = h("p", { class: "hint" }, app.t("planHint"));
    fill(
      element,
      h("h2", { class: "page-name" }, app.t("planTitle")),
      current === null ? hint : null,
      problem,
      shelfOf,
      current === null ? null : card(current),
    );
  };
  const refresh = async (): Promise<void> => {
    try {
      list = await shelf.list();
      problem.textContent = "";
      const id = current?.id;
      current = list.find((each) => each.id === id) ?? null;
    } catch (error) {
      problem.textContent = failure(app, error);
    }
    draw();
  };
  app.store.on(["lang"], draw);
  return {
    refresh,
    current: () => current,
    take(question) {
      if (current?.id === question?.id) return;
      current = question;
      shelfOf.open = question === null;
      draw();
    },
    fold() {
      shelfOf.open = false;
    },
    find: (id) => list.find((each) => each.id === id),
  };
}

/** Two runs to choose, the last two at first, and the button that compares them. */
function runsChooser(
  bench: Bench,
  shelf: Shelf,
  question: KeptQuestion,
  runs: readonly Run[],
  compared: (compared: Compared) => void,
): HTMLElement[] {
  const { app } = bench;
  const { lang } = app.store.get();
  const timeOf = (run: Run): string => {
    const minute = moment(lang, run.at);
    return runs.filter((each) => moment(lang, each.at) === minute).length > 1 ? second(lang, run.at) : minute;
  };
  const said = (run: Run): string => app.t("planRunAt", { time: timeOf(run), n: number(lang, run.rows) });
  if (runs.length === 0) return [h("p", { class: "hint" }, app.t("planRunsNone"))];
  if (runs.length === 1) return runs.map((run) => h("p", { class: "detail" }, said(run)));
  let [later, earlier] = [String(runs[0]?.id), String(runs[1]?.id)];
  const options = runs.map((run) => [String(run.id), said(run)] as const);
  const problem = h("p", { class: "wrong", role: "alert" });
  const run = async (): Promise<void> => {
    // Newest first; what was chosen the wrong way round is compared the right way.
    const [after, before] = runs.filter((each) => [earlier, later].includes(String(each.id)));
    problem.textContent = before === undefined ? app.t("planCompareSelf") : "";
    if (before === undefined || after === undefined) return;
    try {
      const [old, now] = await Promise.all([shelf.summary(question.id, before), shelf.summary(question.id, after)]);
      compared({ title: question.title, earlier: before, later: after, timeOf, found: compare(old, now) });
    } catch (error) {
      problem.textContent = why(app, error);
    }
  };
  return [
    labelled(
      app.t("planEarlier"),
      choice("plan-earlier", options, earlier, (id) => {
        earlier = id;
      }),
    ),
    labelled(
      app.t("planLater"),
      choice("plan-later", options, later, (id) => {
        later = id;
      }),
    ),
    button(app.t("planCompare"), () => void run(), { class: "outlined", id: "plan-compare" }),
    problem,
  ];
}

function sure(text: string, yes: string, no: string): Promise<boolean> {
  return new Promise((settle) => {
    const dialog = h("dialog", { aria: { label: text } });
    const end = (answer: boolean) => () => {
      settle(answer);
      dialog.close();
    };
    fill(
      dialog,
      h("p", {}, text),
      h("footer", {}, button(no, end(false)), button(yes, end(true), { class: "primary" })),
    );
    dialog.onclose = () => {
      settle(false);
      dialog.remove();
    };
    document.body.append(dialog);
    dialog.showModal();
  });
}
