/** What has not arrived yet, in the order in which it will be sent; and what the server refused, with what changed meanwhile. */

import { Refused } from "../city/api.ts";
import { need } from "../city/care.ts";
import { incident, type Report } from "../city/incidents.ts";
import { newKey } from "../city/items.ts";
import { fill, h, keepingFocus } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { timeOfDay } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import { type Act, heldUp, isMistimed, isOf, nextAct, serversId, within } from "./acts.ts";
import type { NeedBody } from "./needform.ts";
import { needId } from "./needlist.ts";
import { type Phone, sure, type View } from "./phone.ts";
import type { Taken } from "./photos.ts";
import { stepText, type Told } from "./taskview.ts";
import type { VisitBody } from "./visitform.ts";

export interface Amending {
  amend(body: Report, photos: readonly Taken[], filed: () => Promise<void>): void;
  /** The same of a need or a visit. */
  amendCare(kind: "need" | "visit", body: NeedBody & VisitBody, filed: () => Promise<void>): void;
}

export function waitingView(phone: Phone, { amend, amendCare }: Amending): View {
  const { app, outbox } = phone;
  const element = h("section", { class: "view waiting", aria: { label: app.t("gridWaiting") } });
  /** By key, what was found to have changed, and the last step of the case since. */
  const changed = new Map<string, { told: string[]; seen: number | null }>();
  const update = (): void =>
    keepingFocus(element, () => {
      const { acts } = outbox.box();
      fill(
        element,
        h("p", { class: "told" }, app.t(acts.length === 0 ? "gridAllSent" : "gridWillSend")),
        h("ul", { class: "cards" }, ...[...acts].sort((a, b) => a.seq - b.seq).map((act) => h("li", {}, row(act)))),
        acts.length > 0 &&
          h(
            "button",
            { type: "button", class: "outlined wide", data: { key: "now" }, onclick: outbox.kick },
            app.t("gridSendNow"),
          ),
      );
      for (const act of acts) if (act.refused?.status === 409 && !changed.has(act.key)) void look(act);
    });
  const look = async (act: Act): Promise<void> => {
    const id = serversId(outbox.box(), act.of);
    const before = "expected" in act.doing ? act.doing.expected : null;
    changed.set(act.key, { told: [], seen: before });
    if (id === null) return;
    const steps = await stepsOf(id).catch(() => null);
    if (steps === null) {
      changed.delete(act.key); // asked again when something changes
      return;
    }
    const since = steps.filter((step) => before === null || step.id > before);
    const told = since.map((step) => `${step.actor} ${stepText(phone, step)}`);
    changed.set(act.key, { told, seen: Math.max(...steps.map((step) => step.id)) });
    update();
  };
  const row = (act: Act): HTMLElement => {
    const { refused } = act;
    const state =
      refused !== null
        ? app.t("gridRefused", { why: why(app, new Refused(refused.status, refused.said, refused.told)) })
        : stateWord(act);
    const news = changed.get(act.key)?.told ?? [];
    return h(
      "div",
      { class: `act ${refused === null ? "" : "refused"}`, data: { act: act.key } },
      h("b", {}, `${app.t(`gridKind_${act.doing.kind}`)} · ${act.title}`),
      h("span", { class: "told" }, timeOfDay(act.at)),
      h("p", { class: refused === null ? "told" : "wrong" }, state),
      ...(news.length === 0
        ? []
        : [h("p", {}, app.t("gridChanged")), h("ul", {}, ...news.map((text) => h("li", {}, text)))]),
      (refused !== null || !isOf(act, phone.who.exercise)) && h("div", { class: "pair" }, ...choices(act)),
    );
  };
  const stateWord = (act: Act): string => {
    const box = outbox.box();
    if (!isOf(act, phone.who.exercise)) return app.t((act.exercise ?? null) === null ? "exWaitsReal" : "exWaitsDrill");
    if (heldUp(box).includes(act)) return app.t("gridHeld");
    return app.t(
      nextAct(within(box, phone.who.exercise)) === act && outbox.sending() === "sending" ? "gridSending" : "gridWait",
    );
  };
  const choices = (act: Act): HTMLElement[] => {
    const { doing } = act;
    const drop = async (): Promise<void> => {
      if (await sure(app.t("gridDropSure"), app.t("gridDrop"), app.t("gridCancel"))) await outbox.drop(act);
    };
    const button = (word: string, onclick: () => void, key: string): HTMLElement =>
      h("button", { type: "button", class: "outlined", data: { key: `${key}-${act.key}` }, onclick }, word);
    const seen = (): number | null => changed.get(act.key)?.seen ?? null;
    const once = (word: Word): HTMLElement => button(app.t(word), () => void outbox.again(act, seen()), "again");
    const mended = (): HTMLElement => button(app.t("gridAmend"), () => void amended(act), "amend");
    const fresh = doing.kind === "report" || doing.kind === "need" || doing.kind === "visit";
    // What was noted in an exercise is never made into one of what really happens, nor the other way round.
    const elsewhere = act.refused?.told.cause === "exercise_other";
    if (!isOf(act, phone.who.exercise)) return [button(app.t("gridDrop"), () => void drop(), "drop")];
    const again = isMistimed(act) ? once("careUntimed") : fresh && !elsewhere ? mended() : once("gridTry");
    return [button(app.t("gridDrop"), () => void drop(), "drop"), ...(act.refused?.status === 0 ? [] : [again])];
  };
  const amended = async (act: Act): Promise<void> => {
    const { doing } = act;
    if (doing.kind === "report") await amendReport(act, doing.body as unknown as Report);
    else if (doing.kind === "need" || doing.kind === "visit") amendCare(doing.kind, doing.body, () => outbox.drop(act));
  };
  const amendReport = async (act: Act, body: Report): Promise<void> => {
    const own = outbox.box().acts.filter((each) => each.of === act.of && each.doing.kind === "photo");
    const photos = await Promise.all(
      own.map(async ({ key }) => ({ key: newKey(), blob: await phone.kept.photo(key) })),
    );
    const whole = photos.filter((photo): photo is Taken => photo.blob !== undefined);
    // The refused one stays until the other is kept: a phone that is closed in between loses neither.
    amend(body, whole, () => outbox.drop(act));
  };
  return { element, update, show: update };
}

/** The steps that a case or a need has had, as `stepText` tells them. */
async function stepsOf(of: string): Promise<(Told & { id: number; actor: string })[]> {
  const id = needId(of);
  if (id === null) return (await incident(of)).steps;
  return (await need(id)).steps.map((each) => ({ ...each, carries: { happened_at: each.happened_at } }));
}
