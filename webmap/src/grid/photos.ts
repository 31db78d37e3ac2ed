/** The photos of a form: taken or chosen, made light at once, looked at, and taken away again. */
import { newKey } from "../city/items.ts";
import { fill, h, icon } from "../page/dom.ts";
import type { Phone } from "./phone.ts";
import { lightened, MOST_PHOTOS } from "./photo.ts";

export interface Taken {
  key: string;
  blob: Blob;
}

export interface Photos {
  element: HTMLElement;
  taken(): readonly Taken[];
  put(photos: readonly Taken[]): void;
}

export function photoField(phone: Phone): Photos {
  const { app } = phone;
  let taken: readonly Taken[] = [];
  const strip = h("ul", { class: "strip" });
  const input = h("input", { type: "file", accept: "image/*", class: "hidden-text", id: "photo", multiple: true });
  const word = h("span");
  const label = h("label", { class: "take outlined", htmlFor: "photo" }, icon("photo"), word);
  const put = (photos: readonly Taken[]): void => {
    taken = photos.slice(0, MOST_PHOTOS);
    const n = taken.length;
    word.textContent = n === 0 ? app.t("gridAddPhoto") : app.t("gridAddPhotoOf", { n, most: MOST_PHOTOS });
    input.disabled = n >= MOST_PHOTOS;
    for (const image of strip.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    fill(strip, ...taken.map(thumb));
    strip.hidden = n === 0;
  };
  const thumb = ({ key, blob }: Taken, index: number): HTMLElement => {
    const label = app.t("gridRemovePhoto", { n: index + 1 });
    const remove = h("button", { type: "button", class: "icon-button", aria: { label } }, icon("close"));
    remove.onclick = () => put(taken.filter((each) => each.key !== key));
    return h("li", {}, h("img", { src: URL.createObjectURL(blob), alt: "" }), remove);
  };
  input.onchange = async () => {
    for (const file of [...(input.files ?? [])]) {
      try {
        put([...taken, { key: newKey(), blob: await lightened(file) }]);
      } catch {
        phone.say(app.t("gridPhotoBad"));
      }
    }
    input.value = "";
  };
  put([]);
  return { element: h("div", { class: "photos" }, strip, input, label), taken: () => taken, put };
}
