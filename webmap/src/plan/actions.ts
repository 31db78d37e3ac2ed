/** What can be done with an answer: files, a picture, the same elsewhere, and keeping the question. */

import type { Plan } from "../city/questions.ts";
import * as questions from "../city/questions.ts";
import { copied } from "../page/copy.ts";
import { fill, h } from "../page/dom.ts";
import { failure, why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import type { Word } from "../words/i18n.ts";
import type { Answer } from "./answer.ts";
import type { Bench } from "./bench.ts";
import { button } from "./controls.ts";
import { asPython, itemsUrl } from "./elsewhere.ts";
import { picture } from "./picture.ts";

const FILES = ["xlsx", "csv", "geojson", "gpkg", "parquet", "html"] as const;

/** `keep` is called with the name under which to keep the question. */
export function drawActions(
  element: HTMLElement,
  bench: Bench,
  answer: Answer,
  plan: Plan | null,
  keep: (title: string) => Promise<void>,
): void {
  const { app } = bench;
  const { page } = answer;
  const problem = h("p", { class: "wrong", role: "alert" });
  const trying = (work: () => Promise<void>) => () => {
    problem.textContent = "";
    work().catch((error: unknown) => {
      problem.textContent = failure(app, error);
    });
  };
  const save = (name: (typeof FILES)[number]) =>
    trying(async () => {
      const path = page.exports[name];
      if (path === undefined) return;
      download(await questions.file(`${path}?lang=${app.store.get().lang}`), `${app.title(page.title)}.${name}`);
    });
  const drawn = trying(async () => {
    const { city } = app.city;
    const lines = [
      app.title(page.statement),
      [
        app.t("planMadeAt", { time: moment(app.store.get().lang, page.madeAt) }),
        page.synthetic ? app.t("synthetic") : "",
        page.truncated ? app.t("planCut", { n: page.count }) : "",
      ]
        .filter(Boolean)
        .join(" · "),
      [app.t("brand"), app.title(city.attribution), city.mapApproval].filter(Boolean).join(" · "),
    ];
    download(await picture(bench.cityMap, lines), `${app.title(page.title)}.png`);
  });
  const files = h(
    "details",
    { class: "menu" },
    h("summary", { class: "outlined" }, app.t("planExport")),
    h(
      "div",
      { class: "menu-items" },
      ...FILES.map((name) => button(app.t(`planExport_${name}` as Word), save(name))),
      button(app.t("planExport_png"), drawn),
    ),
  );
  const copying = (text: string, title: string, note?: string) => {
    const item = button(title, () => void copied(app, item, text), { class: "copying" });
    if (note) item.append(h("small", {}, note));
    return item;
  };
  const live = plan === null ? null : itemsUrl(plan, location.origin);
  const own = new URL(page.exports.geojson ?? `/query/results/${page.id}.geojson`, location.origin).href;
  const elsewhere = h(
    "details",
    { class: "menu" },
    h("summary", { class: "outlined" }, app.t("planElsewhere")),
    h(
      "div",
      { class: "menu-items" },
      copying(live ?? own, app.t("planQgis"), app.t(live === null ? "planQgisResult" : "planQgisLive")),
      copying(asPython({ ...page.asked }, location.origin, app.store.get().lang), app.t("planPython")),
      copying(location.href, app.t("planLink")),
    ),
  );
  const keeping = button(app.t("planKeep"), () => void askName(bench, app.title(page.title), keep), {
    class: "outlined",
    id: "plan-keep",
  });
  for (const menu of [files, elsewhere]) foldAway(menu);
  fill(element, files, elsewhere, keeping, problem);
}

/** A menu folds when something else is clicked, or at Escape. */
function foldAway(menu: HTMLDetailsElement): void {
  const outside = (event: Event): void => {
    if (event.target instanceof Node && menu.contains(event.target)) return;
    menu.open = false;
  };
  menu.addEventListener("toggle", () => {
    if (menu.open) document.addEventListener("pointerdown", outside);
    else document.removeEventListener("pointerdown", outside);
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = h("a", { href: url, download: name.replace(/[\\/:：\s]+/g, "-") });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

async function askName(bench: Bench, title: string, keep: (title: string) => Promise<void>): Promise<void> {
  const { app } = bench;
  const input = h("input", { id: "keep-title", type: "text", required: true, maxLength: 120, value: title });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const dialog = h("dialog", { aria: { labelledby: "keep-heading" } });
  const save = h("button", { type: "submit", class: "primary" }, app.t("planKeepSave"));
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "keep-heading" }, app.t("planKeepTitle")),
    h("label", { htmlFor: "keep-title" }, app.t("planKeepName")),
    input,
    wrong,
    h(
      "footer",
      {},
      button(app.t("cancel"), () => dialog.close()),
      save,
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    save.disabled = true; // a second click would keep it twice
    keep(input.value.trim())
      .then(() => dialog.close())
      .catch((error: unknown) => {
        wrong.textContent = why(app, error);
        save.disabled = false;
      });
  };
  dialog.append(form);
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  input.select();
}
