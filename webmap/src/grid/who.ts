/** Who works with this phone, and what is forgotten when it is somebody else. */
import type { Who as Session } from "../city/session.ts";
import { CARE_FACTS } from "./care.ts";
import type { Kept } from "./kept.ts";
import { AREA } from "./rules.ts";

export interface Who {
  /** The login name: acts are kept under it. */
  login: string;
  name: string;
  /** Beginnings of administrative codes, or ids of grids; null: everywhere. */
  areas: readonly string[] | null;
  /** The exercise that they are in. */
  exercise: string | null;
}

const FACT = "who";

/** Who is signed in, with nothing left to do first; null for nobody. */
export function workerOf({ actor, name, areas, due, exercise }: Session): Who | null {
  return actor === null || due !== null
    ? null
    : { login: actor, name: name ?? actor, areas, exercise: exercise?.id ?? null };
}

/**
 * Remember who it is, and in which exercise: what is known of one is not shown in another, nor outside. What another account left on this phone is not for the eyes of the next one, nor of who found it
 * after its session was ended; what has not been sent stays, as the account's own: it is shown and sent to no other.
 */
export async function remember(kept: Kept, now: Who | null): Promise<void> {
  const before = await kept.fact<Who | null>(FACT);
  if (before?.login !== now?.login) {
    for (const name of ["cases", "area", "recent", ...CARE_FACTS]) await kept.setFact(name, null);
    if ("caches" in globalThis) await caches.delete(AREA);
  } else if ((before?.exercise ?? null) !== (now?.exercise ?? null)) {
    for (const name of ["cases", "recent", CARE_FACTS[0]]) await kept.setFact(name, null);
    await forgetPhotos();
  }
  await kept.setFact(FACT, now);
}

/** The map of the area is the same in an exercise; photos are of its cases, or of real ones. */
async function forgetPhotos(): Promise<void> {
  if (!("caches" in globalThis)) return;
  const cache = await caches.open(AREA);
  for (const request of await cache.keys())
    if (new URL(request.url).pathname.startsWith("/photos/")) await cache.delete(request);
}
