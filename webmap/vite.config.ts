import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";
import { phone } from "./phone.ts";

const server = process.env.CHENGTU_URL ?? "http://127.0.0.1:8000";
const served = [
  "layers",
  "tiles",
  "styles",
  "search",
  "geocode",
  "reverse",
  "items",
  "nearby",
  "healthz",
  "live",
  "basemap",
  "rasters",
  "ogc",
  "print",
  "query",
  "questions",
  "uploads",
  "deliveries",
  "incidents",
  "photos",
  "session",
  "departments",
  "duties",
  "hotline",
  "callers",
  "accounts",
  "roles",
  "keys",
  "audit",
  "public-reports",
  "open311",
];

/** Leaflet as two files with nothing outside them: Python writes them into pages that open on a closed network. */
function leaflet(): Plugin {
  const dist = dirname(createRequire(import.meta.url).resolve("leaflet/dist/leaflet.js"));
  const read = (name: string) => readFileSync(join(dist, name), "utf8");
  const image = (_: string, name: string) => `url(data:image/png;base64,${readFileSync(join(dist, name), "base64")})`;
  return {
    name: "leaflet-for-pages",
    generateBundle() {
      const script = read("leaflet.js").replace(/\/\/# sourceMappingURL=.*\s*$/, "");
      const style = read("leaflet.css").replace(/url\((images\/[\w-]+\.png)\)/g, image);
      this.emitFile({ type: "asset", fileName: "leaflet/leaflet.js", source: script });
      this.emitFile({ type: "asset", fileName: "leaflet/leaflet.css", source: style });
    },
  };
}

/** Beside every text its compressed twin, made once here instead of at every request. */
function compressed(): Plugin {
  return {
    name: "compressed-twins",
    writeBundle({ dir = "dist" }, bundle) {
      for (const fileName of Object.keys(bundle).filter((name) => /\.(m?js|css|html)$/.test(name))) {
        writeFileSync(join(dir, `${fileName}.gz`), gzipSync(readFileSync(join(dir, fileName)), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/",
  plugins: [leaflet(), phone(), compressed()],
  build: {
    target: "es2023",
    // Font slices stay files of their own: only those that a view needs are fetched.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1400,
    // Every page is an HTML file here: `wall.html` is served as /wall.
    rolldownOptions: { input: readdirSync(import.meta.dirname).filter((name) => name.endsWith(".html")) },
  },
  server: { proxy: Object.fromEntries(served.map((path) => [`/${path}`, server])) },
});
