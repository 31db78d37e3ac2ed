/** One upload: what was found in it, what the person settles, what is refused, and loading it. */
import * as intake from "../city/intake.ts";
import { fill, h } from "../page/dom.ts";
import { number } from "../words/format.ts";
import { columnsPart } from "./columns.ts";
import { action, attempt, type Desk, size, tiles } from "./desk.ts";
import { same, withChoice } from "./draft.ts";
import { optionsPart } from "./options.ts";
import { atWork, followed, progressBar } from "./progress.ts";
import { rejectsPart } from "./rejects.ts";
import { findingsPart, refusalPart, whyPart } from "./report.ts";

/** What the parts of this view are given: the upload, the choices as they stand, and how to change them. */
export interface Bench extends Desk {
  upload: intake.Upload;
  report: intake.Report;
  choices(): intake.Choices;
  change(change: Partial<intake.Choices>): void;
  /** Change and examine at once. */
  apply(change: Partial<intake.Choices>): void;
}

// What a person set right and did not have examined yet, by upload: kept while one looks elsewhere.
const drafts = new Map<string, { settled: intake.Choices; draft: intake.Choices }>();

/** Is there anything that would be lost with the page? */
export const unsaved = (): boolean => [...drafts.values()].some(({ settled, draft }) => !same(settled, draft));

export function uploadView(element: HTMLElement, desk: Desk, id: string, over: AbortSignal): void {
  fill(element, h("h2", {}, "…"));
  void attempt(desk, () => watch(element, desk, id, over));
}

async function watch(element: HTMLElement, desk: Desk, id: string, over: AbortSignal): Promise<void> {
  const bar = progressBar(desk.app, () => void attempt(desk, async () => void (await intake.cancel(id))));
  let shown = false;
  const held = await followed(
    () => intake.upload(id, over),
    ({ work, files }) => {
      const heading = element.querySelector("h2");
      if (heading?.textContent === "…") heading.textContent = nameOf(files);
      return work;
    },
    (work) => {
      if (atWork(work) && !shown) element.append(bar.element);
      shown ||= atWork(work);
      bar.tell(work);
    },
    over,
  );
  if (held.loaded !== null) {
    desk.go({ delivery: held.loaded.delivery });
    return;
  }
  draw(element, desk, held, over);
}

/** What an upload is called: of a Shapefile the file with the shapes. */
function nameOf(files: intake.Upload["files"]): string {
  const names = Object.keys(files);
  return names.find((each) => each.endsWith(".shp")) ?? names[0] ?? "";
}

function draw(element: HTMLElement, desk: Desk, upload: intake.Upload, over: AbortSignal): void {
  const { app } = desk;
  const { report, work } = upload;
  const name = report?.file ?? nameOf(upload.files);
  const heading = h("h2", { tabIndex: -1 }, name);
  const forget = (): Promise<void> =>
    attempt(desk, async () => {
      await intake.removeUpload(upload.id);
      drafts.delete(upload.id);
      desk.go(null);
    });
  const back = h(
    "div",
    { class: "ways" },
    action(app.t("dataBack"), () => desk.go(null), "link"),
    action(app.t("dataForget"), () => void forget(), "link"),
  );
  const failed =
    work?.state === "failed" &&
    work.why !== undefined &&
    h("section", { class: "refusal", role: "alert" }, ...whyPart(app, work.why));
  const cancelled = work?.state === "cancelled" && h("p", { class: "refusal" }, app.t("dataCancelled"));
  if (report === null) {
    const again = action(
      app.t("dataExamine"),
      () => void run(element, desk, upload.id, over, () => intake.examine(upload.id, upload.choices)),
    );
    fill(element, back, heading, failed, cancelled, again);
    return;
  }
  const settled = report.choices;
  const kept = drafts.get(upload.id);
  let draft = kept !== undefined && same(kept.settled, settled) ? kept.draft : upload.choices;
  const examine = action(app.t("dataExamineAgain"), () => bench.apply({}));
  const changed = h(
    "div",
    { class: "changed", role: "status", hidden: same(draft, settled) },
    h("span", {}, app.t("dataChanged")),
    examine,
  );
  const ready = h("section", { class: "ready" });
  const bench: Bench = {
    ...desk,
    upload,
    report,
    choices: () => draft,
    change(change) {
      draft = withChoice(draft, change);
      drafts.set(upload.id, { settled, draft });
      changed.hidden = same(draft, settled);
      ready.inert = !changed.hidden;
    },
    apply(change) {
      draft = withChoice(draft, change);
      void run(element, desk, upload.id, over, async () => {
        await intake.examine(upload.id, draft);
        drafts.delete(upload.id);
      });
    },
  };
  ready.inert = !changed.hidden;
  fill(
    ready,
    ...loadPart(
      bench,
      () => void run(element, desk, upload.id, over, () => intake.load(upload.id, report.many_retired === true)),
    ),
  );
  fill(
    element,
    back,
    heading,
    summary(bench),
    failed,
    cancelled,
    refusalPart(bench),
    counts(bench),
    findingsPart(bench),
    ready,
    rejectsPart(bench, over),
    optionsPart(bench),
    columnsPart(bench),
    changed,
  );
  heading.focus();
  void attempt(desk, async () => {
    const places = await intake.preview(upload.id);
    if (!over.aborted) desk.show(places);
  });
}

