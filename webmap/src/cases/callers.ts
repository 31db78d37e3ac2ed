/** Who told of a case: masked, and unmasked only for a purpose that is recorded. */
import type { Kind } from "../city/callbacks.ts";
import { unmask } from "../city/callers.ts";
import type { Caller, Case, Incident } from "../city/incidents.ts";
import { may } from "../city/session.ts";
import { fill, h } from "../page/dom.ts";
import { moment } from "../words/format.ts";
import { answering } from "./answering.ts";
import { type Bench, button, codeWord } from "./bench.ts";
import { askPurpose, PARTS, personWords } from "./purpose.ts";

/** States in which a department speaks with callers, and those after which they are called back. */
const AT_WORK: readonly string[] = ["dispatched", "disposing", "disposed", "checked"];
const DONE: readonly string[] = ["closed", "rejected"];

/** `kept`: a call was written down. */
export function callersView(bench: Bench, { incident, callers }: Case, kept: () => void): HTMLElement | null {
  const { app } = bench;
  if (callers.length === 0) return null;
  return h(
    "section",
    { class: "callers" },
    h("h3", {}, app.t("caseCallers", { n: callers.length })),
    h("ul", {}, ...callers.map((caller) => callerLine(bench, incident, caller, kept))),
  );
}

/** What may be written down of a call to somebody now: null of who has no number, or is not ours to call. */
function kindOf({ app }: Bench, { state }: Incident, caller: Caller): Kind | null {
  if (caller.phone === null || caller.reached_at !== null) return null;
  if (AT_WORK.includes(state) && may(app.city.who, "incident.dispose")) return "contact";
  return DONE.includes(state) && may(app.city.who, "hotline.take") ? "callback" : null;
}

function callerLine(bench: Bench, incident: Incident, caller: Caller, kept: () => void): HTMLLIElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const person = h("p", { class: "person" }, personWords(caller) || app.t("caseAnonymous"));
  const asking = h("div", {});
  const way = [codeWord(bench, "channel", caller.channel), caller.line ?? "", moment(lang, caller.at)].filter(Boolean);
  const read = (purpose: string) => unmask(caller.id, purpose);
  const reveal = button(app.t("caseUnmask"), () => askPurpose(bench, asking, { person, read }), "link");
  const kind = kindOf(bench, incident, caller);
  const call = (of: Kind): void => {
    const done = (): void => {
      bench.say(app.t(of === "callback" ? "answerKept" : "answerContacted", { id: incident.id }));
      kept();
    };
    const cancel = (): void => fill(asking);
    const form = answering(bench, { kind: of, incident: incident.id, caller: caller.id }, { done, cancel });
    fill(asking, form.element);
    form.element.querySelector<HTMLElement>("input")?.focus();
  };
  return h(
    "li",
    {},
    person,
    h("p", { class: "hint" }, way.join(" · ")),
    caller.reached_at !== null && h("p", { class: "hint" }, calledBack(bench, caller)),
    PARTS.some((part) => caller[part] !== null) && reveal,
    kind !== null &&
      button(app.t(kind === "callback" ? "answerCallback" : "answerContact"), () => call(kind), "link call-up"),
    asking,
  );
}

function calledBack({ app }: Bench, { reached_at, solved, satisfied }: Caller): string {
  const word = (told: boolean | null): string => (told === null ? "–" : app.t(told ? "yes" : "no"));
  return app.t("caseCalledBack", {
    time: moment(app.store.get().lang, reached_at ?? ""),
    solved: word(solved),
    satisfied: word(satisfied),
  });
}
