/** Things that are worth doing again, but not each time. */

/** Calls back at once and then at most every `ms`, the last time after the last call. */
export function atMostEvery(ms: number, callback: () => void): () => void {
  let last = 0;
  let due = false;
  const call = () => {
    due = false;
    last = Date.now();
    callback();
  };
  return () => {
    if (due) return;
    due = true;
    setTimeout(call, Math.max(0, last + ms - Date.now()));
  };
}
