/** One delivery: what it changed, on the map and in numbers, what it could not use, and taking it back. */
import * as intake from "../city/intake.ts";
import { fill, h } from "../page/dom.ts";
import { age, deliveryWord, moment, number, sourceWord } from "../words/format.ts";
import { aboutWord, action, attempt, cell, type Desk, layerTitle, share, table, tiles } from "./desk.ts";
import { SIGNS } from "./places.ts";
import { atWork, followed, progressBar } from "./progress.ts";
import { whyPart } from "./report.ts";

const LISTED = 60;

export function deliveryView(element: HTMLElement, desk: Desk, id: number, over: AbortSignal): void {
  fill(element, h("h2", {}, "…"));
  void attempt(desk, () => watch(element, desk, id, over));
}

async function watch(element: HTMLElement, desk: Desk, id: number, over: AbortSignal): Promise<void> {
  const bar = progressBar(desk.app, null);
  let shown = false;
  const held = await followed(
    () => intake.delivery(id, over),
    ({ undoing }) => undoing,
    (work) => {
      if (atWork(work) && !shown) element.append(bar.element);
      shown ||= atWork(work);
      bar.tell(work);
    },
    over,
  );
  await draw(element, desk, held, over);
}

async function draw(element: HTMLElement, desk: Desk, held: intake.DeliveryDetail, over: AbortSignal): Promise<void> {
  const { app } = desk;
  const { lang } = app.store.get();
  const heading = h("h2", { tabIndex: -1 }, deliveryWord(lang, held));
  const failed = held.undoing?.state === "failed" && held.undone === null && held.undoing.why;
  const facts = [
    app.t("dataNumber", { n: held.id }),
    layerTitle(app, held.layer),
    sourceWord(lang, held.source),
    moment(lang, held.at),
    age(lang, held.at),
    held.source === "synthetic" ? "" : held.actor,
    held.accepted === null ? "" : `${app.t("dataAccepted")} ${share(app, held.accepted)}`,
  ];
  const counted = { added: held.inserted, changed: held.updated, retired: held.retired, unchanged: held.unchanged };
  const places = h("section", {});
  fill(
    element,
    action(app.t("dataBack"), () => desk.go(null), "link"),
    heading,
    h("p", { class: "hint" }, facts.filter(Boolean).join(" · ")),
    held.undone !== null && h("p", { class: "refusal" }, app.t("dataUndoneAt", { time: moment(lang, held.undone) })),
    failed && h("section", { class: "refusal", role: "alert" }, ...whyPart(app, failed)),
    tiles(desk, counted),
    held.undone === null && h("div", { class: "buttons" }, undoButton(element, desk, held, over), mapLink(desk, held)),
    kindsPart(desk, held),
    places,
  );
  heading.focus();
  const drawn = await intake.deliveryPlaces(held.id);
  if (over.aborted) return;
  desk.show(drawn);
  drawPlaces(places, desk, held, drawn);
}

function mapLink({ app }: Desk, { layer }: intake.Delivery): HTMLElement {
  const { lang, palette } = app.store.get();
  const href = `/#layers=county,town,road,${layer}&lang=${lang}&palette=${palette}`;
  return h("a", { href, class: "outlined" }, app.t("dataOnMap"));
}

/** The button that takes the delivery back, once more asked. */
function undoButton(element: HTMLElement, desk: Desk, held: intake.Delivery, over: AbortSignal): HTMLElement {
  const { app } = desk;
  const undo = (): Promise<void> =>
    attempt(desk, async () => {
      await intake.undo(held.id);
      await watch(element, desk, held.id, over);
      await app.city.recount();
    });
  return action(
    app.t("dataUndo"),
    () => {
      const dialog = h(
        "dialog",
        { aria: { labelledby: "undo-title" } },
        h("h2", { id: "undo-title" }, app.t("dataUndo")),
        h("p", {}, app.t("dataUndoWhy", { n: held.id })),
        h(
          "footer",
          {},
          action(app.t("cancel"), () => dialog.close(), ""),
          action(app.t("dataUndo"), () => {
            dialog.close();
            void undo();
          }),
        ),
      );
      dialog.onclose = () => dialog.remove();
      document.body.append(dialog);
      dialog.showModal();
    },
    "",
  );
}

/** What could not be used, by reason; each reason opens its rows. */
function kindsPart(desk: Desk, held: intake.DeliveryDetail): HTMLElement | null {
  const { app } = desk;
  const { lang } = app.store.get();
  if (held.kinds.length === 0) return null;
  const rows = held.kinds.map((kind) =>
    h(
      "tr",
      { class: kind.whole ? "" : "flag" },
      cell(aboutWord(app, kind)),
      h("td", {}, app.title(kind.reason)),
      cell(app.t(kind.whole ? "dataWholeRow" : "dataOnlyValue")),
      cell(number(lang, kind.count), "number"),
    ),
  );
  const headings = ["dataField", "dataReason", "dataState", "dataCount"] as const;
  const list = h("div", {});
  const open = action(
    app.t("dataShowRejects"),
    () => {
      open.hidden = true;
      void attempt(desk, () => drawRejects(list, desk, held.id));
    },
    "",
  );
  return h(
    "section",
    {},
    h("h3", {}, app.t("dataRejects")),
    table(
      app.t("dataRejects"),
      headings.map((each) => app.t(each)),
      rows,
    ),
    open,
    list,
  );
}

async function drawRejects(element: HTMLElement, desk: Desk, id: number): Promise<void> {
  const { app } = desk;
  const body: HTMLElement[] = [];
  const rowOf = (reject: intake.Reject) =>
    h("tr", {}, cell(String(reject.row), "number"), cell(app.title(reject.reason)), cell(reject.raw ?? "", "raw"));
  const more = action(
    app.t("dataMore"),
    () => {
      void attempt(desk, async () => add((await intake.deliveryRejects(id, body.length)).rejects));
    },
    "",
  );
  const headings = ["dataRow", "dataReason", "dataContent"] as const;
  const grid = table(
    app.t("dataShowRejects"),
    headings.map((each) => app.t(each)),
    [],
  );
  const add = (rejects: readonly intake.Reject[]): void => {
    const added = rejects.map(rowOf);
    body.push(...added);
    grid.querySelector("tbody")?.append(...added);
    more.hidden = rejects.length < 100;
  };
  add((await intake.deliveryRejects(id, 0)).rejects);
  fill(element, grid, more);
}

/** The records that it touched, each a way to its card on the map. */
function drawPlaces(element: HTMLElement, desk: Desk, held: intake.Delivery, { features }: intake.Places): void {
  const { app } = desk;
  const { lang, palette } = app.store.get();
  if (features.length === 0) return;
  const rows = features.slice(0, LISTED).map(({ properties: { id, label, kind } }) => {
    const href = `/#layers=county,town,road,${held.layer}&lang=${lang}&palette=${palette}&open=${held.layer}/${encodeURIComponent(id)}`;
    const name = kind === "retired" ? h("span", {}, id) : h("a", { href }, id);
    return h(
      "tr",
      {},
      cell(`${SIGNS[kind]} ${app.t(`dataKind_${kind}`)}`),
      h("td", {}, name),
      cell(label ?? "", "name"),
    );
  });
  const headings = ["dataChange", "dataId", "dataRecord"] as const;
  fill(
    element,
    h("h3", {}, app.t("dataTouched")),
    table(
      app.t("dataTouched"),
      headings.map((each) => app.t(each)),
      rows,
    ),
    features.length > LISTED && h("p", { class: "hint" }, app.t("dataCut", { n: LISTED })),
  );
}
