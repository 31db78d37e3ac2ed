/** Two runs of one question side by side: what came, what went, what has another value. */
import type { Run, Summary, SummaryRow } from "../city/questions.ts";
import type { Title } from "../words/i18n.ts";

export interface Changed {
  key: string;
  label: string;
  before: number | null;
  after: number | null;
  at: [lon: number, lat: number] | null;
}

export interface Comparison {
  added: Changed[];
  gone: Changed[];
  changed: Changed[];
  /** How many are as they were. */
  same: number;
  /** One of the two holds only some of its rows: what seems to have come or gone may lie beyond them. */
  cut: boolean;
}

/** A comparison, and what was compared: two runs of one question, in words. */
export interface Compared {
  title: Title;
  earlier: Run;
  later: Run;
  /** Tells the time of a run so that no other run of the question has the same. */
  timeOf(run: Run): string;
  found: Comparison;
}

// What was computed from the same records differs by less than this.
const NOTHING = 1e-6;

/** From the earlier run to the later one; changes with the greatest difference first. */
export function compare(earlier: Summary, later: Summary): Comparison {
  const before = byKey(earlier.rows);
  const after = byKey(later.rows);
  const added = [...after].filter(([key]) => !before.has(key)).map(([, row]) => told(null, row));
  const gone = [...before].filter(([key]) => !after.has(key)).map(([, row]) => told(row, null));
  const both = [...after].flatMap(([key, row]) => {
    const old = before.get(key);
    return old === undefined ? [] : [told(old, row)];
  });
  const changed = both.filter(differs).sort((a, b) => difference(b) - difference(a));
  return { added, gone, changed, same: both.length - changed.length, cut: earlier.cut || later.cut };
}

/** Rows that share a key (the pieces of a way) count as one, their values added up. */
function byKey(rows: readonly SummaryRow[]): Map<string, SummaryRow> {
  const found = new Map<string, SummaryRow>();
  for (const row of rows) {
    const [key, label, value, lon, lat] = row;
    const known = found.get(key);
    if (known === undefined) found.set(key, row);
    else found.set(key, [key, label, value === null ? known[2] : (known[2] ?? 0) + value, lon, lat]);
  }
  return found;
}

function told(before: SummaryRow | null, after: SummaryRow | null): Changed {
  const row = after ?? before;
  if (row === null) throw new TypeError("a row that is in neither run");
  const [key, label, , lon, lat] = row;
  return {
    key,
    label: label ?? key,
    before: before?.[2] ?? null,
    after: after?.[2] ?? null,
    at: lon === null || lat === null ? null : [lon, lat],
  };
}

const difference = ({ before, after }: Changed): number => Math.abs((after ?? 0) - (before ?? 0));
const differs = (each: Changed): boolean =>
  (each.before === null) !== (each.after === null) ||
  difference(each) > NOTHING * Math.max(1, Math.abs(each.after ?? 0));
