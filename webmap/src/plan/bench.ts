/** What the parts of the workbench share: the question that is being built, and what its changes set off. */
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import type { How } from "./controls.ts";
import type { Draft } from "./question.ts";
import type { Sketch } from "./sketch.ts";

/** A result of this visit, as the area of the next question. */
export interface EarlierResult {
  id: string;
  title: string;
}

export interface Bench {
  app: App;
  cityMap: CityMap;
  sketch: Sketch;
  /** Names of areas that were chosen, by `layer/id`. */
  names: Map<string, string>;
  earlier: EarlierResult[];
  draft(): Draft;
  /** Put another question in its place; the form is drawn anew unless a mere value has changed. */
  change(next: Draft, how?: How): void;
  onChange(listener: (how: How) => void): void;
}

export function createBench(app: App, cityMap: CityMap, sketch: Sketch, first: Draft): Bench {
  let draft = first;
  const listeners = new Set<(how: How) => void>();
  return {
    app,
    cityMap,
    sketch,
    names: new Map(),
    earlier: [],
    draft: () => draft,
    change(next, how = "form") {
      draft = next;
      for (const listener of listeners) listener(how);
    },
    onChange: (listener) => void listeners.add(listener),
  };
}
