import { defineConfig } from "vite";

const server = process.env.CHENGTU_URL ?? "http://127.0.0.1:8000";
const served = ["layers", "tiles", "styles", "search", "geocode", "reverse", "items", "healthz"];

export default defineConfig({
  base: "/",
  build: {
    target: "es2023",
    // Font slices stay files of their own: only those that a view needs are fetched.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1300,
  },
  server: { proxy: Object.fromEntries(served.map((path) => [`/${path}`, server])) },
});
