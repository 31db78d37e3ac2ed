/** One need beside the list: what is asked for, by whom (masked), who can serve it and why, and its steps. */
import type { Named } from "../city/api.ts";
import * as api from "../city/care.ts";
import { type CareWords, careWords, type Need } from "../city/care.ts";
import { overtaken } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { may } from "../city/session.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import { happenedText } from "../words/happened.ts";
import { type Bench, button } from "./bench.ts";
import { caseLink, entryTitle, NEED_MARK, placeWords } from "./entries.ts";
import { fitsView } from "./fits.ts";
import { needActions, needForm } from "./needform.ts";
import { askPurpose, personWords } from "./purpose.ts";

/** The number of its last step: what the next one expects. */
export const lastOf = ({ steps }: Need): number => steps.reduce((most, { id }) => Math.max(most, id), 0);

export interface NeedView {
  element: HTMLElement;
  open(id: number): Promise<void>;
  close(): void;
  redraw(): void;
}

export interface NeedEars {
  /** It is read; null: it is closed. */
  read(mark: { id: string; lon: number; lat: number } | null): void;
  /** A step of this desk was taken. */
  stepped(): void;
  /** It is to be made a case. */
  refer(need: Need, words: string): void;
  /** Others of the same grid are asked for. */
  within(area: string): void;
}

export function needView(bench: Bench, areas: () => Promise<readonly Named[]>, ears: NeedEars): NeedView {
  const { app } = bench;
  const element = h("article", { class: "case need", aria: { labelledby: "need-title" } });
  const notice = h("div", { class: "conflict", role: "alert", hidden: true });
  const form = h("div", { class: "step-form" });
  let held: Need | null = null;
  let words: CareWords | null = null;
  let named: readonly Named[] = [];
  let reading = new AbortController();
  let busy = false;

  const warn = (...children: (Node | string)[]): void => {
    notice.hidden = children.length === 0;
    fill(notice, ...children);
  };
  const closing = (): HTMLElement => {
    const away = iconButton("close", app.t("caseClose"), () => bench.go({ beside: null }));
    return h("div", { class: "case-close" }, away);
  };
  const read = async (id: number, signal: AbortSignal): Promise<void> => {
    words ??= await careWords();
    const found = await api.need(id);
    if (signal.aborted) return;
    held = found;
    draw();
    ears.read({ id: `${NEED_MARK}${id}`, lon: found.lon, lat: found.lat });
  };
  const open = async (id: number): Promise<void> => {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    if (held?.id !== id) {
      held = null;
      warn();
      fill(form);
      fill(element, closing(), h("p", { class: "hint" }, "…"));
    }
    if (named.length === 0)
      void areas().then((found) => {
        named = found;
        if (!signal.aborted) draw();
      });
    try {
      await read(id, signal);
    } catch (error) {
      if (!signal.aborted) fill(element, closing(), h("p", { class: "complaint", role: "alert" }, why(app, error)));
    }
  };
  /** Somebody else was quicker: what they did, and the need as it is now. */
  const conflict = async (id: number, seen: number, error: unknown): Promise<void> => {
    await read(id, reading.signal);
    const since = held?.steps.filter((step) => step.id > seen) ?? [];
    if (since.length === 0) throw error;
    const { lang } = app.store.get();
    const lines = since.map(({ actor, title, at }) =>
      h("li", {}, app.t("caseSince", { who: actor, what: app.title(title), time: moment(lang, at) })),
    );
    warn(h("b", {}, app.t("caseOvertaken")), h("ul", {}, ...lines), h("p", {}, app.t("caseLookAgain")));
    element.scrollTo(0, 0);
  };
  /** Take a step; tells what went wrong, or null. */
  const take = async (step: string, brought: api.Brought, key: string): Promise<string | null> => {
    const need = held;
    const offer = need?.offers.find((each) => each.step === step);
    if (need === null || offer === undefined || busy) return null;
    const seen = lastOf(need);
    busy = true;
    try {
      await api.takeNeedStep(need.id, step, { ...brought, expected: seen, key });
      warn();
      fill(form);
      bench.say(app.t("needDone", { id: need.id, step: app.title(offer.title) }));
      await read(need.id, reading.signal);
      if (document.activeElement === document.body)
        element.querySelector<HTMLElement>("#need-title")?.focus({ preventScroll: true });
      ears.stepped();
      return null;
    } catch (error) {
      if (!overtaken(error)) return why(app, error);
      fill(form);
      return conflict(need.id, seen, error).then(
        () => null,
        (kept: unknown) => why(app, kept),
      );
    } finally {
      busy = false;
    }
  };
  const atOnce = (step: string, brought: api.Brought): void =>
    void take(step, brought, newKey()).then((wrong) => wrong !== null && warn(wrong));
  const press = (offer: api.NeedOffer): void => {
    warn();
    if (held !== null && offer.step === "refer" && may(app.city.who, "hotline.take")) {
      const kind = entryTitle(bench, words?.kinds, held.kind);
      ears.refer(held, [kind, held.words].filter(Boolean).join(app.t("needColon")));
    } else if (offer.carries === "") atOnce(offer.step, {});
    else needForm(form, bench, offer, (brought, key) => take(offer.step, brought, key));
  };
  const draw = (): void => {
    if (held === null) return;
    const need = held;
    const arranges = need.offers.some(({ step }) => step === "arrange");
    const arrange = (provider: string): void => atOnce("arrange", { provider });
    fill(
      element,
      closing(),
      headOf(bench, need, words),
      notice,
      needActions(bench, need, press),
      form,
      factsOf(bench, need, named, ears.within),
      contactOf(bench, need),
      arranges && fitsView(bench, need, { words, arrange, signal: reading.signal }),
      historyOf(bench, need),
    );
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
    redraw: draw,
  };
}

