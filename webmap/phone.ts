// What makes the page of grid workers an application of a phone: its icons, its manifest and its service worker.
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { build, type Plugin } from "vite";

const GROUND = "#00475f";
const INK = "#ffffff";
const SIZES = [180, 192, 512];
/** In a square of 1: a grid of three by three, its middle cell filled; inside the 80 % that every launcher shows. */
const BARS = [0.26, 0.42, 0.58, 0.74];
const BAR = 0.032;

const MANIFEST = {
  name: "城图网格通",
  short_name: "网格通",
  lang: "zh-CN",
  id: "/grid",
  start_url: "/grid",
  scope: "/grid",
  display: "standalone",
  orientation: "portrait",
  theme_color: GROUND,
  background_color: "#ffffff",
  icons: [
    { src: "/grid-icon.svg", sizes: "any", type: "image/svg+xml", purpose: "any maskable" },
    ...SIZES.map((size) => ({
      src: `/grid-${size}.png`,
      sizes: `${size}x${size}`,
      type: "image/png",
      purpose: "any maskable",
    })),
  ],
};

const [FIRST, SECOND, THIRD, LAST] = BARS as [number, number, number, number];
type Box = [x0: number, y0: number, x1: number, y1: number];
const BOXES: Box[] = [
  ...BARS.flatMap((at): Box[] => [
    [at - BAR / 2, FIRST - BAR / 2, at + BAR / 2, LAST + BAR / 2],
    [FIRST - BAR / 2, at - BAR / 2, LAST + BAR / 2, at + BAR / 2],
  ]),
  [SECOND, SECOND, THIRD, THIRD],
];

function svg(): string {
  const path = BOXES.map(([x0, y0, x1, y1]) => [x0, y0, x1 - x0, y1 - y0].map((v) => +(v * 512).toFixed(1)))
    .map(([x, y, w, h]) => `<rect x="${x}" y="${y}" width="${w}" height="${h}"/>`)
    .join("");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512"><rect width="512" height="512" fill="${GROUND}"/><g fill="${INK}">${path}</g></svg>\n`;
}

/** The same drawing as a PNG: how much of each pixel the drawing covers decides its colour. */
function png(size: number): Buffer {
  const rows = Buffer.alloc(size * (size * 3 + 1));
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const share = Math.min(1, Math.max(...BOXES.map((box) => covered(box, x / size, y / size, 1 / size))));
      for (let part = 0; part < 3; part++)
        rows[y * (size * 3 + 1) + 1 + x * 3 + part] = Math.round(
          channel(GROUND, part) * (1 - share) + channel(INK, part) * share,
        );
    }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const channel = (hex: string, part: number): number => Number.parseInt(hex.slice(1 + part * 2, 3 + part * 2), 16);

function covered([x0, y0, x1, y1]: Box, x: number, y: number, pixel: number): number {
  const wide = Math.min(x1, x + pixel) - Math.max(x0, x);
  const high = Math.min(y1, y + pixel) - Math.max(y0, y);
  return wide <= 0 || high <= 0 ? 0 : (wide * high) / (pixel * pixel);
}

function chunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** https://www.w3.org/TR/png-3/#5CRC-algorithm */
function crc32(data: Buffer): number {
  let rest = 0xffffffff;
  for (const byte of data) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ 0xedb88320 : rest >>> 1;
  }
  return (rest ^ 0xffffffff) >>> 0;
}

type Bundle = Parameters<Extract<Plugin["generateBundle"], (...given: never[]) => unknown>>[1];

/** Every file that the page needs before anybody does anything: its scripts, what these import, their styles and workers. */
function shellFiles(bundle: Bundle): string[] {
  const files = new Set<string>();
  const add = (name: string): void => {
    if (files.has(name)) return;
    files.add(name);
    const part = bundle[name];
    if (part?.type !== "chunk") return;
    for (const each of [...part.imports, ...(part.viteMetadata?.importedCss ?? [])]) add(each);
    for (const each of part.viteMetadata?.importedAssets ?? []) if (!each.endsWith(".woff2")) add(each);
  };
  for (const part of Object.values(bundle))
    if (part.type === "chunk" && part.isEntry && part.facadeModuleId?.endsWith("/grid.html")) add(part.fileName);
  return [...files].sort();
}

/** Builds the service worker last, since it names the release and the files of the page. */
export function phone(): Plugin {
  return {
    name: "phone",
    apply: "build",
    enforce: "post",
    async generateBundle(_, bundle) {
      const page = bundle["grid.html"];
      if (page?.type !== "asset") return this.error("there is no page for the phone");
      this.emitFile({ type: "asset", fileName: "grid-icon.svg", source: svg() });
      for (const size of SIZES) this.emitFile({ type: "asset", fileName: `grid-${size}.png`, source: png(size) });
      this.emitFile({ type: "asset", fileName: "grid.webmanifest", source: `${JSON.stringify(MANIFEST, null, 2)}\n` });
      const release = createHash("sha256").update(page.source).digest("hex").slice(0, 16);
      const files = ["/grid", "/grid.webmanifest", "/grid-icon.svg", ...shellFiles(bundle).map((name) => `/${name}`)];
      const built = await build({
        configFile: false,
        logLevel: "warn",
        define: { __SHELL__: JSON.stringify({ release, files }) },
        build: {
          write: false,
          target: "es2023",
          rolldownOptions: {
            input: "src/grid/worker.ts",
            output: { format: "iife", entryFileNames: "grid-worker.js" },
          },
        },
      });
      const [output] = Array.isArray(built) ? built : [built];
      if (output === undefined || !("output" in output)) return this.error("the service worker was not built");
      this.emitFile({ type: "asset", fileName: "grid-worker.js", source: output.output[0].code });
    },
  };
}
