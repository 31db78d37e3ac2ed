/** One camera's picture, and its stream, in a dialog. */

import { action } from "../card/content.ts";
import { dialogOf } from "../card/dialogs.ts";
import { type Links, links as linksOf, type Site } from "../city/video.ts";
import type { App } from "../page/app.ts";
import { fill, h } from "../page/dom.ts";
import { failure } from "../page/why.ts";
import { pictureOf } from "./picture.ts";
import { address, CAMERAS } from "./written.ts";

const MEDIA = /\.(mp4|webm|ogv|m3u8)$/i;

/** Open a camera; what no one configured is said, and how to. */
export async function openCamera(app: App, site: Site): Promise<void> {
  const body = h("div", { class: "viewer" }, h("p", { class: "empty" }, app.t("loading")));
  const dialog = dialogOf(app, site.name ?? site.id, body);
  dialog.classList.add("video-dialog");
  let links: Links;
  try {
    [links] = await Promise.all([linksOf(), app.city.detail(CAMERAS)]);
  } catch (error) {
    fill(body, h("p", { class: "empty" }, failure(app, error)));
    return;
  }
  const picture = pictureOf(app, site, links);
  const shown = h("div", {}, picture.element);
  dialog.addEventListener("close", picture.stop);
  const openCard = () => {
    dialog.close();
    app.store.set({ selected: { kind: "item", layer: CAMERAS, id: site.id } });
  };
  const { stream } = links;
  const playing = () => {
    if (stream === null) return;
    picture.stop();
    fill(shown, streamOf(address(stream.template, site), site.name ?? site.id));
  };
  const again = () => {
    fill(shown, picture.element);
    picture.load();
  };
  fill(
    body,
    links.picture?.synthetic && h("p", { class: "hint" }, app.t("videoSynthetic")),
    shown,
    stream === null && h("p", { class: "hint" }, app.t("videoNoStream", { braces: "{id}" })),
    h(
      "footer",
      {},
      links.picture !== null && action("undo", app.t("videoAgain"), again),
      stream !== null && action("play", app.t("videoStream"), playing),
      stream !== null &&
        h(
          "a",
          { href: address(stream.template, site), target: "_blank", rel: "noopener noreferrer" },
          app.t("videoOutside"),
        ),
      action("pencil", app.t("videoCard"), openCard),
    ),
  );
  picture.load();
}

/** A media file plays here; anything else is the platform's own player, which gets a frame and no say over this page. */
function streamOf(url: string, name: string): HTMLElement {
  if (MEDIA.test(new URL(url, location.href).pathname))
    return h("video", { src: url, controls: true, autoplay: true, muted: true, title: name });
  const frame = h("iframe", { title: name, referrerPolicy: "no-referrer", allow: "autoplay; fullscreen" });
  frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
  frame.src = url;
  return frame;
}
