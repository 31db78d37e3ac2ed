/** How far a report is, read back with its ticket, and read again for as long as it is looked at. */
import { Refused } from "../city/api.ts";
import * as api from "../city/residents.ts";
import type { App } from "../page/app.ts";
import { copyButton } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import { fragmentOf, receipts } from "./receipts.ts";

const EVERY_MS = 30_000;

/** The receipt; it stops reading when `signal` aborts. */
export function receiptView(
  app: App,
  key: api.Key,
  { lost, signal }: { lost: string | null; signal: AbortSignal },
): HTMLElement {
  const body = h("div", { class: "receipt-told" });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const element = h(
    "section",
    { class: "receipt", aria: { labelledby: "receipt-title" } },
    h("h2", { id: "receipt-title" }, app.t("residentReceipt", { id: key.id })),
    lost !== null && h("p", { class: "wrong" }, app.t("residentPhotosLost", { why: lost })),
    wrong,
    body,
    keeping(app, key),
  );
  let shown = "";
  const read = async (): Promise<void> => {
    try {
      const told = await api.told(key);
      if (signal.aborted) return;
      wrong.textContent = "";
      const now = JSON.stringify(told);
      if (now === shown) return;
      shown = now;
      fill(body, ...written(app, key, told, () => void read()));
      if (told.photos.length > 0) void showPhotos(app, key, told.photos, body);
    } catch (error) {
      if (signal.aborted) return;
      const gone = error instanceof Refused && error.status === 404;
      wrong.textContent = gone ? app.t("residentGone") : why(app, error);
    }
  };
  const look = (): void => {
    if (document.visibilityState === "visible") void read();
  };
  const timer = setInterval(look, EVERY_MS);
  document.addEventListener("visibilitychange", look, { signal });
  addEventListener("online", look, { signal });
  signal.addEventListener("abort", () => clearInterval(timer));
  void read();
  return element;
}

/** The way back to it: on this phone by itself, elsewhere by the link. */
function keeping(app: App, key: api.Key): HTMLElement {
  const link = `${location.origin}${location.pathname}${fragmentOf(key)}`;
  return h(
    "p",
    { class: "hint keeping" },
    app.t("residentKeep"),
    " ",
    h("a", { href: link }, app.t("residentLink")),
    copyButton(app, link),
  );
}

function written(app: App, key: api.Key, told: api.Told, again: () => void): HTMLElement[] {
  const { lang } = app.store.get();
  const state = h(
    "p",
    { class: "state", data: { state: told.state.code }, aria: { live: "polite" } },
    app.title(told.state.title),
  );
  const facts: [string, string | null][] = [
    [app.t("residentMatter"), app.title(told.matter)],
    [app.t("residentPlace"), told.address],
    [app.t("residentDepartment"), told.department && app.title(told.department)],
    [app.t("residentDue"), told.due_at && told.closed_at === null ? moment(lang, told.due_at) : null],
  ];
  const rows = facts.flatMap(([name, value]) => (value ? [h("dt", {}, name), h("dd", {}, value)] : []));
  const steps = told.steps.map(({ step, title, at, reason }) =>
    h(
      "li",
      { data: { step } },
      h("time", { dateTime: at }, moment(lang, at)),
      h("b", {}, app.title(title)),
      reason !== null && h("span", { class: "hint" }, app.title(reason)),
    ),
  );
  const on = told.continued;
  const merged =
    on && [app.title(on.state.title), on.department && app.title(on.department)].filter(Boolean).join(" · ");
  return [
    state,
    ...(told.suspended ? [h("p", { class: "hint" }, app.t("residentSuspended"))] : []),
    ...(merged ? [h("p", {}, app.t("residentMerged", { how: merged }))] : []),
    h("dl", {}, ...rows),
    h("div", { class: "after" }),
    h("ol", { class: "steps" }, ...steps),
    ...(told.withdrawable ? [withdrawal(app, key, again)] : []),
  ];
}

function withdrawal(app: App, key: api.Key, again: () => void): HTMLElement {
  const wrong = h("span", { class: "wrong", role: "alert" });
  const take = h("button", { type: "button", class: "outlined" }, app.t("residentWithdraw"));
  let sure = false;
  take.onclick = () => {
    if (!sure) {
      sure = true;
      take.textContent = app.t("residentWithdrawSure");
      return;
    }
    take.disabled = true;
    api.withdraw(key).then(again, (error: unknown) => {
      take.disabled = false;
      wrong.textContent = why(app, error);
    });
  };
  return h("p", { class: "withdrawal" }, take, wrong);
}

async function showPhotos(app: App, key: api.Key, ids: readonly string[], body: HTMLElement): Promise<void> {
  const images = await Promise.all(
    ids.map(async (id, at) => {
      const blob = await api.photo(key, id).catch(() => null);
      if (blob === null) return null;
      const image = h("img", { alt: app.t("residentAfter", { n: at + 1 }), src: URL.createObjectURL(blob) });
      image.onload = () => URL.revokeObjectURL(image.src);
      return image;
    }),
  );
  const place = body.querySelector(".after");
  if (place !== null) fill(place, ...images);
}

/** What was reported from this browser, as a list of doors. */
export function receiptList(app: App): HTMLElement | null {
  const kept = receipts.all();
  if (kept.length === 0) return null;
  const { lang } = app.store.get();
  return h(
    "section",
    { class: "mine" },
    h("h2", {}, app.t("residentMine", { n: kept.length })),
    h(
      "ul",
      {},
      ...kept.map((one) =>
        h(
          "li",
          {},
          h("a", { href: fragmentOf(one) }, one.title),
          h("span", { class: "hint" }, `${one.id} · ${moment(lang, one.at)}`),
        ),
      ),
    ),
  );
}
