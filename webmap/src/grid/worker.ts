/** The service worker of the grid worker's page: it has the page without a network, and sends what waits when one is back. */
import { flush } from "./flush.ts";
import { openKept } from "./kept.ts";
import { AREA, CHANNEL, doingFor } from "./rules.ts";
import type { Who } from "./who.ts";

/** Told by the build: the release, and the files that make up the page. */
declare const __SHELL__: { release: string; files: string[] };

// TypeScript cannot hold the types of pages and of service workers in one program.
interface Extendable extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface Fetching extends Extendable {
  request: globalThis.Request;
  respondWith(response: Promise<Response>): void;
}
interface Syncing extends Extendable {
  tag: string;
}
interface Scope {
  location: Location;
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Fetching) => void): void;
  addEventListener(type: "sync", listener: (event: Syncing) => void): void;
}
const scope = globalThis as unknown as Scope;

const SHELL = `chengtu-grid-shell-${__SHELL__.release}`;
const FONTS = "chengtu-grid-fonts";
const MOST_FONTS = 300;
const MOST_PHOTOS = 100;
const PATIENCE_MS = 4_000;

scope.addEventListener("install", (event) => {
  const files = async (): Promise<void> => {
    const cache = await caches.open(SHELL);
    await cache.addAll(
      __SHELL__.files.map((path) => new Request(path, { cache: path === "/grid" ? "reload" : "default" })),
    );
    await scope.skipWaiting();
  };
  event.waitUntil(files());
});

scope.addEventListener("activate", (event) => {
  const tidy = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith("chengtu-grid-shell-") && name !== SHELL);
    await Promise.all(old.map((name) => caches.delete(name)));
    await scope.clients.claim();
  };
  event.waitUntil(tidy());
});

scope.addEventListener("fetch", (event) => {
  const { request } = event;
  const doing = doingFor(request.method, new URL(request.url), scope.location.origin);
  if (doing === "pass") return;
  const answers = {
    shell: () => firstKept(SHELL, "/grid", request),
    file: () => file(request),
    news: () => fresh(request),
    photo: () => photo(request),
  };
  event.respondWith(answers[doing]());
});

// Where browsers can, after the page was closed; elsewhere the page sends when it is opened.
scope.addEventListener("sync", (event) => {
  if (event.tag === CHANNEL) event.waitUntil(sendAll());
});

async function firstKept(
  cacheName: string,
  key: string | globalThis.Request,
  request: globalThis.Request,
): Promise<Response> {
  return (await caches.match(key, { cacheName, ignoreVary: true })) ?? fetch(request);
}

/** A file whose name tells its content: once fetched, it is kept. Fonts are fetched slice by slice. */
async function file(request: globalThis.Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok && request.url.endsWith(".woff2")) await keep(FONTS, request, response.clone(), MOST_FONTS);
  return response;
}

async function photo(request: globalThis.Request): Promise<Response> {
  const kept = await caches.match(request, { cacheName: AREA, ignoreVary: true });
  if (kept !== undefined) return kept;
  const response = await fetch(request);
  if (response.ok) await keep(AREA, request, response.clone(), MOST_PHOTOS, (path) => path.startsWith("/photos/"));
  return response;
}

/** What the network says, or where it takes too long, what it said last. */
async function fresh(request: globalThis.Request): Promise<Response> {
  const kept = await caches.match(request, { cacheName: AREA, ignoreVary: true });
  try {
    const response = await fetch(request, kept === undefined ? {} : { signal: AbortSignal.timeout(PATIENCE_MS) });
    if (response.ok) await (await caches.open(AREA)).put(request, response.clone());
    return response;
  } catch (error) {
    if (kept !== undefined) return kept;
    throw error;
  }
}

/** Keep an answer; of its kind the oldest go when there are too many. */
async function keep(
  name: string,
  request: globalThis.Request,
  response: Response,
  most: number,
  kind: (path: string) => boolean = () => true,
): Promise<void> {
  const cache = await caches.open(name);
  await cache.put(request, response);
  const keys = (await cache.keys()).filter(({ url }) => kind(new URL(url).pathname));
  for (const old of keys.slice(0, Math.max(0, keys.length - most))) await cache.delete(old);
}

async function sendAll(): Promise<void> {
  const kept = await openKept();
  const who = await kept.fact<Who | null>("who");
  if (!who) return;
  const others = new BroadcastChannel(CHANNEL);
  const told = (): void => others.postMessage("changed");
  const ended = await flush(kept, who.login, { exercise: who.exercise ?? null, headers: () => ({}), attempt: 0, told });
  // The browser tries again later when this fails.
  if (ended.kind === "wait") throw new Error("not everything could be sent");
}
