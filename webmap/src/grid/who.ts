/** Who works with this phone: told by the server, and remembered while there is no network. */
import { get, Refused, Unreachable } from "../city/api.ts";
import type { Kept } from "./kept.ts";
import { AREA } from "./rules.ts";

export interface Who {
  /** The login name: acts are kept under it. */
  login: string;
  name: string;
  /** Beginnings of administrative codes, or ids of grids; null: everywhere. */
  areas: readonly string[] | null;
}

const FACT = "who";

/** Who is signed in; null for nobody. Without a network, who was last. */
export async function whoIsHere(kept: Kept): Promise<Who | null> {
  const before = (await kept.fact<Who | null>(FACT)) ?? null;
  try {
    const now = await signedIn();
    // What an account left on this phone is not for the eyes of others, nor of who found it after the session was ended.
    // What has not been sent stays: it is the account's own, and is shown and sent to no other.
    if (now?.login !== before?.login) await forget(kept);
    await kept.setFact(FACT, now);
    return now;
  } catch (error) {
    if (error instanceof Unreachable && before !== null) return before;
    throw error;
  }
}

async function forget(kept: Kept): Promise<void> {
  for (const name of ["cases", "area"]) await kept.setFact(name, null);
  if ("caches" in globalThis) await caches.delete(AREA);
}

interface Session {
  actor: string | null;
  name: string | null;
  areas: string[] | null;
}

async function signedIn(): Promise<Who | null> {
  try {
    const { actor, name, areas } = await get<Session>("/session");
    return actor === null ? null : { login: actor, name: name ?? actor, areas };
  } catch (error) {
    if (error instanceof Refused && error.status === 401) return null;
    throw error;
  }
}
