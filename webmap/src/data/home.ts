/** The start: where files are dropped, what waits, and how each source delivers. */
import * as intake from "../city/intake.ts";
import { fill, h } from "../page/dom.ts";
import { age, deliveryWord, moment, number, sourceWord } from "../words/format.ts";
import { action, attempt, cell, type Desk, layerTitle, share, size, table } from "./desk.ts";
import { ACCEPTED, type Batch, batches, stranger, suffixOf } from "./files.ts";
import { whyNot } from "./refusals.ts";

export function homeView(element: HTMLElement, desk: Desk, over: AbortSignal): void {
  const { app } = desk;
  const coming = h("div", { class: "coming" });
  const waiting = h("section", { hidden: true });
  const sources = h("section", {}, h("h2", {}, app.t("dataSources")), h("p", { class: "hint" }, "…"));
  const bring = (files: readonly File[]) =>
    void receive(desk, coming, files, over).then(() => attempt(desk, listWaiting));
  const listWaiting = async (): Promise<void> => {
    if (over.aborted) return;
    const held = await intake.uploads();
    if (over.aborted) return;
    const limit = element.querySelector(".limit");
    if (limit) limit.textContent = app.t("dataLimit", { n: held.most_mb });
    drawWaiting(waiting, desk, held.uploads);
  };
  fill(element, dropZone(desk, bring), coming, waiting, sources);
  void attempt(desk, async () => {
    const [, told] = await Promise.all([listWaiting(), intake.sources()]);
    if (!over.aborted) drawSources(sources, desk, told.sources, told.truncated);
  });
}

function dropZone({ app }: Desk, bring: (files: readonly File[]) => void): HTMLElement {
  const input = h("input", {
    type: "file",
    multiple: true,
    accept: ACCEPTED.join(","),
    id: "files",
    class: "hidden-text",
  });
  const zone = h(
    "section",
    { class: "drop", aria: { label: app.t("dataDrop") } },
    h("p", {}, h("b", {}, app.t("dataDrop"))),
    h("label", { htmlFor: "files", class: "primary choose" }, app.t("dataChoose")),
    input,
    h("p", { class: "hint" }, app.t("dataKinds")),
    h("p", { class: "hint limit" }),
  );
  input.onchange = () => {
    bring([...(input.files ?? [])]);
    input.value = "";
  };
  const over = (on: boolean) => (event: DragEvent) => {
    event.preventDefault();
    zone.classList.toggle("over", on);
  };
  zone.ondragover = over(true);
  zone.ondragleave = over(false);
  zone.ondrop = (event) => {
    over(false)(event);
    bring([...(event.dataTransfer?.files ?? [])]);
  };
  return zone;
}

/** Take files in; a single one is opened at once, several wait in the list. What is not taken stays named, with why. */
async function receive(desk: Desk, coming: HTMLElement, files: readonly File[], over: AbortSignal): Promise<void> {
  const { app } = desk;
  const found = batches(files);
  const opened: string[] = [];
  desk.complain(null);
  for (const batch of found) {
    const bar = h("progress", { max: 1, value: 0, aria: { label: batch.name } });
    const line = h("p", { class: "line" }, h("span", { class: "name" }, batch.name), bar);
    coming.append(line);
    const wrong = (text: string): void => fill(line, h("span", { class: "wrong", role: "alert" }, text));
    if (batch.wrong !== null) {
      const { name } = batch;
      const told = app.t(`dataNo_${stranger(name)}`, { ending: suffixOf(name) });
      wrong(batch.wrong === "noShp" ? app.t("dataNoShp", { name }) : app.t("dataUnknownKind", { name, why: told }));
      continue;
    }
    try {
      opened.push(await sent(batch, (part) => (bar.value = part)));
      line.remove();
    } catch (error) {
      wrong(app.t("dataNotTaken", { name: batch.name, why: whyNot(app, error) }));
    }
  }
  const [only] = opened;
  if (only !== undefined && found.length === 1 && !over.aborted) desk.go({ upload: only });
}

async function sent(batch: Batch<File>, told: (share: number) => void): Promise<string> {
  const { id } = await intake.openUpload();
  try {
    for (const [at, file] of batch.files.entries())
      await intake.putFile(id, file, (part) => told((at + part) / batch.files.length));
    await intake.examine(id, {});
  } catch (error) {
    await intake.removeUpload(id).catch(() => null);
    throw error;
  }
  return id;
}

function drawWaiting(element: HTMLElement, desk: Desk, held: readonly intake.Waiting[]): void {
  const { app } = desk;
  const { lang } = app.store.get();
  const open = held.filter(({ loaded, files }) => loaded === null && Object.keys(files).length > 0);
  element.hidden = open.length === 0;
  const rows = open.map(({ id, files, at, rows: count }) => {
    const names = Object.keys(files);
    const name = names.find((each) => each.endsWith(".shp")) ?? names[0] ?? "";
    const bytes = Object.values(files).reduce((sum, each) => sum + each, 0);
    const remove = action(app.t("dataRemove"), () => void forget(desk, id), "");
    remove.setAttribute("aria-label", `${app.t("dataRemove")} ${name}`);
    return h(
      "tr",
      {},
      h(
        "td",
        {},
        action(name, () => desk.go({ upload: id }), "link"),
      ),
      cell(count === null ? "" : app.t("dataRows", { n: number(lang, count) }), "number"),
      cell(size(app, bytes), "number"),
      cell(age(lang, new Date(at * 1000).toISOString())),
      h("td", {}, remove),
    );
  });
  const headings = ["dataFile", "dataRowsHead", "dataSize", "dataWhen"] as const;
  fill(
    element,
    h("h2", {}, app.t("dataWaiting")),
    table(
      app.t("dataWaiting"),
      [...headings.map((each) => app.t(each)), h("span", { class: "hidden-text" }, app.t("dataRemove"))],
      rows,
    ),
  );
}

