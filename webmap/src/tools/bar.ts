/** The quiet bar of tools beside the map's controls; one tool at a time, in a panel of its own. */
import type { CityMap } from "../map/map.ts";
import type { App } from "../page/app.ts";
import { fill, h, type Icon, iconButton } from "../page/dom.ts";
import { videoTool } from "../video/tool.ts";
import { CAMERAS } from "../video/written.ts";
import type { Word } from "../words/i18n.ts";
import { createBoard } from "./board.ts";
import { drawTool } from "./draw.ts";
import { measureTool } from "./measure.ts";
import { printDialog } from "./print.ts";
import { rasterProbe } from "./probe.ts";
import { shareTool } from "./share.ts";
import { timeTool } from "./timeline.ts";

interface Tool {
  name: string;
  icon: Icon;
  title: Word;
  /** Fill the panel; the returned function ends the tool. */
  open(body: HTMLElement): () => void;
  /** Forget what the tool was about, once it is closed for good. */
  closed?(): void;
}

/** The bar goes before the controls, in the order of the keyboard; the foot shows values under the pointer. */
export function mapTools({ controls, foot }: { controls: Element; foot: Element }, app: App, cityMap: CityMap): void {
  const board = createBoard(app, cityMap);
  const video: Tool = {
    name: "video",
    icon: "camera",
    title: "toolVideo",
    open: (body) => videoTool(app, cityMap, body),
    closed: () => app.store.set({ sight: undefined }),
  };
  const tools: readonly Tool[] = [
    { name: "measure", icon: "ruler", title: "toolMeasure", open: (body) => measureTool(app, cityMap, board, body) },
    { name: "draw", icon: "pencil", title: "toolDraw", open: (body) => drawTool(app, cityMap, board, body) },
    { name: "time", icon: "clock", title: "toolTime", open: (body) => timeTool(app, cityMap, body) },
    ...(app.city.layer(CAMERAS) ? [video] : []),
    { name: "share", icon: "share", title: "toolShare", open: (body) => shareTool(app, board, body) },
  ];
  const bar = h("div", { class: "tools", role: "toolbar" });
  const panel = h("section", { class: "tool", hidden: true, aria: { labelledby: "tool-title" } });
  let open: Tool | null = null;
  let end = (): void => undefined;

  const close = (): void => {
    end();
    end = () => undefined;
    const name = open?.name;
    open?.closed?.();
    open = null;
    panel.hidden = true;
    draw();
    bar.querySelector<HTMLElement>(`[data-tool="${name}"]`)?.focus();
  };
  const start = (tool: Tool): void => {
    end();
    if (open !== tool) open?.closed?.();
    open = tool;
    const body = h("div", { class: "body" });
    const title = h("h2", { id: "tool-title", tabIndex: -1 }, app.t(tool.title));
    panel.dataset.tool = tool.name;
    fill(panel, h("header", {}, title, iconButton("close", app.t("close"), close)), body);
    panel.hidden = false;
    end = tool.open(body);
    draw();
    title.focus();
  };
  const button = (tool: Tool): HTMLElement => {
    const on = open === tool;
    const made = iconButton(tool.icon, app.t(tool.title), () => (open === tool ? close() : start(tool)));
    made.dataset.tool = tool.name;
    made.classList.toggle("on", on);
    made.setAttribute("aria-pressed", String(on));
    return made;
  };
  const draw = () => {
    const focused = document.activeElement instanceof HTMLElement && bar.contains(document.activeElement);
    const name = focused ? (document.activeElement as HTMLElement).dataset.tool : undefined;
    const print = iconButton("print", app.t("toolPrint"), () => void printDialog(app, cityMap, board));
    bar.setAttribute("aria-label", app.t("tools"));
    fill(bar, ...tools.map(button), print);
    if (name) bar.querySelector<HTMLElement>(`[data-tool="${name}"]`)?.focus();
  };
  panel.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close();
  });
  // Links and cards ask which cameras see a point.
  const asked = () => {
    if (app.store.get().sight !== undefined && open !== video && tools.includes(video)) start(video);
  };
  app.store.on(["sight"], asked);
  app.store.on(["lang"], () => (open === null ? draw() : start(open)));
  controls.before(bar, panel);
  draw();
  asked();
  rasterProbe(foot.querySelector(".readout") ?? foot, app, cityMap);
}
