/** How much waits in each queue, asked again as often as the city changes and no more than every few seconds. */
import { due } from "../city/callbacks.ts";
import { facets } from "../city/facets.ts";
import * as api from "../city/incidents.ts";
import { atMostEvery } from "../city/pace.ts";
import { asked, NO_FILTERS, OPEN, type Tab, WAITING } from "./place.ts";
import { type Counts, MOST_COUNTED } from "./tabs.ts";

const EVERY_MS = 4_000;
const OF_OPEN = `state IN (${OPEN.map((state) => `'${state}'`).join(", ")})`;

/** A function that counts anew, and tells; `calls`: whether who asks calls people back. */
export function countsOf(calls: boolean, told: (counts: Counts) => void): () => void {
  const own = async (tab: Tab): Promise<number> =>
    (await api.queue({ ...asked({ tab, filters: NO_FILTERS }), limit: MOST_COUNTED })).incidents.length;
  const count = async (): Promise<Counts> => {
    const [open, mine, department, waiting] = await Promise.all([
      ...([facets("incident", OF_OPEN), own("mine"), own("department")] as const),
      calls ? due({ limit: MOST_COUNTED }) : null,
    ]);
    const callbacks = waiting === null ? {} : { callbacks: waiting.callbacks.length };
    const values = (column: string) => open.facets.find((each) => each.column === column)?.values ?? [];
    const sum = (column: string, among: readonly string[]): number =>
      values(column).reduce((n, { value, count: more }) => n + (among.includes(value ?? "") ? more : 0), 0);
    return {
      new: sum("state", WAITING),
      mine,
      department,
      overdue: sum("light", ["red"]),
      area: open.total,
      ...callbacks,
    };
  };
  return atMostEvery(EVERY_MS, () => {
    count().then(told, () => undefined); // a number that cannot be told is left out
  });
}
