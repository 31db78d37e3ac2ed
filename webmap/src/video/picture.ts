/** A camera's picture with its name, when it was received, and when it did not come. */
import type { Links, Site } from "../city/video.ts";
import { classWord } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { address, CAMERAS } from "./written.ts";

const PATIENCE_MS = 15_000;

export interface Picture {
  element: HTMLElement;
  /** Fetch it anew. */
  load(): void;
  /** Fetch nothing more. */
  stop(): void;
}

type Outcome = "loading" | "here" | "broken" | "none";

/** `told` hears whenever it is known whether there is a picture. */
export function pictureOf(app: App, site: Site, links: Links, told: () => void = () => undefined): Picture {
  const name = site.name ?? site.id;
  const frame = h("div", { class: "frame-of-picture" });
  const mark = h("span", { class: "mark" });
  const status = h("span", { class: "detail" });
  const caption = h("figcaption", {}, h("span", { class: "name", title: name }, name), status, mark);
  const element = h("figure", { class: "picture", data: { site: site.id } }, frame, caption);
  const layer = app.city.known(CAMERAS);
  if (layer !== undefined && site.status !== "ON") status.textContent = classWord(app, layer, { status: site.status });
  let due: ReturnType<typeof setTimeout> | undefined;
  let image: HTMLImageElement | null = null;

  const say = (outcome: Outcome, text: string) => {
    element.dataset.outcome = outcome;
    mark.textContent = text;
    told();
  };
  const stop = () => {
    clearTimeout(due);
    if (image === null) return;
    image.onload = null;
    image.onerror = null;
    if (!image.complete) image.removeAttribute("src");
  };
  const load = () => {
    stop();
    const { picture } = links;
    if (picture === null) {
      fill(frame, h("p", { class: "empty" }, app.t("videoNoPicture", { braces: "{id}" })));
      say("none", "");
      return;
    }
    const fresh = h("img", { alt: name, referrerPolicy: "no-referrer", decoding: "async" });
    image = fresh;
    const broken = (word: "videoBroken" | "videoLate") => {
      stop();
      fill(frame);
      say("broken", app.t(word, { time: now() }));
    };
    fresh.onload = () => {
      clearTimeout(due);
      fill(frame, fresh);
      say("here", app.t("videoAt", { time: now() }));
    };
    fresh.onerror = () => broken("videoBroken");
    due = setTimeout(() => broken("videoLate"), PATIENCE_MS);
    say("loading", app.t("videoLoading"));
    fresh.src = address(picture.template, site);
  };
  return { element, load, stop };
}

/** The time of the clock on the wall. */
const now = (): string => new Date().toLocaleTimeString("en-GB", { hour12: false });
