/** The print dialog: what will be on the paper is drawn by the server while one chooses. */

import * as api from "../city/api.ts";
import { type PrintOrder, printed } from "../city/printing.ts";
import { topics } from "../city/topics.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import type { Board } from "./board.ts";
import { choice } from "./choice.ts";
import { save } from "./save.ts";
import { filtersInWords, forPaper, legendOnPaper, marksOnPaper } from "./sheet.ts";

const SCALES = [500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000];
const QUALITIES = [150, 200, 300];
const PREVIEW_DPI = 96;
const PAUSE_MS = 400;
const LONGEST_TITLE = 80;
/** So many the server takes. */
const MOST_FIGURES = 12;

type Paper = Pick<PrintOrder, "title" | "orientation" | "scale" | "dpi">;

/** The indicators of the open topic's key figures; none where they cannot be had. */
async function keyFigures(app: App): Promise<string[]> {
  const { topic } = app.store.get();
  if (topic === null) return [];
  const known = await topics().catch(() => []);
  const panels = known.find(({ name }) => name === topic)?.panels ?? [];
  const names = panels.flatMap((panel) => (panel.kind === "figures" ? panel.indicators : []));
  return [...new Set(names)].slice(0, MOST_FIGURES);
}

/** Everything about the map that the choices of the dialog do not change. */
async function seen(
  app: App,
  cityMap: CityMap,
  board: Board,
): Promise<{ order: Omit<PrintOrder, keyof Paper>; left: boolean }> {
  const { lang, layers } = app.store.get();
  const shown = layers.filter((name) => app.city.layer(name)).reverse();
  const [{ style, roles }, details, rasters, indicators] = await Promise.all([
    cityMap.styleIn("print"),
    Promise.all(shown.map((name) => app.city.detail(name))),
    api.rasters("print"),
    keyFigures(app),
  ]);
  const zoom = cityMap.map.getZoom();
  const paper = forPaper(style, location.origin, marksOnPaper(app, board.all(), roles));
  const bounds = cityMap.seen();
  return {
    left: paper.left.length > 0,
    order: {
      style: paper.style,
      subtitle: filtersInWords(app, details),
      lang,
      zoom,
      bounds,
      lon: (bounds[0] + bounds[2]) / 2,
      lat: (bounds[1] + bounds[3]) / 2,
      indicators,
      legend: legendOnPaper(app, details, rasters, cityMap.ranges(), zoom, {
        shades: cityMap.shading.current(),
        roles,
      }),
    },
  };
}

