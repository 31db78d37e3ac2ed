/** One need: its facts, who can serve it, and what to do next. */
import type { LonLat } from "../city/api.ts";
import { type Need, type NeedOffer, reveal } from "../city/care.ts";
import { newKey } from "../city/items.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import { happenedText } from "../words/happened.ts";
import type { Word } from "../words/i18n.ts";
import type { Care } from "./acts.ts";
import { entryWord } from "./chips.ts";
import { needName } from "./needlist.ts";
import type { Done } from "./outbox.ts";
import { done, type Phone, type View, waitingOf } from "./phone.ts";
import type { Filed } from "./reportview.ts";
import { showServers } from "./servers.ts";

/** Arranging with one of the list is done there: what stands below is the other way. */
const OTHERWISE: Readonly<Record<string, Word>> = { refer: "careToCase", arrange: "careArrangeOther" };

/** What the page does for a need beside showing it. */
export interface Toward {
  /** Report it as a case at a place, with words; `filed` is told what the case is called. */
  report(at: LonLat, words: string, filed: Filed): void;
}

export function needView(phone: Phone, { report }: Toward): View {
  const { app, care, lang } = phone;
  const element = h("section", { class: "view need", aria: { label: app.t("careNeeds") } });
  const facts = h("div", { class: "scroll" });
  const person = h("div", { class: "person" });
  const servers = h("div", { class: "servers" });
  const actions = h("div", { class: "actions" });
  let id = 0;
  const shown = (): Need | undefined => care.needs().find((each) => each.id === id);

  const act = async (need: Need, step: string, given: Partial<Care>): Promise<void> => {
    const kept = await done(phone, [stepAct(phone, need, step, given)]);
    if (!kept) return;
    phone.say(app.t("gridQueuedStep", { title: need.offers.find((each) => each.step === step)?.title[lang] ?? step }));
    update();
  };
  const take = (need: Need, offer: NeedOffer): void => {
    if (offer.step === "refer") {
      const words = [entryWord(care.words()?.kinds, need.kind, lang), need.words].filter(Boolean).join("：");
      const fills = (of: string): Partial<Care> => ({ fills: [{ field: "incident", of, many: false }] });
      report([need.lon, need.lat], words, (of) => act(need, "refer", fills(of)));
    } else if (offer.carries === "note" || offer.carries === "provider") {
      fill(
        actions,
        noteForm(phone, offer, { taken: (note) => void act(need, offer.step, { body: { note } }), closed: update }),
      );
      actions.querySelector("textarea")?.focus();
    } else void act(need, offer.step, {});
  };
  const update = (): void => {
    const need = shown();
    if (need === undefined) {
      fill(facts, h("p", { class: "nothing" }, app.t("gridNotDetailed")));
      fill(actions);
      return;
    }
    const arranging = need.offers.some(({ step }) => step === "arrange") && waitingOf(phone, needName(id)).length === 0;
    if (arranging) {
      const codes = [need.grid_id, need.admin_code].filter((code) => code !== null);
      const when = need.wish_at === null ? null : new Date(need.wish_at);
      const wish = { kind: need.kind, at: [need.lon, need.lat] as LonLat, codes, when };
      showServers(servers, phone, wish, (provider) => void act(need, "arrange", { body: { provider } }));
    } else fill(servers);
    fill(facts, ...factsOf(phone, need), person, servers, soFar(phone, need));
    if (actions.querySelector("form") === null) fill(actions, ...buttons(phone, need, take));
  };
  fill(element, facts, actions);
  return {
    element,
    update,
    show(part) {
      id = Number(part);
      fill(actions);
      fill(person);
      const need = shown();
      if (need !== undefined) fill(person, ...contactOf(phone, need));
      update();
      facts.scrollTop = 0;
    },
  };
}

/** On top of what still waits, the phone knows no step to expect. */
function stepAct(phone: Phone, need: Need, step: string, { body = {}, fills = [] }: Partial<Care>): Done {
  const of = needName(need.id);
  const expected = waitingOf(phone, of).length > 0 ? null : Math.max(...need.steps.map((each) => each.id));
  const title = entryWord(phone.care.words()?.kinds, need.kind, phone.lang);
  const path = `/needs/${need.id}/steps`;
  return { of, key: newKey(), title, doing: { kind: "needStep", path, body: { step, ...body }, fills, expected } };
}