function headOf(bench: Bench, need: Need, words: CareWords | null): HTMLElement {
  const { app } = bench;
  const kind = words?.kinds.find(({ code }) => code === need.kind);
  return h(
    "header",
    { class: "case-head" },
    h(
      "p",
      { class: "kicker" },
      h("span", { class: "state" }, entryTitle(bench, words?.states, need.state)),
      kind !== undefined && h("span", {}, entryTitle(bench, words?.groups, kind.group)),
      need.scenario !== null && h("b", { class: "badge" }, app.t("needDrill")),
    ),
    h("h2", { id: "need-title", tabIndex: -1 }, entryTitle(bench, words?.kinds, need.kind)),
    h("p", { class: "number" }, app.t("needNumber", { id: need.id })),
  );
}

function factsOf(bench: Bench, need: Need, named: readonly Named[], within: (area: string) => void): HTMLElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const { grid_id, incident, provider } = need;
  const place = h("span", {}, placeWords(bench, need, named));
  const only = grid_id !== null && button(app.t("needOnlyGrid"), () => within(grid_id), "link");
  const rows: [string, Node | string | null][] = [
    [app.t("careWishAt"), need.wish_at && moment(lang, need.wish_at)],
    [app.t("needPlace"), h("span", { class: "with-link" }, place, " ", only)],
    [app.t("careProvider"), provider && (need.providers[provider] ?? provider)],
    [app.t("careCase"), incident && caseLink(bench, incident)],
    [app.t("careTold"), app.t("needTaken", { actor: need.taken_by, time: moment(lang, need.told_at) })],
  ];
  const list = rows.flatMap(([name, value]) => (value ? [h("dt", {}, name), h("dd", {}, value)] : []));
  return h(
    "section",
    { class: "about" },
    need.words !== null && h("p", { class: "words" }, need.words),
    h("dl", { class: "facts" }, ...list),
    h("p", { class: "hint" }, app.t("needPlaceWhy")),
  );
}

/** Who asked, masked; in the clear for those who see to needs, for a purpose that is recorded. */
function contactOf(bench: Bench, need: Need): HTMLElement | null {
  const { app } = bench;
  const masked = personWords(need);
  if (masked === "" && need.cleared_at === null) return null;
  const person = h("p", { class: "person" }, masked || app.t("careCleared"));
  const asking = h("div", {});
  const read = (purpose: string) => api.reveal(need.id, purpose);
  const reveal = button(app.t("caseUnmask"), () => askPurpose(bench, asking, { person, read }), "link");
  const shows = masked !== "" && may(app.city.who, "need.take");
  return h("section", { class: "contact" }, h("h3", {}, app.t("careAsks")), person, shows && reveal, asking);
}

function historyOf(bench: Bench, { steps, providers }: Need): HTMLElement {
  const { app } = bench;
  const { lang } = app.store.get();
  const line = (step: api.NeedStep): HTMLLIElement => {
    const late = happenedText(lang, step.happened_at, step.at, null);
    const told = [
      step.provider !== null && app.t("needBy", { name: providers[step.provider] ?? step.provider }),
      step.incident !== null && app.t("needIntoCase", { id: step.incident }),
    ].filter((text) => text !== false);
    return h(
      "li",
      { data: { step: step.step } },
      h("time", { dateTime: step.at }, moment(lang, step.at), late),
      h("p", {}, h("b", {}, app.title(step.title))),
      h("p", { class: "who" }, step.actor),
      ...told.map((text) => h("p", { class: "carried" }, text)),
      step.note !== null && h("p", { class: "note" }, step.note),
    );
  };
  return h(
    "section",
    { class: "timeline" },
    h("h3", {}, app.t("needHistory", { n: steps.length })),
    h("ol", {}, ...[...steps].sort((a, b) => b.id - a.id).map(line)),
  );
}
