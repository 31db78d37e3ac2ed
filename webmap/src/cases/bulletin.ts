/** The figures of a week's bulletin, week by week, to be read or printed. */
import * as api from "../city/callbacks.ts";
import { fill, h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { day, number } from "../words/format.ts";
import { type Bench, button } from "./bench.ts";
import { weekOf } from "./days.ts";
import { percent } from "./rates.ts";

export function showBulletin(bench: Bench): void {
  const { app } = bench;
  let by = -1;
  const body = h("div", { class: "bulletin-body", aria: { live: "polite" } });
  const title = h("h2", { id: "bulletin-title" }, app.t("bulletin"));
  const later = button(app.t("bulletinLater"), () => turn(1));
  const turn = (more: number): void => {
    by += more;
    later.disabled = by >= 0;
    const week = weekOf(Date.now(), by);
    api.bulletin(week).then(
      (told) => {
        // Whoever turns quickly sees the week that was asked for last.
        if (told.week === weekOf(Date.now(), by)) fill(body, ...written(bench, told));
      },
      (error: unknown) => fill(body, h("p", { class: "wrong" }, why(app, error))),
    );
  };
  const dialog = h(
    "dialog",
    { class: "bulletin", aria: { labelledby: "bulletin-title" } },
    title,
    body,
    h(
      "footer",
      {},
      button(app.t("bulletinEarlier"), () => turn(-1)),
      later,
      h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, app.t("caseClose")),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  turn(0);
}

function written(bench: Bench, told: api.Bulletin): HTMLElement[] {
  const { app } = bench;
  const { lang } = app.store.get();
  const count = (n: number): string => number(lang, n);
  const change = told.change > 0 ? `+${count(told.change)}` : count(told.change);
  const facts: [string, string][] = [
    [app.t("bulletinReceived"), app.t("bulletinAgainst", { n: count(told.received), change })],
    [app.t("bulletinAssigned"), count(told.assigned)],
    [app.t("bulletinRepeats"), count(told.repeats)],
  ];
  const line = (name: string, text: string): HTMLElement => h("li", {}, h("span", {}, name), h("b", {}, text));
  const topics = told.topics.map((one) =>
    line(app.title(one), app.t("bulletinTopic", { n: count(one.n), before: count(one.before) })),
  );
  const below = told.below_floor.map((one) =>
    line(app.title(one.title), `${percent(bench, one.rate)}（${count(one.numerator)}/${count(one.denominator)}）`),
  );
  const none = h("li", { class: "hint" }, app.t("bulletinNone"));
  return [
    h(
      "p",
      { class: "hint" },
      app.t("bulletinOf", { week: told.week, from: day(lang, told.from), to: day(lang, told.to) }),
    ),
    h("dl", { class: "facts" }, ...facts.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)])),
    h("h3", {}, app.t("bulletinTopics")),
    h("ol", {}, ...(topics.length > 0 ? topics : [none])),
    h("h3", {}, app.t("bulletinBelow", { floor: percent(bench, told.floor) })),
    h("ul", {}, ...(below.length > 0 ? below : [none])),
  ];
}