function factsOf(phone: Phone, need: Need): HTMLElement[] {
  const { app, lang, care } = phone;
  // What a phone has kept since before names came with a need has none.
  const provider = need.provider && (need.providers?.[need.provider] ?? need.provider);
  const rows: [string, string | null][] = [
    [app.t("gridState"), entryWord(care.words()?.states, need.state, lang)],
    [app.t("careSaid"), need.words],
    [app.t("careWishAt"), need.wish_at === null ? null : moment(lang, need.wish_at)],
    [app.t("careProvider"), provider],
    [app.t("careCase"), need.incident],
    [app.t("careTold"), moment(lang, need.told_at)],
  ];
  const list = rows
    .filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "")));
  const title = entryWord(care.words()?.kinds, need.kind, lang);
  const mark = need.scenario === null ? "" : `【${app.t("gridExercise")}】`;
  return [h("h2", { class: "headline" }, mark, title), h("dl", {}, ...list)];
}

/** Who asked, masked; in the clear only when asked for, and never kept. */
function contactOf(phone: Phone, need: Need): HTMLElement[] {
  const { app, care } = phone;
  const masked = [need.name, need.phone, need.home].filter((text) => text !== null);
  if (masked.length === 0) return need.cleared_at === null ? [] : [h("p", { class: "told" }, app.t("careCleared"))];
  const told = h("p", {}, masked.join(" · "));
  if (!care.rights.take) return [told];
  const hint = h("p", { class: "told", role: "status" }, app.t("careRevealWhy"));
  const button = h(
    "button",
    { type: "button", class: "outlined wide", data: { key: "reveal" } },
    app.t("careRevealDo"),
  );
  button.onclick = async () => {
    if (!navigator.onLine) {
      hint.textContent = app.t("careRevealOnline");
      return;
    }
    try {
      const { name, phone: number, home } = await reveal(need.id, "dispose");
      const call = h(
        "a",
        { class: "outlined call", href: `tel:${number}` },
        app.t("careCall", { phone: number ?? "" }),
      );
      fill(told, [name, home].filter((text) => text !== null).join(" · "));
      if (number !== null) button.replaceWith(call);
      else button.remove();
    } catch (error) {
      hint.textContent = why(app, error);
    }
  };
  return [told, hint, button];
}

function soFar({ app, lang }: Phone, { steps }: Need): HTMLElement {
  const line = (each: Need["steps"][number]): string => {
    const words = each.note === null ? "" : `：${each.note}`;
    return `${moment(lang, each.at)} ${each.title[lang]}${words}${happenedText(lang, each.happened_at, each.at, null)}`;
  };
  const list = [...steps].reverse().map((each) => h("li", {}, line(each)));
  return h("details", {}, h("summary", {}, app.t("gridSteps")), h("ol", { class: "steps" }, ...list));
}

function buttons(phone: Phone, need: Need, take: (need: Need, offer: NeedOffer) => void): HTMLElement[] {
  const { app, lang } = phone;
  const waiting = waitingOf(phone, needName(need.id));
  if (waiting.length > 0)
    return [h("p", { class: "told" }, h("a", { href: "#waiting" }, app.t("gridUnsent", { n: waiting.length })))];
  const more = need.offers.map((offer) =>
    h(
      "button",
      { type: "button", class: "outlined", data: { step: offer.step }, onclick: () => take(need, offer) },
      offer.step in OTHERWISE ? app.t(OTHERWISE[offer.step] as Word) : offer.title[lang],
    ),
  );
  return more.length === 0
    ? [h("p", { class: "told" }, app.t("gridNothingToDo"))]
    : [h("div", { class: "pair" }, ...more)];
}

function noteForm(
  { app }: Phone,
  offer: NeedOffer,
  { taken, closed }: { taken: (note: string) => void; closed: () => void },
): HTMLElement {
  const note = h("textarea", { id: "note", rows: 3, maxLength: 2000 });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const form = h("form", { class: "step-form", aria: { label: offer.title.zh } });
  const close = (): void => {
    form.remove();
    closed();
  };
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = note.value.trim();
    wrong.textContent = text === "" ? app.t("careNoteNeeded") : "";
    if (text === "") return;
    form.remove();
    taken(text);
  };
  fill(
    form,
    h("label", { htmlFor: "note" }, app.t("careNote")),
    note,
    wrong,
    h(
      "footer",
      {},
      h("button", { type: "button", class: "outlined", onclick: close }, app.t("gridCancel")),
      h("button", { type: "submit", class: "primary" }, app.t("gridDo")),
    ),
  );
  return form;
}
