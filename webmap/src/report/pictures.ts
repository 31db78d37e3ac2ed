/** Photos of a resident's report: made small, and free of what cameras write into them, before they leave the phone. */
import { newKey } from "../city/items.ts";
import { lightened, MOST_PHOTOS } from "../grid/photo.ts";
import type { App } from "../page/app.ts";
import { fill, h, iconButton } from "../page/dom.ts";

interface Taken {
  key: string;
  blob: Blob;
}

export interface Pictures {
  element: HTMLElement;
  taken(): readonly Taken[];
}

export function pictures(app: App): Pictures {
  let taken: readonly Taken[] = [];
  const strip = h("ul", { class: "strip" });
  const told = h("p", { class: "hint", role: "status" });
  const input = h("input", { type: "file", accept: "image/*", id: "resident-photo", multiple: true });
  const draw = (): void => {
    for (const image of strip.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    input.disabled = taken.length >= MOST_PHOTOS;
    fill(
      strip,
      ...taken.map(({ key, blob }, at) =>
        h(
          "li",
          {},
          h("img", { src: URL.createObjectURL(blob), alt: app.t("residentPhotoOf", { n: at + 1 }) }),
          iconButton("close", app.t("residentPhotoAway", { n: at + 1 }), () => {
            taken = taken.filter((one) => one.key !== key);
            draw();
          }),
        ),
      ),
    );
  };
  input.onchange = async () => {
    told.textContent = "";
    for (const picked of [...(input.files ?? [])].slice(0, MOST_PHOTOS - taken.length)) {
      try {
        taken = [...taken, { key: newKey(), blob: await lightened(picked) }];
      } catch {
        told.textContent = app.t("residentPhotoBad", { name: picked.name });
      }
      draw();
    }
    input.value = "";
  };
  const label = h("label", { htmlFor: input.id }, app.t("residentPhotos", { most: MOST_PHOTOS }));
  return { element: h("div", { class: "photos" }, label, input, strip, told), taken: () => taken };
}
