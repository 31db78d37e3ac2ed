/** The photos of a case, small; each opens large. */

import type { Case, Photo } from "../city/incidents.ts";
import * as api from "../city/incidents.ts";
import { h } from "../page/dom.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import type { Bench } from "./bench.ts";

export function photosView(bench: Bench, { photos }: Case, signal: AbortSignal): HTMLElement | null {
  const { app } = bench;
  if (photos.length === 0) return null;
  return h(
    "section",
    { class: "photos" },
    h("h3", {}, app.t("casePhotos", { n: photos.length })),
    h("div", { class: "thumbs" }, ...photos.map((photo) => thumb(bench, photo, signal))),
  );
}

function thumb(bench: Bench, photo: Photo, signal: AbortSignal): HTMLElement {
  const { app } = bench;
  const label = app.t("casePhotoOf", { time: moment(app.store.get().lang, photo.at) });
  const image = h("img", { alt: label, width: 120, height: 90 });
  const open = h(
    "button",
    { type: "button", class: "thumb", title: label, onclick: () => void enlarge(bench, photo, label) },
    image,
  );
  api.photo(photo.id, { small: true }, signal).then(
    (blob) => shown(image, blob),
    (error: unknown) => {
      if (!signal.aborted) open.replaceChildren(h("span", { class: "wrong" }, why(app, error)));
    },
  );
  return open;
}

async function enlarge({ app }: Bench, { id }: Photo, label: string): Promise<void> {
  const image = h("img", { alt: label });
  const dialog = h(
    "dialog",
    { class: "enlarged", aria: { label } },
    image,
    h(
      "footer",
      {},
      h("button", { type: "button", class: "outlined", onclick: () => dialog.close() }, app.t("caseClose")),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  try {
    shown(image, await api.photo(id));
  } catch (error) {
    image.replaceWith(h("p", { class: "wrong" }, why(app, error)));
  }
}

// An address of the server would not carry the token.
function shown(image: HTMLImageElement, blob: Blob): void {
  const url = URL.createObjectURL(blob);
  image.onload = () => URL.revokeObjectURL(url);
  image.src = url;
}
