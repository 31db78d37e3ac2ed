/** Steps one after the other, each when the one before is drawn and could be looked at. */

export interface Steps {
  running(): boolean;
  start(): void;
  stop(): void;
}

export interface Stepping {
  /** Take a step; false when there is none left. */
  step(): boolean;
  /** Call back once what the step changed is drawn. */
  drawn(then: () => void): void;
  /** It began or ended. */
  changed(): void;
  pause_ms: number;
}

/** Whoever stops and starts again has one run, not two: what the first one still waits for is let go. */
export function steps({ step, drawn, changed, pause_ms }: Stepping): Steps {
  let run = 0;
  let timer: ReturnType<typeof setTimeout> | null = null;
  const stop = () => {
    run += 1;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    changed();
  };
  const next = (mine: number) => {
    timer = setTimeout(() => {
      if (!step()) return stop();
      drawn(() => {
        if (mine === run) next(mine);
      });
    }, pause_ms);
  };
  return {
    running: () => timer !== null,
    start() {
      run += 1;
      next(run);
      changed();
    },
    stop,
  };
}
