/** The bell in the head: how many notices are unread, what came just now, and the list that leads to the cases. */
import { Refused, Unreachable } from "../city/api.ts";
import { calls, type Inbox, inbox, MOST_UNREAD, markRead, type Notice } from "../city/notices.ts";
import { age } from "../words/format.ts";
import type { App } from "./app.ts";
import { fill, h, icon } from "./dom.ts";

const SHOWN_MS = 8_000;
const MOST_ROUNDS = 20;

export interface Bell {
  /** Where a case opens. */
  href(incident: string): string;
  /** How often to ask where no stream calls; without it only the stream does. */
  every_ms?: number;
}

/** The bell of whoever may see cases; nothing for anybody else. */
export function noticeBell(app: App, { href, every_ms }: Bell): HTMLElement | null {
  const { who } = app.city;
  if (who.actor === null || !who.rights.includes("incident.view")) return null;
  const count = h("span", { class: "bell-count", hidden: true });
  const button = h("button", { type: "button", class: "icon-button bell", data: { key: "bell" } }, icon("bell"), count);
  const toasts = h("div", { class: "toasts", role: "status" });
  document.body.append(toasts);
  let held: Inbox = { notices: [], next: null, unread: 0 };
  let drawList: (() => void) | null = null;
  const draw = (): void => {
    const { unread } = held;
    count.textContent = unread >= MOST_UNREAD ? `${MOST_UNREAD - 1}+` : String(unread);
    count.hidden = unread === 0;
    const label = unread === 0 ? app.t("noticeBell") : app.t("noticeUnread", { n: count.textContent });
    button.title = label;
    button.setAttribute("aria-label", label);
    drawList?.();
  };
  const read = reader((now, came) => {
    held = now;
    draw();
    if (came.length > 0) toast(app, toasts, came, { href, open: () => open(), seen });
  });
  const seen = (ids: readonly number[]): void => {
    held = markedIn(held, ids);
    draw();
    void quietly(markRead(ids)).then(read);
  };
  const open = (): void => {
    drawList = listDialog(app, { held: () => held, href, seen, all: () => void readAll().then(read) }, () => {
      drawList = null;
    });
    read();
  };
  button.onclick = open;
  calls.addEventListener("called", read);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && read());
  addEventListener("online", read);
  if (every_ms !== undefined) setInterval(() => document.visibilityState === "visible" && read(), every_ms);
  app.store.on(["lang"], draw);
  draw();
  read();
  return button;
}

/** Ask for the list, one question at a time; `told` gets it with what came since the one before. */
function reader(told: (now: Inbox, came: Notice[]) => void): () => void {
  let known: ReadonlySet<number> | null = null;
  let reading = false;
  let again = false;
  const read = (): void => {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    void quietly(
      inbox().then((now) => {
        const came = known === null ? [] : cameSince(now.notices, known);
        known = new Set([...(known ?? []), ...now.notices.map(({ id }) => id)]);
        told(now, came);
      }),
    ).finally(() => {
      reading = false;
      if (!again) return;
      again = false;
      read();
    });
  };
  return read;
}

/** Those that are unread and were not there before, each once. */
export const cameSince = (notices: readonly Notice[], known: ReadonlySet<number>): Notice[] =>
  notices.filter(({ id, read }) => !read && !known.has(id));

/** The list as it will be when these are read. */
export function markedIn(held: Inbox, ids: readonly number[]): Inbox {
  const fresh = held.notices.filter(({ id, read }) => !read && ids.includes(id));
  const notices = held.notices.map((one) => (fresh.includes(one) ? { ...one, read: true } : one));
  return { ...held, notices, unread: Math.max(0, held.unread - fresh.length) };
}

async function readAll(): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { notices } = await inbox(true);
    if (notices.length === 0) return;
    await markRead(notices.map(({ id }) => id));
  }
}

/** Without the network, or signed out meanwhile, the bell shows what it knew. */
async function quietly(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Unreachable || error instanceof Refused)) throw error;
  }
}

interface Leading {
  href(incident: string): string;
  seen(ids: readonly number[]): void;
}

function toast(
  app: App,
  toasts: HTMLElement,
  came: readonly Notice[],
  { href, open, seen }: Leading & { open: () => void },
): void {
  const [first, ...others] = came;
  if (first === undefined) return;
  const text = others.length > 0 ? app.t("noticeCame", { n: came.length }) : app.title(first.text);
  const shown =
    others.length > 0 || first.incident === null
      ? h("button", { type: "button", class: "toast", onclick: open }, icon("bell"), h("span", {}, text))
      : h("a", { class: "toast", href: href(first.incident) }, icon("bell"), h("span", {}, text));
  shown.addEventListener("click", () => {
    if (others.length === 0) seen([first.id]);
    shown.remove();
  });
  fill(toasts, shown);
  setTimeout(() => shown.remove(), SHOWN_MS);
}

/** Open the list; what comes back draws it anew. */
function listDialog(
  app: App,
  { held, href, seen, all }: Leading & { held: () => Inbox; all: () => void },
  closed: () => void,
): () => void {
  const dialog = h("dialog", { class: "notice-list", aria: { labelledby: "notice-title" } });
  const list = h("ul", {});
  const every = h("button", { type: "button", class: "outlined", onclick: all }, app.t("noticeAllRead"));
  const shut = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, app.t("close"));
  const draw = (): void => {
    const { notices, unread } = held();
    every.hidden = unread === 0;
    const entries = notices.map((one) =>
      entry(app, one, { href, seen }, () => {
        dialog.close();
      }),
    );
    fill(list, ...(entries.length > 0 ? entries : [h("li", { class: "nothing" }, app.t("noticeNone"))]));
  };
  fill(dialog, h("h2", { id: "notice-title" }, app.t("noticeBell")), list, h("footer", {}, every, shut));
  dialog.onclose = () => {
    dialog.remove();
    closed();
  };
  draw();
  document.body.append(dialog);
  dialog.showModal();
  return draw;
}

function entry(app: App, notice: Notice, { href, seen }: Leading, leave: () => void): HTMLElement {
  const { lang } = app.store.get();
  const drill = notice.scenario !== null && h("b", { class: "drill" }, app.t("noticeDrill"));
  const parts = [drill, h("span", {}, app.title(notice.text)), h("small", {}, age(lang, notice.at))];
  const chosen = (): void => {
    if (!notice.read) seen([notice.id]);
    leave();
  };
  const inner =
    notice.incident === null
      ? h("button", { type: "button", onclick: chosen }, ...parts)
      : h("a", { href: href(notice.incident), onclick: chosen }, ...parts);
  return h("li", { class: notice.read ? "" : "unread", data: { kind: notice.kind, id: String(notice.id) } }, inner);
}
