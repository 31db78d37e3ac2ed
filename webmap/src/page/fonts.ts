/** The one type family of page and map, in slices of which only those that a view needs are fetched. */
import ranges from "@fontsource/noto-sans-sc/unicode.json";
import type { FontFacesSpecification } from "maplibre-gl";

const FILES = import.meta.glob<string>(
  [
    "/node_modules/@fontsource/noto-sans-sc/files/noto-sans-sc-*-{400,600}-normal.woff2",
    "!**/noto-sans-sc-chinese-simplified-*", // the whole family in one file, and fewer characters
  ],
  { query: "?url", import: "default", eager: true },
);

interface Slice {
  url: string;
  range: string;
}

function slices(weight: 400 | 600): Slice[] {
  return Object.entries(ranges).flatMap(([name, range]) => {
    const subset = name.replace(/[[\]]/g, "");
    const file = FILES[`/node_modules/@fontsource/noto-sans-sc/files/noto-sans-sc-${subset}-${weight}-normal.woff2`];
    return file === undefined ? [] : [{ url: new URL(file, location.href).href, range }];
  });
}

/** For the style of the map, whose labels are drawn from these files. */
export function mapFaces(): FontFacesSpecification {
  const faces = slices(400).map(({ url, range }) => ({
    url,
    "unicode-range": range.split(",").map((span) => span.trim().toUpperCase()),
  }));
  return { "City Sans": faces };
}

/** For the page around it. */
export function installFonts(): void {
  const rules = ([400, 600] as const).flatMap((weight) =>
    slices(weight).map(
      ({ url, range }) =>
        `@font-face{font-family:"City Sans";font-weight:${weight};font-display:swap;src:url("${url}") format("woff2");unicode-range:${range}}`,
    ),
  );
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules.join("\n"));
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
