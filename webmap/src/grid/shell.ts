/** The frame of the page: whose grid it is, the shift, what waits, and the four views. */
import type { App } from "../page/app.ts";
import { fill, h, type Icon, icon, keepingFocus } from "../page/dom.ts";
import { signIn } from "../page/signin.ts";
import { timeOfDay } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import type { Phone } from "./phone.ts";

export const TABS = ["tasks", "map", "report", "waiting", "needs", "visits"] as const;
export type Tab = (typeof TABS)[number];
const TAB_LOOKS: Record<Tab, [icon: Icon, word: Word]> = {
  tasks: ["list", "gridTasks"],
  map: ["topic", "gridMap"],
  report: ["plus", "gridReport"],
  waiting: ["send", "gridWaiting"],
  needs: ["home", "careNeeds"],
  visits: ["pencil", "careVisits"],
};
const SAID_MS = 4_000;

export interface Shell {
  main: HTMLElement;
  head: HTMLElement;
  strip: HTMLElement;
  tabs: HTMLElement;
  say(text: string): void;
}

export function buildShell(root: HTMLElement): Shell {
  const head = h("header", { class: "top" });
  const strip = h("div", { class: "strip-line", role: "status" });
  const main = h("main", { id: "main" });
  const tabs = h("nav", { class: "tabs" });
  const said = h("p", { class: "said", role: "status" });
  fill(root, head, strip, main, tabs, said);
  root.className = "phone";
  let quiet = 0;
  return {
    main,
    head,
    strip,
    tabs,
    say(text) {
      said.textContent = text;
      clearTimeout(quiet);
      quiet = window.setTimeout(() => {
        said.textContent = "";
      }, SAID_MS);
    },
  };
}

export function showTabs(
  { tabs }: Shell,
  { t }: App,
  { shown, open, counts }: { shown: readonly Tab[]; open: string; counts: Partial<Record<Tab, number>> },
): void {
  tabs.setAttribute("aria-label", t("gridTabs"));
  keepingFocus(tabs, () =>
    fill(
      tabs,
      ...shown.map((tab) => {
        const [look, word] = TAB_LOOKS[tab];
        const count = counts[tab] ?? 0;
        const link = h(
          "a",
          { href: `#${tab}`, data: { key: tab } },
          icon(look),
          h("span", {}, t(word)),
          count > 0 && h("span", { class: "badge-count" }, String(count)),
        );
        if (tab === open) link.setAttribute("aria-current", "page");
        return link;
      }),
    ),
  );
}

/** Whose grid, and the switch of the shift. */
export function showHead(
  { head }: Shell,
  phone: Phone,
  { title, bell }: { title: string; bell: HTMLElement | null },
  menu: () => void,
): void {
  const { app, shift } = phone;
  const on = shift.since() !== null;
  const button = h(
    "button",
    { type: "button", class: on ? "outlined shift on" : "primary shift", data: { key: "shift" } },
    app.t(on ? "gridShiftOff" : "gridShiftOn"),
  );
  button.onclick = () => void (on ? shift.end() : shift.begin());
  const label = app.t("gridMenu");
  keepingFocus(head, () =>
    fill(
      head,
      h("h1", {}, title),
      button,
      bell,
      h(
        "button",
        { type: "button", class: "icon-button", title: label, aria: { label }, data: { key: "menu" }, onclick: menu },
        icon("person"),
      ),
    ),
  );
}

/** In one line: the network, and what the phone does with the position. */
export function showStrip({ strip }: Shell, phone: Phone): void {
  const { app, shift, cases, outbox } = phone;
  const online = app.t(cases.reached() ? "gridOnline" : "gridOffline");
  const waiting = outbox.box().acts.length;
  const again = outbox.sending() === "who" ? app.t("gridSignInAgain", { n: waiting }) : null;
  const text = again ?? `${online} · ${shiftText(phone)}`;
  if (strip.dataset.told === text) return;
  const button = h("button", { type: "button", class: "outlined", onclick: () => signIn(app) }, app.t("signIn"));
  const synthetic = h("strong", { class: "synthetic", title: app.t("syntheticWhy") }, app.t("syntheticShort"));
  fill(strip, app.city.city.synthetic && synthetic, h("span", {}, text), again !== null && button);
  strip.dataset.told = text;
  strip.dataset.state = again !== null ? "wrong" : cases.reached() ? "on" : "off";
  strip.dataset.shift = shift.since() === null ? "off" : "on";
}

function shiftText({ app, shift }: Phone): string {
  const since = shift.since();
  if (since === null) return app.t("gridOffShift");
  const begun = app.t("gridShiftSince", { time: timeOfDay(since.toISOString()) });
  const trouble = shift.trouble();
  const position = shift.position();
  const where =
    trouble !== null
      ? app.t("gridNoPosition", { why: app.t(trouble === "denied" ? "gridPositionDenied" : "gridPositionFailed") })
      : position === null
        ? app.t("gridLocating")
        : app.t("gridPositionAt", { metres: position.within_m });
  return `${begun} · ${where}`;
}
