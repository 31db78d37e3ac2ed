/** The worker's tasks, nearest first, each with its time limit, its distance and its direction. */
import type { LonLat } from "../city/api.ts";
import type { Brief } from "../city/incidents.ts";
import { fill, h, icon, keepingFocus } from "../page/dom.ts";
import { age } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import { bearing_deg, compass, distance_m, distanceText, nearestFirst } from "./near.ts";
import { codeWord, type Phone, type View, waitingOf } from "./phone.ts";
import { dueText } from "./time.ts";

export function taskList(phone: Phone): View {
  const element = h("section", { class: "view tasks", aria: { label: phone.app.t("gridTasks") } });
  const update = (): void => keepingFocus(element, () => fill(element, ...parts(phone)));
  return { element, update, show: update };
}

function parts(phone: Phone): HTMLElement[] {
  const { app, cases, shift, lang } = phone;
  const from = shift.position()?.at ?? null;
  const list = nearestFirst(cases.list().map(placed), from).map(({ brief }) => brief);
  const asOf = cases.asOf();
  const stale = !cases.reached() && asOf !== null ? app.t("gridTasksAsOf", { age: age(lang, asOf) }) : null;
  const order = list.length < 2 ? null : app.t(from === null ? "gridByDue" : "gridByDistance");
  const told = [stale, order].filter((text) => text !== null).join(" · ");
  return [
    ...(told === "" ? [] : [h("p", { class: "told" }, told)]),
    ...(list.length === 0
      ? [h("p", { class: "nothing" }, app.t(asOf === null ? "gridFirstOnline" : "gridNoTasks"))]
      : []),
    h("ul", { class: "cards" }, ...list.map((brief) => h("li", {}, card(phone, brief, from)))),
    ...(cases.more() ? [h("p", { class: "told" }, app.t("gridMoreTasks"))] : []),
  ];
}

const placed = (brief: Brief) => ({ lon: brief.lon, lat: brief.lat, due: dueOf(brief), brief });

/** When a task has to be done: its own due time, or that of the stage that it is in. */
export const dueOf = ({ due_at, stage_due_at }: Brief): string | null => due_at ?? stage_due_at;

function card(phone: Phone, brief: Brief, from: LonLat | null): HTMLElement {
  const { app, lang } = phone;
  const waiting = waitingOf(phone, brief.id);
  const away = from === null ? null : awayText(phone, from, [brief.lon, brief.lat]);
  return h(
    "a",
    { class: "card", href: `#task/${encodeURIComponent(brief.id)}`, data: { key: brief.id, light: brief.light } },
    light(phone, brief),
    h(
      "span",
      { class: "what" },
      h("b", {}, brief.title),
      h("span", { class: "where" }, brief.address ?? codeWord(phone, "matter", brief.matter)),
      h(
        "span",
        { class: "facts" },
        h("span", { class: `due ${brief.light}` }, dueText(lang, dueOf(brief))),
        away !== null && h("span", { class: "away" }, away),
        h("span", {}, codeWord(phone, "incident_state", brief.state)),
        brief.scenario !== null && h("span", { class: "tag" }, app.t("gridExercise")),
        brief.level !== "general" && h("span", { class: "tag" }, codeWord(phone, "incident_level", brief.level)),
        waiting.length > 0 && h("span", { class: "tag" }, app.t(unsentWord(waiting), { n: waiting.length })),
      ),
    ),
    icon("right"),
  );
}

const unsentWord = (waiting: readonly { refused: unknown }[]): Word =>
  waiting.some(({ refused }) => refused !== null) ? "gridNeedsYou" : "gridUnsent";

/** "东北 320 m". */
export function awayText({ app }: Phone, from: LonLat, to: LonLat): string {
  const direction = app.t(`gridDir_${compass(bearing_deg(from, to))}`);
  return app.t("gridAway", { direction, distance: distanceText(distance_m(from, to)) });
}

const SHAPES: Record<Brief["light"], string> = {
  red: "M12 2 23 22H1z",
  yellow: "M12 1 23 12 12 23 1 12z",
  green: "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20z",
  none: "M4 10h16v4H4z",
};

/** The light as a colour, as a shape and, for those who hear the page, as a word. */
function light(phone: Phone, { light: shown }: Brief): HTMLElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[shown]);
  svg.append(path);
  const element = h("span", { class: `light ${shown}` });
  element.append(svg, h("span", { class: "hidden-text" }, codeWord(phone, "incident_light", shown)));
  return element;
}
