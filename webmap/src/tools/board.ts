/** The marks on the map: kept in the URL or the browser, drawn over everything, every change with a way back. */
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import type { Mark } from "./marks.ts";
import { drawMarks } from "./overlay.ts";
import { HERE, keep, kept } from "./written.ts";

export interface Board {
  marks(): readonly Mark[];
  change(marks: readonly Mark[]): void;
  canUndo(): boolean;
  undo(): void;
  /** What is measured: drawn like marks, kept nowhere. */
  showMeasured(marks: readonly Mark[]): void;
  /** The mark that is in hand is drawn by the sketch, not here. */
  inHand(mark: Mark | null): void;
  /** Everything that is drawn, for print. */
  all(): readonly Mark[];
  /** Are the marks too many for a URL? */
  onlyHere(): boolean;
  onChange(listener: () => void): () => void;
}

const MOST_STEPS = 100;

export function createBoard(app: App, cityMap: CityMap): Board {
  const { store } = app;
  let marks: readonly Mark[] = kept(store.get().marks ?? null);
  let measured: readonly Mark[] = [];
  let held: Mark | null = null;
  let painted: Record<string, string> | null = null;
  const before: (readonly Mark[])[] = [];
  const listeners = new Set<() => void>();

  const all = () => [...marks.filter((mark) => mark !== held), ...measured];
  const draw = () => {
    painted = cityMap.roles();
    drawMarks(cityMap.map, all(), store.get().lang, painted);
  };
  const write = (next: readonly Mark[]) => {
    marks = next;
    store.set({ marks: keep(marks) ?? undefined });
    draw();
    for (const listener of [...listeners]) listener();
  };

  void cityMap.ready.then(() => {
    draw();
    // Another palette comes with another style, some time after it was chosen. The map tells so in the middle of a
    // frame, which it would go on to draw with layers that it does not know yet.
    cityMap.map.on("styledata", () => {
      if (cityMap.roles() !== painted) setTimeout(() => cityMap.roles() !== painted && draw());
    });
    store.on(["lang"], draw);
  });
  // Someone followed another link: what it says takes the place of what is here.
  store.on(["marks"], ({ marks: told }) => {
    if ((told ?? null) === keep(marks)) return;
    before.length = 0;
    marks = kept(told ?? null);
    draw();
    for (const listener of [...listeners]) listener();
  });

  return {
    marks: () => marks,
    all,
    change(next) {
      before.push(marks);
      if (before.length > MOST_STEPS) before.shift();
      write(next);
    },
    canUndo: () => before.length > 0,
    undo() {
      const last = before.pop();
      if (last !== undefined) write(last);
    },
    showMeasured(given) {
      measured = given;
      draw();
    },
    inHand(mark) {
      held = mark;
      draw();
    },
    onlyHere: () => store.get().marks === HERE,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
