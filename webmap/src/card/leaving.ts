/** Leaving a form that holds something unsaved: asked once, whatever is wished for meanwhile. */
import type { App } from "../page/app.ts";
import { confirm } from "./dialogs.ts";

export interface Leaving {
  /** Do it if nothing would be lost, else ask first; of several wishes the last is done. */
  before(wish: () => void): void;
}

/** `dirty` tells whether something would be lost; `drop` lets go of it. */
export function leaving(app: App, dirty: () => boolean, drop: () => void): Leaving {
  let wished: (() => void) | null = null;
  addEventListener("beforeunload", (event) => {
    if (dirty()) event.preventDefault();
  });
  return {
    before(wish) {
      if (!dirty()) {
        drop();
        wish();
        return;
      }
      const asking = wished !== null;
      wished = wish;
      if (asking) return;
      const question = {
        title: app.t("unsaved"),
        text: app.t("unsavedAsk"),
        yes: app.t("discard"),
        no: app.t("keepEditing"),
      };
      void confirm(app, { ...question, grave: true }).then((sure) => {
        const last = wished;
        wished = null;
        if (!sure) return;
        drop();
        last?.();
      });
    },
  };
}
