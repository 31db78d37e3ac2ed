/** Draw points with notes, lines, areas and circles; change, undo, delete, export. */
import { boundsOf } from "../map/geometry.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";
import type { Word } from "../words/i18n.ts";
import type { Board } from "./board.ts";
import { choice } from "./choice.ts";
import { takeInHand } from "./hand.ts";
import { figures, type Mark, toGeoJson } from "./marks.ts";
import { save } from "./save.ts";
import type { Sketch } from "./sketch.ts";

type Kind = Mark["kind"];
const KINDS: readonly [Kind, Word][] = [
  ["point", "drawPoint"],
  ["line", "drawLine"],
  ["area", "drawArea"],
  ["circle", "drawCircle"],
];
const HINTS: Record<Kind, Word> = {
  point: "drawHintPoint",
  line: "drawHintLine",
  area: "drawHintLine",
  circle: "drawHintCircle",
};
const LONGEST_NOTE = 120;

export function drawTool(app: App, cityMap: CityMap, board: Board, body: HTMLElement): () => void {
  let sketch: Sketch | null = null;
  let kind: Kind = "point";
  let held: Mark | null = null;
  const hint = h("p", { class: "hint" });
  const now = h("p", { class: "now", role: "status" });
  const list = h("ul", { class: "marks" });
  const kept = h("p", { class: "hint" });
  const footer = h("footer", {});

  const begin = (value: Kind) => {
    kind = value;
    hint.textContent = app.t(HINTS[kind]);
    sketch?.draw(kind);
  };
  const kinds = choice(
    app.t("toolDraw"),
    KINDS.map(([value, text]) => ({ value, text: app.t(text) })),
    kind,
    begin,
  );
  const replace = (mark: Mark, by: Mark | null) =>
    board.change(board.marks().flatMap((each) => (each === mark ? (by ?? []) : each)));
  const edit = (mark: Mark) => {
    sketch?.rest();
    held = mark;
    board.inHand(mark);
    hint.textContent = app.t("drawEditing");
    kinds.press(null);
    sketch?.edit(mark);
  };

  const row = (mark: Mark, at: number): HTMLElement => {
    const word = KINDS.find(([each]) => each === mark.kind)?.[1] ?? "drawPoint";
    const note = h("input", {
      type: "text",
      value: mark.note,
      maxLength: LONGEST_NOTE,
      placeholder: app.t("drawNote"),
      aria: { label: `${app.t("drawNote")} ${at + 1}` },
      onchange: () => replace(mark, { ...mark, note: note.value.trim() }),
    });
    const go = h("button", { type: "button", class: "door", onclick: () => show(cityMap, mark) }, app.t(word));
    return h(
      "li",
      {},
      go,
      h("span", { class: "count" }, figures(app.store.get().lang, mark)),
      iconButton("pencil", app.t("drawEdit"), () => edit(mark)),
      iconButton("trash", app.t("drawDelete"), () => replace(mark, null)),
      note,
    );
  };
  const undo = h("button", { type: "button", onclick: () => void (sketch?.undo() || board.undo()) }, app.t("drawUndo"));
  const exported = () => {
    const text = JSON.stringify(toGeoJson(board.marks()), null, 1);
    save(new Blob([text], { type: "application/geo+json" }), "chengtu-marks.geojson");
  };
  const redraw = () => {
    const marks = board.marks();
    const nothing = marks.length === 0 && h("li", { class: "empty" }, app.t("drawNone"));
    fill(list, nothing, ...marks.map(row));
    kept.textContent = marks.length === 0 ? "" : app.t(board.onlyHere() ? "drawHere" : "drawInLink");
    undo.disabled = !board.canUndo();
    fill(
      footer,
      undo,
      marks.length > 0 && h("button", { type: "button", onclick: exported }, app.t("drawExport")),
      marks.length > 0 && h("button", { type: "button", onclick: () => board.change([]) }, app.t("clearAll")),
    );
  };

  const giveBack = takeInHand(
    cityMap,
    "draw",
    {
      drawing: (mark) => {
        now.textContent = mark === null || mark.kind === "point" ? "" : figures(app.store.get().lang, mark);
        undo.disabled = mark === null && !board.canUndo();
      },
      done(mark) {
        board.change([...board.marks(), mark]);
        if (mark.kind === "point") list.querySelector<HTMLInputElement>("li:last-child input")?.focus();
      },
      edited(mark) {
        const before = held;
        held = null;
        board.inHand(null);
        if (before !== null) replace(before, { ...mark, note: before.note });
      },
    },
    (begun) => {
      sketch = begun;
      begin(kind);
    },
  );
  const stop = board.onChange(redraw);
  fill(body, kinds.element, hint, now, list, kept, footer);
  hint.textContent = app.t(HINTS[kind]);
  redraw();
  return () => {
    stop();
    giveBack();
    board.inHand(null);
  };
}

function show(cityMap: CityMap, mark: Mark): void {
  const [feature] = toGeoJson([mark]).features;
  const [lon = 0, lat = 0] = mark.points[0] ?? [];
  cityMap.goTo(mark.kind === "point" || !feature ? { lon, lat } : { lon, lat, bounds: boundsOf(feature.geometry) });
}
