/** A picture of the map as it is seen, with what was asked, whose data it is and when it was made. */
import type { CityMap } from "../map/map.ts";

const MARGIN = 16;
const LINE = 1.5;

/** A PNG; `lines` stand beneath the map, the first one larger. */
export async function picture({ map }: CityMap, lines: readonly string[]): Promise<Blob> {
  const canvas = await frame(map);
  const scale = canvas.width / map.getContainer().clientWidth;
  const sizes = lines.map((_, at) => (at === 0 ? 16 : 12) * scale);
  const page = document.createElement("canvas");
  const context = page.getContext("2d");
  if (context === null) throw new Error("this browser draws no pictures");
  const family = getComputedStyle(document.body).fontFamily;
  const wide = canvas.width - 2 * MARGIN * scale;
  const text = lines.flatMap((line, at) => {
    context.font = `${sizes[at]}px ${family}`;
    return wrapped(context, line, wide).map((part) => ({ part, size: sizes[at] ?? 12 }));
  });
  const foot = text.reduce((sum, { size }) => sum + size * LINE, 2 * MARGIN * scale);
  page.width = canvas.width;
  page.height = canvas.height + Math.ceil(foot);
  const style = getComputedStyle(document.documentElement);
  context.fillStyle = style.getPropertyValue("--land") || "#ffffff";
  context.fillRect(0, 0, page.width, page.height);
  context.drawImage(canvas, 0, 0);
  context.fillStyle = style.getPropertyValue("--text") || "#000000";
  context.textBaseline = "top";
  let y = canvas.height + MARGIN * scale;
  for (const { part, size } of text) {
    context.font = `${size}px ${family}`;
    context.fillText(part, MARGIN * scale, y);
    y += size * LINE;
  }
  return new Promise((settle, fail) =>
    page.toBlob((blob) => (blob === null ? fail(new Error("this browser makes no PNG")) : settle(blob)), "image/png"),
  );
}

/** What the map shows, copied while its frame is still there. */
function frame(map: CityMap["map"]): Promise<HTMLCanvasElement> {
  return new Promise((settle) => {
    map.once("render", () => {
      const source = map.getCanvas();
      const copy = document.createElement("canvas");
      copy.width = source.width;
      copy.height = source.height;
      copy.getContext("2d")?.drawImage(source, 0, 0);
      settle(copy);
    });
    map.triggerRepaint();
  });
}

/** Chinese breaks anywhere, other words at their ends. */
function wrapped(context: CanvasRenderingContext2D, text: string, wide: number): string[] {
  const parts = text.match(/[\x21-\x7e]+\s*|\s+|[^\x21-\x7e]/g) ?? [];
  const lines: string[] = [];
  let line = "";
  for (const part of parts) {
    if (line !== "" && context.measureText(line + part).width > wide) {
      lines.push(line);
      line = "";
    }
    line += part;
  }
  return line === "" ? lines : [...lines, line];
}
