/** What became of what a channel or a webhook sent: the newest first, older ones on request; and how it stands. */
import type { NoticeSent, Sent, Standing, StepSent } from "../city/channels.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { number, shortMoment } from "../words/format.ts";
import { at, attempt, button, type Desk, hint } from "./common.ts";
import { type Outcome, outcomeOf, reasonOf } from "./outcomes.ts";

const PAGE = 100;

/** What a sending came to, with a sign that is told apart without its colour. */
export function outcomeWords(app: App, one: Sent | NoticeSent | StepSent): HTMLElement {
  const outcome = outcomeOf(one);
  const facts = { n: one.tries, why: whyOf(app, one.error), at: at(app, one.next_at) };
  return h("span", { class: "state", data: { kind: SIGNS[outcome] } }, app.t(`sent_${outcome}`, facts));
}

const SIGNS: Readonly<Record<Outcome, string>> = {
  taken: "active",
  waiting: "waiting",
  retry: "locked",
  dead: "over",
  ended: "closed",
  drill: "closed",
  paused: "closed",
};

/** Why something was not taken, in the words of the page where it has some. */
export function whyOf(app: App, error: string | null): string {
  const { name, n } = reasonOf(error);
  return name === null ? (error ?? "") : app.t(name, { n });
}

/** How a channel or a webhook stands, since when by the minute of the day; why is told elsewhere. */
export function standing(app: App, one: Standing & { paused_at?: string | null }): HTMLElement {
  const since = (text: string): string => shortMoment(app.store.get().lang, text);
  const [kind, text] =
    one.paused_at != null
      ? ["closed", app.t("channelState_paused", { since: since(one.paused_at) })]
      : one.failing_since !== null
        ? ["over", app.t("channelState_failing", { since: since(one.failing_since) })]
        : one.tried_at === null
          ? ["waiting", app.t("channelState_unused")]
          : ["active", app.t("channelState_well")];
  return h("span", { class: "state", data: { kind } }, text);
}

/** The facts of how it stands, as rows of a list. */
export function standingFacts(app: App, one: Standing): [string, string][] {
  const { lang } = app.store.get();
  return [
    [app.t("channelTriedAt"), at(app, one.tried_at)],
    [app.t("channelSentAt"), at(app, one.sent_at)],
    ...(one.error === null ? [] : [[app.t("channelFailing"), whyOf(app, one.error)] as [string, string]]),
    [app.t("channelWaiting"), number(lang, one.waiting)],
  ];
}

export interface SentList<T> {
  element: HTMLElement;
  /** Read the newest anew. */
  load(): Promise<readonly T[]>;
}

/** The record of what was sent; `line` says what one of them told. */
export function recordOf<T extends Sent>(
  desk: Desk,
  read: (before: number | null) => Promise<{ sendings: T[] }>,
  line: (one: T) => Node | string,
): SentList<T> {
  const { app } = desk;
  const list = h("ul", { class: "plain sendings" });
  const foot = h("div", {});
  const element = h("section", {}, h("h3", {}, app.t("channelSendings")), list, foot);
  let shown: readonly T[] = [];
  const row = (one: T): HTMLElement =>
    h(
      "li",
      { data: { sending: String(one.id) } },
      h("span", {}, line(one)),
      h("small", {}, at(app, one.at), " · ", outcomeWords(app, one)),
    );
  const draw = (more: boolean): void => {
    fill(list, ...shown.map(row));
    const last = shown.at(-1);
    fill(
      foot,
      shown.length === 0 && hint(app.t("channelNothingSent")),
      more && last !== undefined && button(app.t("peopleMore"), () => void attempt(desk, () => older(last.id))),
    );
  };
  const older = async (before: number): Promise<void> => {
    const { sendings } = await read(before);
    shown = [...shown, ...sendings];
    draw(sendings.length === PAGE);
  };
  return {
    element,
    async load() {
      const { sendings } = await read(null);
      shown = sendings;
      draw(sendings.length === PAGE);
      return sendings;
    },
  };
}
