/** What was taken down or reported on this phone in the last hours: what a visit may have come of it. */
import type { Doing } from "./acts.ts";
import type { Kept } from "./kept.ts";

const FACT = "recent";
const MOST = 12;
const LATELY_MS = 12 * 3_600_000;

export interface Recent {
  of: string;
  title: string;
  kind: "need" | "report";
  at: string;
}

export const recentOf = async (kept: Kept, now: number = Date.now()): Promise<readonly Recent[]> =>
  ((await kept.fact<Recent[] | null>(FACT)) ?? []).filter(({ at }) => now - Date.parse(at) < LATELY_MS);

/** Remember it, if it is one that a visit may name. */
export async function noteRecent(
  kept: Kept,
  { of, title, doing }: { of: string; title: string; doing: Doing },
  now: Date = new Date(),
): Promise<void> {
  if (doing.kind !== "need" && doing.kind !== "report") return;
  const before = (await recentOf(kept, now.getTime())).filter((each) => each.of !== of);
  await kept.setFact(FACT, [{ of, title, kind: doing.kind, at: now.toISOString() }, ...before].slice(0, MOST));
}
