/** What is done with whole records, each with the way back: saved, retired, put back to an earlier version. */
import { type LayerDetail, Refused } from "../city/api.ts";
import * as items from "../city/items.ts";
import { headline } from "../map/facts.ts";
import type { App } from "../page/app.ts";
import { why } from "../page/why.ts";
import { moment } from "../words/format.ts";
import { confirm, tell } from "./dialogs.ts";

export interface Doings {
  /** A record was changed, or made (there was none before): tell so and offer to undo it. */
  saved(layer: LayerDetail, now: items.Held, before: items.Held | null): void;
  retire(layer: LayerDetail, held: items.Held): void;
  /** Put a record back to a version; `version` is what it is now, null when it is retired. */
  goBack(layer: LayerDetail, id: string, version: string | null, since: string): Promise<void>;
}

export function doings(app: App, card: { reopen(): void; dropForm(): void }): Doings {
  const open = (layer: string, id: string) => {
    const { selected } = app.store.get();
    if (selected?.kind === "item" && selected.layer === layer && selected.id === id) card.reopen();
    else app.store.set({ selected: { kind: "item", layer, id } });
  };
  const failedBut = (late: "undoLate" | "changedSince") => (error: unknown) => {
    // What has a cause of its own is another matter than that somebody was quicker.
    const tooLate = error instanceof Refused && [409, 412].includes(error.status) && error.told.cause === undefined;
    tell(app, tooLate ? app.t(late) : app.t("notSaved", { why: why(app, error) }));
  };
  const failed = failedBut("undoLate");
  const restored = (layer: string, id: string, word: "undone" | "restored") => {
    tell(app, app.t(word));
    open(layer, id);
  };
  const undoEdit = ({ record: { layer, id }, version }: items.Held) =>
    items.restore({ layer, id }, { version }, items.newKey()).then(() => restored(layer, id, "undone"), failed);
  const undoNew = (held: items.Held) =>
    items.retire(held).then(() => {
      tell(app, app.t("undone"));
      app.store.set({ selected: null });
    }, failed);

  return {
    saved(layer, now, before) {
      const { record } = now;
      const name = headline(app, layer, record.id, record.properties);
      if (before === null) tell(app, app.t("created", { name }), () => void undoNew(now));
      else if (before.version !== now.version) tell(app, app.t("saved"), () => void undoEdit(now));
      open(layer.name, record.id);
    },
    retire(layer, held) {
      const { record } = held;
      const name = headline(app, layer, record.id, record.properties);
      const text = app.t("retireAsk", { name, source: record.context.source ?? "" });
      void confirm(app, { title: app.t("retire"), text, yes: app.t("retire"), grave: true }).then(async (sure) => {
        if (!sure) return;
        try {
          await items.retire(held);
        } catch (error) {
          failedBut("changedSince")(error);
          return;
        }
        card.dropForm();
        app.store.set({ selected: null });
        const bring = () =>
          items
            .restore(record, { version: null }, items.newKey())
            .then(() => restored(layer.name, record.id, "undone"), failed);
        tell(app, app.t("retired", { name }), () => void bring());
      });
    },
    async goBack(layer, id, version, since) {
      const text = app.t("restoreAsk", { time: moment(app.store.get().lang, since) });
      if (!(await confirm(app, { title: app.t("history"), text, yes: app.t("restoreThis") }))) return;
      try {
        await items.restore({ layer: layer.name, id }, { version, since }, items.newKey());
      } catch (error) {
        failedBut("changedSince")(error);
        return;
      }
      restored(layer.name, id, "restored");
    },
  };
}