/** File a job, follow it, and draw what came of it. */
const run = (
  element: HTMLElement,
  desk: Desk,
  id: string,
  over: AbortSignal,
  file: () => Promise<unknown>,
): Promise<void> =>
  attempt(desk, async () => {
    await file();
    for (const part of element.querySelectorAll<HTMLElement>("section, .changed")) part.inert = true;
    document.querySelector(".desk")?.scrollTo(0, 0);
    await watch(element, desk, id, over);
  });

function summary({ app, report, upload }: Bench): HTMLElement {
  const { lang } = app.store.get();
  const bytes = Object.values(upload.files).reduce((sum, each) => sum + each, 0);
  const facts = [
    report.rows === undefined ? "" : app.t("dataRows", { n: number(lang, report.rows) }),
    size(app, bytes),
    report.columns === undefined ? "" : app.t("dataColumnsCount", { n: report.columns.length }),
    report.table !== undefined && report.tables !== null ? report.table : "",
    report.returned === true ? app.t("dataReturned") : "",
  ];
  return h("p", { class: "hint" }, facts.filter(Boolean).join(" · "));
}

function counts(bench: Bench): HTMLElement | null {
  const { report } = bench;
  if (report.outcome == null && !report.refused) return null;
  const { inserted, updated, unchanged, retired } = report.outcome ?? {
    inserted: 0,
    updated: 0,
    unchanged: 0,
    retired: 0,
  };
  return tiles(bench, { added: inserted, changed: updated, unchanged, retired, refused: report.refused ?? 0 });
}

/** What loading would do, in a sentence, and the button; many retired records need an explicit yes. */
function loadPart(bench: Bench, load: () => void): (HTMLElement | null)[] {
  const { app, report } = bench;
  const { lang } = app.store.get();
  if (report.refusal !== undefined || report.outcome == null) return [];
  const { inserted, updated, retired } = report.outcome;
  const into = report.into ? app.title(report.into.title) : "";
  const n = (value: number) => number(lang, value);
  const sentence = app.t("dataWillLoad", {
    layer: into,
    source: report.source ?? "",
    added: n(inserted),
    changed: n(updated),
    retired: n(retired),
  });
  const button = action(app.t("dataLoad"), load, "primary load");
  const left = report.refused ? h("p", { class: "hint" }, app.t("dataLeftOut", { n: n(report.refused) })) : null;
  if (report.many_retired !== true) return [h("p", {}, sentence), left, button];
  const sure = h("input", { type: "checkbox", id: "complete" });
  button.disabled = true;
  sure.onchange = () => {
    button.disabled = !sure.checked;
  };
  const many = app.t("dataManyRetired", { n: n(retired), held: n(report.held ?? 0) });
  const partial = action(app.t("dataOnlyPart"), () => bench.apply({ partial: true }), "");
  return [
    h("p", {}, sentence),
    left,
    h("p", { class: "refusal" }, many, partial),
    h("label", { class: "check" }, sure, app.t("dataComplete", { n: n(retired) })),
    button,
  ];
}
