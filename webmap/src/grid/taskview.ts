/** One task: what it is about in words, what was done so far, the way there, and what to do next. */
import type { Brief, Case, Offer, Step } from "../city/incidents.ts";
import { photo } from "../city/incidents.ts";
import { fill, h, icon } from "../page/dom.ts";
import { moment } from "../words/format.ts";
import { carriedTime } from "../words/happened.ts";
import { openSteps } from "./offers.ts";
import { codeWord, type Phone, type View, waitingOf } from "./phone.ts";
import { stepForm } from "./stepform.ts";
import { awayText, dueOf } from "./tasklist.ts";
import { dueText } from "./time.ts";
import { type Way, wayTo } from "./way.ts";

/** What the page does for a task beside showing it. */
export interface Around {
  showOnMap(brief: Brief, way: Way | null): void;
}

export function taskView(phone: Phone, { showOnMap }: Around): View {
  const { app, cases } = phone;
  const element = h("section", { class: "view task", aria: { label: app.t("gridTasks") } });
  const facts = h("div", { class: "scroll" });
  const way = h("p", { class: "way", role: "status" });
  const actions = h("div", { class: "actions" });
  let id = "";
  let form: HTMLElement | null = null;
  let found: Way | null = null;
  const brief = (): Brief | undefined => cases.detail(id)?.incident ?? cases.list().find((each) => each.id === id);

  const open = (offer: Offer): void => {
    const seen = (): number | null => lastStep(cases.detail(id));
    form = stepForm(phone, offer, { id, seen, closed: () => close() });
    fill(actions, form);
    form.querySelector<HTMLElement>("textarea, select, label.take")?.focus();
  };
  const close = (): void => {
    form = null;
    update();
  };
  const askWay = async (): Promise<void> => {
    const at = brief();
    if (at === undefined) return;
    way.textContent = "…";
    found = await wayTo(phone, [at.lon, at.lat]);
    way.textContent = found.told;
    if (found.line !== null) showOnMap(at, found);
  };
  const update = (): void => {
    const shown = brief();
    if (shown === undefined) {
      fill(facts, h("p", { class: "nothing" }, app.t("gridNotDetailed")));
      fill(actions);
      return;
    }
    fill(
      facts,
      ...factsOf(phone, shown, cases.detail(id)),
      way,
      ways(phone, askWay, () => showOnMap(shown, found)),
    );
    if (form === null) fill(actions, ...buttons(phone, cases.detail(id), id, open));
  };
  fill(element, facts, actions);
  return {
    element,
    update,
    show(part) {
      id = decodeURIComponent(part);
      form = null;
      found = null;
      way.textContent = "";
      update();
      facts.scrollTop = 0;
    },
  };
}

const lastStep = (known: Case | undefined): number | null =>
  known === undefined || known.steps.length === 0 ? null : Math.max(...known.steps.map(({ id }) => id));

function ways(phone: Phone, askWay: () => Promise<void>, show: () => void): HTMLElement {
  const { app } = phone;
  return h(
    "div",
    { class: "pair" },
    h("button", { type: "button", class: "outlined", onclick: () => void askWay() }, icon("share"), app.t("gridWay")),
    h("button", { type: "button", class: "outlined", onclick: show }, icon("target"), app.t("gridOnMap")),
  );
}

function factsOf(phone: Phone, brief: Brief, known: Case | undefined): HTMLElement[] {
  const { app, lang, shift } = phone;
  const from = shift.position()?.at ?? null;
  const rows: [string, string | null | undefined][] = [
    [
      app.t("gridDue"),
      dueText(lang, dueOf(brief)) + (from === null ? "" : ` · ${awayText(phone, from, [brief.lon, brief.lat])}`),
    ],
    [app.t("gridAddress"), brief.address],
    [app.t("gridWhat"), known?.incident.description],
    [app.t("gridMatter"), codeWord(phone, "matter", brief.matter)],
    [app.t("gridState"), codeWord(phone, "incident_state", brief.state)],
    [app.t("gridLevel"), codeWord(phone, "incident_level", brief.level)],
    [
      app.t("gridReported"),
      `${moment(lang, brief.reported_at)} · ${codeWord(phone, "incident_channel", brief.channel)}`,
    ],
    [app.t("gridNumber"), brief.id],
  ];
  const list = rows
    .filter(([, value]) => value)
    .map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value ?? "")));
  return [
    h("h2", { class: "headline" }, brief.scenario === null ? "" : `【${app.t("gridExercise")}】`, brief.title),
    h("dl", {}, ...list),
    ...(known === undefined
      ? [h("p", { class: "told" }, app.t("gridNotDetailed"))]
      : [pictures(phone, known), soFar(phone, known)]),
  ];
}

function pictures(phone: Phone, { photos }: Case): HTMLElement {
  const { app, lang } = phone;
  const strip = h("ul", { class: "strip", hidden: photos.length === 0 });
  for (const { id, at } of photos) {
    const image = h("img", { alt: app.t("gridPhotoOf", { time: moment(lang, at) }) });
    strip.append(h("li", {}, image));
    photo(id, { small: true }).then(
      (blob) => {
        image.src = URL.createObjectURL(blob);
        image.onload = () => URL.revokeObjectURL(image.src);
      },
      () => image.replaceWith(h("span", { class: "told" }, app.t("gridPhotoAway"))),
    );
  }
  return strip;
}

function soFar(phone: Phone, { steps }: Case): HTMLElement {
  const { app } = phone;
  return h(
    "details",
    {},
    h("summary", {}, app.t("gridSteps")),
    h(
      "ol",
      { class: "steps" },
      ...[...steps].sort((a, b) => b.id - a.id).map((step) => h("li", {}, stepText(phone, step))),
    ),
  );
}

/** "11-22 10:46 到场：…". */
export function stepText({ lang }: Phone, { at, title, note, carries }: Told): string {
  return `${moment(lang, at)} ${title[lang]}${note === null ? "" : `：${note}`}${carriedTime(lang, at, carries)}`;
}

/** What is shown of a step, of a case or of a need. */
export type Told = Pick<Step, "at" | "title" | "note"> & { carries: Readonly<Record<string, unknown>> };

function buttons(phone: Phone, known: Case | undefined, id: string, open: (offer: Offer) => void): HTMLElement[] {
  const { app, lang } = phone;
  const waiting = waitingOf(phone, id);
  const steps = known === undefined ? [] : openSteps(known.offers, waiting);
  const told =
    waiting.length > 0
      ? h("p", { class: "told" }, h("a", { href: "#waiting" }, app.t("gridUnsent", { n: waiting.length })))
      : null;
  const [first, ...rest] = steps;
  if (first === undefined) {
    const why = waiting.length > 0 ? "gridAfterSent" : known === undefined ? "gridNotDetailed" : "gridNothingToDo";
    return [...(told ? [told] : []), h("p", { class: "told" }, app.t(why))];
  }
  const main = h(
    "button",
    { type: "button", class: "primary big", data: { step: first.step }, onclick: () => open(first) },
    first.title[lang],
  );
  const more = rest.map((offer) =>
    h(
      "button",
      { type: "button", class: "outlined", data: { step: offer.step }, onclick: () => open(offer) },
      offer.title[lang],
    ),
  );
  const others =
    more.length === 0
      ? null
      : h("details", { class: "more" }, h("summary", {}, app.t("gridMoreSteps")), h("div", { class: "pair" }, ...more));
  return [...(told ? [told] : []), ...(others ? [others] : []), main];
}
