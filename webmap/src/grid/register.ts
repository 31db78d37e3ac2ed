/** The service worker of the page, where browsers have one: only pages that came by HTTPS, or from the machine itself. */

export const WORKER = "/grid-worker.js";
const SCOPE = "/grid";
/** What the first opening fetched before the worker could see it. */
const KEPT_BY_WORKER = /^\/(assets\/.*\.woff2|layers|styles|basemap|rasters|session$)/;

/** Whether the page works offline from now on. */
export async function register(): Promise<boolean> {
  if (!import.meta.env.PROD || !navigator.serviceWorker) return false;
  try {
    await navigator.serviceWorker.register(WORKER, { scope: SCOPE });
  } catch {
    return false; // a certificate that the browser does not trust
  }
  if (navigator.serviceWorker.controller === null) await controlled();
  return true;
}

const controlled = (): Promise<void> =>
  new Promise((settle) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => settle(), { once: true });
    if (navigator.serviceWorker.controller !== null) settle();
  });

/** Let the worker see what the page was built from, and the characters of `text`, so that all is there without a network. */
export async function prime(text: string): Promise<void> {
  for (const weight of [400, 600]) await document.fonts.load(`${weight} 1rem "City Sans"`, text);
  const paths = performance
    .getEntriesByType("resource")
    .map(({ name }) => new URL(name))
    .filter(({ origin, pathname }) => origin === location.origin && KEPT_BY_WORKER.test(pathname));
  const known = new Set(paths.map(({ pathname, search }) => pathname + search));
  for (const path of known)
    await fetch(path).then(
      (response) => response.blob(),
      () => null,
    );
}
