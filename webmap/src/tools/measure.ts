/** Measure distances and areas on the ellipsoid; several stay on the map until they are cleared. */
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import type { Board } from "./board.ts";
import { choice } from "./choice.ts";
import { takeInHand } from "./hand.ts";
import { areaText, lengthText, type Mark, measured, muText } from "./marks.ts";
import type { Sketch } from "./sketch.ts";

type Kind = "line" | "area";

export function measureTool(app: App, cityMap: CityMap, board: Board, body: HTMLElement): () => void {
  let done: readonly Mark[] = [];
  let kind: Kind = "line";
  let sketch: Sketch | null = null;
  const now = h("div", { class: "measured now" });
  const list = h("ol", { class: "measured-list", aria: { live: "polite" } });
  const clear = h("button", { type: "button" }, app.t("clearAll"));

  const redraw = () => {
    board.showMeasured(done);
    fill(list, ...done.map((mark) => h("li", { class: "measured" }, ...lines(app, mark))));
    clear.hidden = done.length === 0;
  };
  clear.onclick = () => {
    done = [];
    redraw();
  };
  const kinds = choice(
    app.t("toolMeasure"),
    [
      { value: "line" as Kind, text: app.t("measureLength") },
      { value: "area" as Kind, text: app.t("measureArea") },
    ],
    kind,
    (value) => {
      kind = value;
      sketch?.draw(kind);
    },
  );
  const giveBack = takeInHand(
    cityMap,
    "measure",
    {
      drawing: (mark) => fill(now, ...(mark === null ? [] : [h("span", {}, app.t("measureNow")), ...lines(app, mark)])),
      done(mark) {
        done = [...done, mark];
        redraw();
      },
      edited: () => undefined,
    },
    (begun) => {
      sketch = begun;
      sketch.draw(kind);
    },
  );
  fill(
    body,
    kinds.element,
    h("p", { class: "hint" }, app.t("measureHint"), h("br"), app.t("measureKeys")),
    now,
    list,
    h("footer", {}, clear),
  );
  redraw();
  return () => {
    giveBack();
    board.showMeasured([]);
  };
}

/** The figures of a measured mark: the one asked for large, what goes with it small. */
function lines(app: App, mark: Mark): HTMLElement[] {
  const { lang } = app.store.get();
  const { length_m, area_m2 } = measured(mark);
  if (area_m2 === undefined) return [h("b", {}, lengthText(lang, length_m ?? 0))];
  const around = `${app.t("measureAround")} ${lengthText(lang, length_m ?? 0)}`;
  return [
    h("b", {}, areaText(lang, area_m2)),
    h("small", {}, `${app.t("measureMu", { n: muText(lang, area_m2) })} · ${around}`),
  ];
}
