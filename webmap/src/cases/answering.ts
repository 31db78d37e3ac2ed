/** The form for a call to a caller: the number for the purpose that is recorded, a question at a time, words. */
import * as api from "../city/callbacks.ts";
import { unmask } from "../city/callers.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { type Answers, answered, NOTHING_ANSWERED, nextOf, type Question, questionsOf, toldOf } from "./answers.ts";
import { type Bench, button } from "./bench.ts";

const MOST_TEXT = 500;
/** The purpose that the server records when a number is shown to be called. */
const PURPOSE: Record<api.Kind, string> = { callback: "callback", contact: "dispose" };

export interface Answering {
  element: HTMLElement;
  /** Answer the question that waits. */
  answer(yes: boolean): void;
  show(): void;
  send(): void;
}

export interface Asked {
  kind: api.Kind;
  incident: string;
  caller: number;
}

/** `done` is told how it went once the server has it. */
export function answering(
  bench: Bench,
  { kind, incident, caller }: Asked,
  { done, cancel }: { done: (told: api.Told) => void; cancel?: () => void },
): Answering {
  const { app } = bench;
  let answers: Answers = NOTHING_ANSWERED;
  let busy = false;
  const person = h("p", { class: "person", aria: { live: "polite" } });
  const asking = h("div", { class: "questions" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const text = h("textarea", { id: `answer-text-${caller}`, rows: 2, maxLength: MOST_TEXT });
  const submit = h("button", { type: "submit", class: "primary" }, app.t("answerSave"));
  const reveal = button(app.t("answerNumber"), () => show(), "outlined");
  const draw = (): void => {
    fill(asking, ...questionsOf(kind, answers).map((question) => choice(question)));
    submit.disabled = busy || toldOf(kind, answers, text.value) === null;
  };
  const choose = (question: Question, yes: boolean): void => {
    answers = answered(answers, question, yes);
    draw();
    const next = nextOf(kind, answers);
    const wanted = next === null ? submit : asking.querySelector<HTMLElement>(`[data-ask="${next}"] input`);
    wanted?.focus();
  };
  const choice = (question: Question): HTMLElement => {
    const option = (yes: boolean): HTMLElement => {
      const name = `answer-${question}-${caller}`;
      const input = h("input", { type: "radio", name, value: String(yes), checked: answers[question] === yes });
      input.onchange = () => choose(question, yes);
      return h("label", { class: "chip" }, input, app.t(`answer_${question}_${yes}`));
    };
    return h(
      "fieldset",
      { class: "asked", data: { ask: question } },
      h("legend", {}, app.t(`answer_${question}`)),
      option(true),
      option(false),
    );
  };
  const show = (): void => {
    reveal.disabled = true;
    unmask(caller, PURPOSE[kind]).then(
      ({ name, phone }) => {
        const number = phone === null ? null : h("a", { href: `tel:${phone.replaceAll(/[^\d+]/g, "")}` }, phone);
        fill(person, h("b", {}, name ?? app.t("caseAnonymous")), " ", number);
        reveal.hidden = true;
      },
      (error: unknown) => {
        reveal.disabled = false;
        wrong.textContent = why(app, error);
      },
    );
  };
  const send = (): void => {
    const told = toldOf(kind, answers, text.value);
    if (told === null || busy) return;
    busy = true;
    draw();
    wrong.textContent = "";
    api.callBack(incident, caller, told).then(
      () => done(told),
      (error: unknown) => {
        busy = false;
        draw();
        wrong.textContent = why(app, error);
      },
    );
  };
  const form = h(
    "form",
    { class: "answering", aria: { label: app.t(kind === "callback" ? "answerCallback" : "answerContact") } },
    h("div", { class: "number-line" }, reveal, person),
    asking,
    h("label", { htmlFor: text.id }, app.t("answerText") + app.t("caseOptional")),
    text,
    wrong,
    h("footer", {}, cancel ? button(app.t("cancel"), cancel) : null, submit),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    send();
  };
  text.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
  };
  draw();
  return {
    element: form,
    show,
    send,
    answer(yes) {
      const question = nextOf(kind, answers);
      if (question !== null) choose(question, yes);
    },
  };
}
