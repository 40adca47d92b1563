import { messageOf } from "./errors.ts";

/**
 * Steps to take back when a later one fails, run in reverse order.
 *
 *     const undo = new Undo();
 *     try { await a(); undo.add("a", () => notA()); await b(); undo.drop(); } catch (e) { await undo.run(report); throw e; }
 */
export class Undo {
  private steps: { what: string; act: () => unknown }[] = [];

  add(what: string, act: () => unknown): void {
    this.steps.push({ what, act });
  }

  /** Forgets every step: the work is complete. */
  drop(): void {
    this.steps = [];
  }

  /** Runs every step, last first; a step that fails is reported and does not stop the others. */
  async run(report: (sentence: string) => void): Promise<void> {
    const steps = this.steps.reverse();
    this.steps = [];
    for (const { what, act } of steps) {
      try {
        await act();
      } catch (error) {
        report(`undo ${what}: ${messageOf(error)}`);
      }
    }
  }
}
