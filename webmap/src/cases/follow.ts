/** What the desk does when the city changes: tiles anew, and whoever listens is told which case changed. */
import { livePath } from "../city/api.ts";
import type { Message } from "../city/events.ts";
import type { Change } from "../city/freshness.ts";
import { type LiveState, listen } from "../city/live.ts";
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";

const CASES = "incident";

/** Listen until `signal` aborts; `heard` is told the id of a case, or null when any may have changed. */
export function followCases(
  app: App,
  cityMap: CityMap,
  turned: (state: LiveState) => void,
  signal: AbortSignal,
  heard: (id: string | null) => void,
): void {
  const said = ({ event, data }: Message, resumed: boolean): void => {
    if (event === "reset" || (event === "hello" && !resumed)) {
      cityMap.refresher.everythingChanged();
      heard(null);
    } else if (event === "tiles") {
      const change = JSON.parse(data) as Change & { layer: string };
      for (const source of cityMap.sourcesOf(change.layer)) cityMap.refresher.changed(source, change);
      if (change.layer === CASES && (change.all || change.under)) heard(null);
    } else if (event === "record") {
      const { layer, id } = JSON.parse(data) as { layer: string; id: string };
      if (layer === CASES) heard(id);
    }
  };
  void listen(livePath(app.store.get().layers), { said, turned }, signal);
}
