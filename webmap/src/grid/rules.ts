/** What the service worker does with a request, by its address: pure, so that it can be tried without one. */

/** Where the map of the area lies, and whatever else only the account may see. */
export const AREA = "chengtu-grid-area";
export const CHANNEL = "chengtu-grid";

export type Doing = "shell" | "file" | "news" | "photo" | "pass";

/** The page itself, a file that never changes, what is fresh from the network or else as kept, or none of its business. */
export function doingFor(method: string, url: URL, origin: string): Doing {
  if (method !== "GET" || url.origin !== origin) return "pass";
  const { pathname } = url;
  if (pathname === "/grid") return "shell";
  if (pathname.startsWith("/assets/") || /^\/grid[-.]/.test(pathname)) return "file";
  if (/^\/(layers(\/incident)?|basemap|rasters|session)$/.test(pathname) || pathname.startsWith("/styles/"))
    return "news";
  if (pathname.startsWith("/photos/")) return "photo";
  return "pass";
}