const forget = (desk: Desk, id: string): Promise<void> =>
  attempt(desk, async () => {
    await intake.removeUpload(id);
    desk.go(null);
  });

const FRESH = { ok: "dataFresh_ok", warn: "dataFresh_warn", bad: "dataFresh_bad" } as const;

function drawSources(element: HTMLElement, desk: Desk, sources: readonly intake.Source[], cut: boolean): void {
  const { app } = desk;
  const { lang } = app.store.get();
  const rows = sources.flatMap((each) => {
    const { latest } = each;
    const fresh = each.freshness;
    const more = h("tr", { class: "more", hidden: true }, h("td", { colSpan: 6 }));
    const name = action(sourceWord(lang, each.source), () => void toggle(desk, each, name, more), "link");
    name.setAttribute("aria-expanded", "false");
    const sign = fresh === null ? app.t("dataFresh_unknown") : app.t(FRESH[fresh]);
    const usual = each.usual_s === null ? "" : app.t("dataUsual", { every: interval(lang, each.usual_s) });
    return [
      h(
        "tr",
        {},
        h("td", {}, name),
        cell(layerTitle(app, each.layer)),
        h("td", { title: moment(lang, latest.at) }, age(lang, latest.at)),
        h(
          "td",
          { data: { fresh: fresh ?? "unknown" }, title: usual },
          h("span", { class: "fresh" }, sign),
          usual && h("span", { class: "hint" }, usual),
        ),
        h("td", { class: "number" }, accepted(desk, latest)),
        cell(number(lang, each.deliveries), "number"),
      ),
      more,
    ];
  });
  const headings = [
    "dataSource",
    "dataLayer",
    "dataLatest",
    "dataFreshness",
    "dataAccepted",
    "dataDeliveries",
  ] as const;
  fill(
    element,
    h("h2", {}, app.t("dataSources")),
    rows.length === 0
      ? h("p", { class: "empty" }, app.t("dataNoSources"))
      : table(
          app.t("dataSources"),
          headings.map((each) => app.t(each)),
          rows,
        ),
    cut && h("p", { class: "hint" }, app.t("dataCut", { n: sources.length })),
  );
}

function accepted({ app }: Desk, { accepted: part, refused }: intake.Delivery): HTMLElement {
  if (part === null) return h("span", {}, "–");
  const bar = h("span", { class: "share", aria: { hidden: "true" } });
  bar.style.setProperty("--share", String(part));
  const told = refused === 0 ? "" : app.t("dataRefusedRows", { n: number(app.store.get().lang, refused) });
  return h("span", { title: told }, bar, share(app, part));
}

function interval(lang: "zh" | "en", seconds: number): string {
  const [value, unit] = seconds < 172_800 ? [seconds / 3600, "hour"] : [seconds / 86_400, "day"];
  return new Intl.NumberFormat(lang === "zh" ? "zh-CN" : "en-GB", {
    style: "unit",
    unit: unit as string,
    unitDisplay: "long",
    maximumFractionDigits: 0,
  }).format(value as number);
}

/** The deliveries of a source, beneath it. */
async function toggle(desk: Desk, source: intake.Source, name: HTMLElement, more: HTMLElement): Promise<void> {
  more.hidden = !more.hidden;
  name.setAttribute("aria-expanded", String(!more.hidden));
  const place = more.firstElementChild;
  if (more.hidden || place === null || place.childElementCount > 0) return;
  await attempt(desk, async () => {
    const { deliveries, before } = await intake.deliveriesOf(source.layer, source.source);
    fill(
      place,
      deliveryTable(desk, deliveries),
      before !== null && h("p", { class: "hint" }, desk.app.t("dataCut", { n: deliveries.length })),
    );
  });
}

function deliveryTable(desk: Desk, deliveries: readonly intake.Delivery[]): HTMLElement {
  const { app } = desk;
  const { lang } = app.store.get();
  const rows = deliveries.map((each) =>
    h(
      "tr",
      { class: each.undone === null ? "" : "undone" },
      h(
        "td",
        {},
        action(moment(lang, each.at), () => desk.go({ delivery: each.id }), "link"),
      ),
      cell(deliveryWord(lang, each), "name"),
      cell(`+${number(lang, each.inserted)}`, "number"),
      cell(`~${number(lang, each.updated)}`, "number"),
      cell(`×${number(lang, each.retired)}`, "number"),
      h("td", { class: "number" }, accepted(desk, each)),
      cell(each.undone === null ? "" : app.t("dataUndone")),
    ),
  );
  const headings = [
    "dataWhen",
    "dataFile",
    "dataKind_added",
    "dataKind_changed",
    "dataKind_retired",
    "dataAccepted",
    "dataState",
  ] as const;
  return table(
    app.t("dataDeliveries"),
    headings.map((each) => app.t(each)),
    rows,
  );
}
