/** What the page does when the city changes: tiles anew, counts anew, the open card anew. */

import type { Card } from "../card/card.ts";
import { livePath } from "../city/api.ts";
import type { Message } from "../city/events.ts";
import type { Change } from "../city/freshness.ts";
import { type LiveState, listen } from "../city/live.ts";
import { atMostEvery } from "../city/pace.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";

const RECOUNT_MS = 5_000;

export interface Parts {
  cityMap: CityMap;
  card: Card;
  /** Told which layer changed (null: any), as often as that happens. */
  heard: (layer: string | null) => void;
}

/**
 * Listen until `signal` aborts. The stream is opened before the map asks for its first tile, so that nothing falls
 * between the two; what it says meanwhile waits for `parts`.
 */
export function followCity(
  app: App,
  parts: Promise<Parts>,
  turned: (state: LiveState) => void,
  signal: AbortSignal,
): void {
  const names = app.city.layers.map((layer) => layer.name);
  if (names.length === 0) return;
  const recount = atMostEvery(RECOUNT_MS, () => void app.city.recount().catch(() => undefined));

  const touched = ({ card, heard }: Parts, layer: string, id?: string) => {
    recount();
    heard(layer);
    const { selected } = app.store.get();
    if (selected?.kind === "item" && selected.layer === layer && (id ?? selected.id) === selected.id) card.reread();
  };
  const heed = (known: Parts, { event, data }: Message, resumed: boolean) => {
    const { cityMap, card, heard } = known;
    if (event === "reset" || (event === "hello" && !resumed)) cityMap.refresher.everythingChanged();
    if (event === "reset") {
      cityMap.shading.changed(null);
      recount();
      card.reread();
      heard(null);
    } else if (event === "tiles") {
      const change = JSON.parse(data) as Change & { layer: string };
      for (const source of cityMap.sourcesOf(change.layer)) cityMap.refresher.changed(source, change);
      cityMap.shading.changed(change.layer);
      if (change.all || change.under) touched(known, change.layer);
    } else if (event === "record") {
      const { layer, id } = JSON.parse(data) as { layer: string; id: string };
      touched(known, layer, id);
    }
  };
  const said = (message: Message, resumed: boolean) =>
    void parts.then(
      (known) => heed(known, message, resumed),
      () => undefined, // a page that could not be drawn has nothing to keep fresh
    );
  void listen(livePath(names), { said, turned }, signal);
}