export async function printDialog(app: App, cityMap: CityMap, board: Board): Promise<void> {
  const paper: Paper = { title: app.title(app.city.city.title), orientation: "landscape", scale: null, dpi: 200 };
  const over = new AbortController();
  const preview = h("img", { alt: app.t("printPreview"), hidden: true });
  const status = h("p", { class: "hint", role: "status" }, app.t("printDrawing"));
  const wrong = h("p", { class: "wrong", role: "alert" });
  const note = h("p", { class: "hint" });
  const withFigures = h("input", { type: "checkbox", id: "print-figures", checked: true });
  const figures = h("label", { class: "switch", hidden: true }, withFigures, app.t("printFigures"));
  const map = seen(app, cityMap, board);
  let drawing = new AbortController();
  let due = 0;
  let shown = "";

  const fetched = async (format: "png" | "pdf", dpi: number, signal: AbortSignal): Promise<Blob> =>
    printed(
      format,
      { ...(await map).order, ...paper, ...(withFigures.checked ? {} : { indicators: [] }), dpi },
      signal,
    );
  const draw = async (): Promise<void> => {
    drawing.abort();
    drawing = new AbortController();
    const { signal } = drawing;
    status.textContent = app.t("printDrawing");
    try {
      const picture = await fetched("png", PREVIEW_DPI, signal);
      URL.revokeObjectURL(shown);
      shown = URL.createObjectURL(picture);
      preview.src = shown;
      preview.hidden = false;
      wrong.textContent = "";
    } catch (error) {
      if (!signal.aborted) wrong.textContent = failure(app, error);
    }
    if (!signal.aborted) status.textContent = "";
  };
  const change = (patch: Partial<Paper>) => {
    Object.assign(paper, patch);
    clearTimeout(due);
    due = window.setTimeout(() => void draw(), PAUSE_MS);
  };
  withFigures.onchange = () => change({});
  const give = (format: "png" | "pdf", text: string): HTMLButtonElement => {
    const button = h("button", { type: "button", class: "primary" }, text);
    button.onclick = async () => {
      for (const each of buttons) each.disabled = true;
      status.textContent = app.t("printDrawing");
      try {
        save(await fetched(format, paper.dpi, over.signal), `chengtu.${format}`);
        wrong.textContent = "";
      } catch (error) {
        if (!over.signal.aborted) wrong.textContent = failure(app, error);
      }
      status.textContent = "";
      for (const each of buttons) each.disabled = false;
    };
    return button;
  };
  const buttons = [give("png", app.t("printPng")), give("pdf", app.t("printPdf"))];
  const close = h("button", { type: "button", onclick: () => dialog.close() }, app.t("close"));
  const dialog = h(
    "dialog",
    { class: "print", aria: { labelledby: "print-title" } },
    h("h2", { id: "print-title" }, app.t("printSheet")),
    h(
      "div",
      { class: "columns" },
      h("div", { class: "choices" }, ...choices(app, paper, change), figures, note),
      h("div", { class: "preview" }, preview, status),
    ),
    wrong,
    h("footer", {}, close, ...buttons),
  );
  dialog.onclose = () => {
    over.abort();
    drawing.abort();
    clearTimeout(due);
    URL.revokeObjectURL(shown);
    dialog.remove();
  };
  document.body.append(dialog);
  dialog.showModal();
  void map.then(
    ({ order }) => {
      figures.hidden = order.indicators.length === 0;
    },
    () => undefined, // said where the map is drawn
  );
  await draw();
  const without = await map.then(
    ({ left }) => left,
    () => false,
  );
  fill(note, without && app.t("printWithout"));
}

function choices(app: App, paper: Paper, change: (patch: Partial<Paper>) => void): HTMLElement[] {
  const title = h("input", { type: "text", id: "print-name", value: paper.title, maxLength: LONGEST_TITLE });
  title.oninput = () => change({ title: title.value.trim() });
  const orientation = choice(
    app.t("printPaper"),
    [
      { value: "landscape" as const, text: app.t("printLandscape") },
      { value: "portrait" as const, text: app.t("printPortrait") },
    ],
    paper.orientation,
    (value) => change({ orientation: value }),
  );
  const scales = [
    h("option", { value: "" }, app.t("printFit")),
    ...SCALES.map((scale) => h("option", { value: scale }, `1:${scale.toLocaleString("en-GB")}`)),
  ];
  const scale = h("select", { id: "print-scale" }, ...scales);
  scale.onchange = () => change({ scale: scale.value === "" ? null : Number(scale.value) });
  const qualities = QUALITIES.map((dpi) =>
    h("option", { value: dpi, selected: dpi === paper.dpi }, app.t("printDpi", { n: dpi })),
  );
  const quality = h("select", { id: "print-quality" }, ...qualities);
  // The preview is coarse whatever is chosen here.
  quality.onchange = () => {
    paper.dpi = Number(quality.value);
  };
  return [
    h("label", { htmlFor: "print-name" }, app.t("printTitle")),
    title,
    h("span", {}, app.t("printPaper")),
    orientation.element,
    h("label", { htmlFor: "print-scale" }, app.t("printScale")),
    scale,
    h("label", { htmlFor: "print-quality" }, app.t("printQuality")),
    quality,
  ];
}
