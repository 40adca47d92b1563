/** One layer that is being given to this engine. */
export interface Taking {
  stop: AbortController;
  /** when bytes came last */
  fedAt: number;
  over: Promise<unknown>;
}
