/** What the phone keeps, in IndexedDB: acts with their photos until they have arrived, and what was last known. */
import type { Act, Box, Progress } from "./acts.ts";

const NAME = "chengtu-grid";
const VERSION = 1;
const ACTS = "acts";
const PHOTOS = "photos";
const CASES = "cases";
const FACTS = "facts";
const STORES = [ACTS, PHOTOS, CASES, FACTS] as const;

export interface New {
  act: Omit<Act, "seq">;
  photo?: Blob | undefined;
}

export interface Kept {
  /** The acts of an account, and how far their cases have come. */
  box(owner: string): Promise<Box>;
  /** Keep acts in their order, with their photos, all or none; they count as done once this has settled. */
  add(acts: readonly New[]): Promise<void>;
  /** Keep a box as it has become: acts that it lacks are gone, with their photos. */
  become(before: Box, after: Box): Promise<void>;
  photo(key: string): Promise<Blob | undefined>;
  fact<T>(name: string): Promise<T | undefined>;
  setFact(name: string, value: unknown): Promise<void>;
  /** Forget everything, as if the phone had never been signed in. */
  wipe(): Promise<void>;
}

export async function openKept(): Promise<Kept> {
  const database = await opened();
  // What was reported to be kept must be on the disk when the phone's battery fails.
  const write = (stores: readonly string[]): IDBTransaction =>
    database.transaction([...stores], "readwrite", { durability: "strict" });
  const read = (store: string): IDBObjectStore => database.transaction(store).objectStore(store);
  return {
    async box(owner) {
      const acts = await done<Act[]>(read(ACTS).getAll());
      const [keys, values] = await Promise.all([
        done(read(CASES).getAllKeys()),
        done<Progress[]>(read(CASES).getAll()),
      ]);
      const own = acts.filter((act) => act.owner === owner);
      const touched = new Set(own.map(({ of }) => of));
      const cases = keys.map((key, index) => [String(key), values[index] as Progress] as const);
      return { acts: own, cases: Object.fromEntries(cases.filter(([of]) => touched.has(of))) };
    },
    async add(made) {
      const change = write([ACTS, PHOTOS]);
      for (const { act, photo } of made) {
        change.objectStore(ACTS).add(act);
        if (photo !== undefined) change.objectStore(PHOTOS).put(photo, act.key);
      }
      await over(change);
    },
    async become(before, after) {
      const change = write([ACTS, PHOTOS, CASES]);
      const [acts, photos, cases] = [ACTS, PHOTOS, CASES].map((name) => change.objectStore(name)) as [
        IDBObjectStore,
        IDBObjectStore,
        IDBObjectStore,
      ];
      const left = new Map(after.acts.map((act) => [act.seq, act]));
      for (const act of before.acts) {
        const now = left.get(act.seq);
        if (now === undefined) {
          acts.delete(act.seq);
          photos.delete(act.key);
        } else if (now !== act) {
          acts.put(now);
          if (now.key !== act.key) moved(photos, act.key, now.key);
        }
      }
      for (const of of Object.keys(before.cases)) if (!(of in after.cases)) cases.delete(of);
      for (const [of, progress] of Object.entries(after.cases)) cases.put(progress, of);
      await over(change);
    },
    photo: (key) => done<Blob | undefined>(read(PHOTOS).get(key)),
    fact: (name) => done(read(FACTS).get(name)),
    async setFact(name, value) {
      const change = write([FACTS]);
      change.objectStore(FACTS).put(value, name);
      await over(change);
    },
    async wipe() {
      const change = write(STORES);
      for (const name of STORES) change.objectStore(name).clear();
      await over(change);
    },
  };
}

function opened(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(ACTS, { keyPath: "seq", autoIncrement: true });
    for (const name of [PHOTOS, CASES, FACTS]) request.result.createObjectStore(name);
  };
  return done(request);
}

function moved(photos: IDBObjectStore, from: string, to: string): void {
  const request = photos.get(from);
  request.onsuccess = () => {
    if (request.result !== undefined) photos.put(request.result, to);
    photos.delete(from);
  };
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((settle, fail) => {
    request.onsuccess = () => settle(request.result);
    request.onerror = () => fail(request.error);
  });
}

function over(change: IDBTransaction): Promise<void> {
  return new Promise((settle, fail) => {
    change.oncomplete = () => settle();
    change.onabort = change.onerror = () => fail(change.error);
  });
}
