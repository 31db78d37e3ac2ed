/** How much waits in each queue, asked again as often as the city changes and no more than every few seconds. */
import { due } from "../city/callbacks.ts";
import { needsOf } from "../city/care.ts";
import { facets } from "../city/facets.ts";
import * as api from "../city/incidents.ts";
import { atMostEvery } from "../city/pace.ts";
import { asked, NO_FILTERS, OPEN, type Tab, WAITING } from "./place.ts";
import { type Counts, MOST_COUNTED } from "./tabs.ts";

const EVERY_MS = 4_000;
const OF_OPEN = `state IN (${OPEN.map((state) => `'${state}'`).join(", ")})`;

/** What of the counts is for those who have a right to it: who is called back, needs that wait. */
export interface Counted {
  calls: boolean;
  needs: boolean;
}

/** A function that counts anew, and tells. */
export function countsOf({ calls, needs }: Counted, told: (counts: Counts) => void): () => void {
  const own = async (tab: Tab): Promise<number> =>
    (await api.queue({ ...asked({ tab, filters: NO_FILTERS }), limit: MOST_COUNTED })).incidents.length;
  const count = async (): Promise<Counts> => {
    const [open, mine, department, waiting, needed] = await Promise.all([
      ...([facets("incident", OF_OPEN), own("mine"), own("department")] as const),
      calls ? due({ limit: MOST_COUNTED }) : null,
      needs ? needsOf({ states: ["open"], limit: MOST_COUNTED }) : null,
    ]);
    const callbacks = waiting === null ? {} : { callbacks: waiting.callbacks.length };
    const inNeed = needed === null ? {} : { needs: needed.needs.length };
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
      ...inNeed,
    };
  };
  return atMostEvery(EVERY_MS, () => {
    count().then(told, () => undefined); // a number that cannot be told is left out
  });
}
